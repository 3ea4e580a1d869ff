/** Quantities and names in words. */
import { i18n } from '../i18n'

const UNITS = ['b', 'kib', 'mib', 'gib', 'tib'] as const

/** As short as it can be said without rounding to less than three digits; binary multiples are called KB, MB, GB, as users of such programs read them. */
export function bytesText(bytes: number): string {
  let unit = 0
  let n = bytes
  while (n >= 1024 && unit < UNITS.length - 1) {
    n /= 1024
    unit++
  }
  const digits = Number.isInteger(n) || n >= 100 ? 0 : 1
  return i18n.global.t(`common.bytes.${UNITS[unit] ?? 'b'}`, { n: n.toFixed(digits).replace(/\.0$/, '') })
}

/** The last part of a path of the host. */
export function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
}

/** A whole number with its digits grouped, in the language's own way. */
export function numberText(n: number): string {
  return new Intl.NumberFormat(i18n.global.locale.value).format(n)
}

/** A moment, in the language's own way. */
export function timeText(at: number | string): string {
  return new Intl.DateTimeFormat(i18n.global.locale.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(at))
}

export function durationText(seconds: number): string {
  const { t } = i18n.global
  const minutes = Math.floor(seconds / 60)
  return minutes >= 60 ? t('summary.hours', { h: Math.floor(minutes / 60), m: minutes % 60 }) : t('summary.minutes', { m: minutes, s: Math.floor(seconds % 60) })
}
