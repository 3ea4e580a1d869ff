/** Proleptic Gregorian calendar on plain numbers. Algorithm: days counted in eras of 400 years from 1 March of year 0. */

export interface CivilTime {
  readonly year: number
  /** 1..12 */
  readonly month: number
  /** 1..31 */
  readonly day: number
  readonly hours: number
  readonly minutes: number
  readonly seconds: number
  /** 1 = Sunday. */
  readonly weekday: number
}

export const SECONDS_PER_DAY = 86_400
const DAYS_TO_1970 = 719_468
const DAYS_PER_ERA = 146_097

/** Days since 1970-01-01; out-of-range months and days carry over. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const months = year * 12 + (month - 1)
  const y = Math.floor((months - 2) / 12)
  const shifted = (((months - 2) % 12) + 12) % 12
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * shifted + 2) / 5) + day - 1
  return era * DAYS_PER_ERA + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - DAYS_TO_1970
}

export function civilFromSeconds(total: number): CivilTime {
  const days = Math.floor(total / SECONDS_PER_DAY)
  const ofDay = total - days * SECONDS_PER_DAY
  const z = days + DAYS_TO_1970
  const era = Math.floor(z / DAYS_PER_ERA)
  const dayOfEra = z - era * DAYS_PER_ERA
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
    hours: Math.floor(ofDay / 3600),
    minutes: Math.floor(ofDay / 60) % 60,
    seconds: ofDay % 60,
    weekday: ((((days + 4) % 7) + 7) % 7) + 1,
  }
}
