/** Guests that can be named, and what each needs. What vm.json keeps is the text `system`; the window shows its bits in its language (guestText). */
import type { VmJson } from '../../../../src-main/ipc/contract'

export type GuestFamily = VmJson['guest']['family']
export const FAMILIES: readonly GuestFamily[] = ['linux', 'windows', 'dos', 'bsd', 'other']

export interface Needs {
  readonly minimumMiB: number
  readonly memoryMiB: number
  readonly diskGiB: number
}

interface Guest {
  readonly name: string
  readonly bits: readonly (16 | 32 | 64)[]
  readonly needs: Needs
}

const needs = (minimumMiB: number, memoryMiB: number, diskGiB: number): Needs => ({ minimumMiB, memoryMiB, diskGiB })

const GUESTS: Readonly<Record<GuestFamily, readonly Guest[]>> = {
  linux: [
    { name: 'Debian GNU/Linux', bits: [64, 32], needs: needs(256, 1024, 20) },
    { name: 'Ubuntu', bits: [64, 32], needs: needs(1024, 2048, 25) },
    { name: 'Fedora Linux', bits: [64], needs: needs(1024, 2048, 20) },
    { name: 'Enterprise Linux', bits: [64], needs: needs(1024, 2048, 20) },
    { name: 'openSUSE', bits: [64], needs: needs(1024, 2048, 20) },
    { name: 'Arch Linux', bits: [64], needs: needs(512, 1024, 20) },
    { name: 'Alpine Linux', bits: [64, 32], needs: needs(128, 512, 8) },
    { name: 'Tiny Core Linux', bits: [64, 32], needs: needs(64, 256, 2) },
    { name: 'Other Linux', bits: [64, 32], needs: needs(128, 1024, 20) },
  ],
  windows: [
    { name: 'Windows 10', bits: [64, 32], needs: needs(1024, 2048, 60) },
    { name: 'Windows 7', bits: [64, 32], needs: needs(1024, 2048, 60) },
    { name: 'Windows XP', bits: [32], needs: needs(64, 512, 10) },
    { name: 'Windows 2000', bits: [32], needs: needs(64, 256, 8) },
    { name: 'ReactOS', bits: [32], needs: needs(64, 512, 8) },
    { name: 'Other Windows', bits: [64, 32], needs: needs(256, 1024, 40) },
  ],
  dos: [
    { name: 'FreeDOS', bits: [16], needs: needs(4, 64, 2) },
    { name: 'MS-DOS', bits: [16], needs: needs(4, 32, 1) },
  ],
  bsd: [
    { name: 'FreeBSD', bits: [64, 32], needs: needs(128, 1024, 16) },
    { name: 'OpenBSD', bits: [64, 32], needs: needs(64, 512, 16) },
    { name: 'NetBSD', bits: [64, 32], needs: needs(64, 512, 16) },
    { name: 'Other BSD', bits: [64, 32], needs: needs(64, 512, 16) },
  ],
  other: [
    { name: 'Haiku', bits: [64, 32], needs: needs(384, 1024, 8) },
    { name: 'Memtest86+', bits: [64, 32], needs: needs(16, 256, 0) },
    { name: 'Other', bits: [64, 32], needs: needs(4, 512, 8) },
  ],
}

/** As vm.json keeps it. */
export function systemText(name: string, version: string | undefined, bits: number | undefined): string {
  return [name, version, bits === undefined ? undefined : `(${bits}-bit)`].filter((part) => part !== undefined && part !== '').join(' ')
}

/** What a guest is called of which nothing is known but that it may well be that. */
export const UNKNOWN_LINUX: string = systemText('Other Linux', undefined, 64)

export function systemsOf(family: GuestFamily): readonly string[] {
  return GUESTS[family].flatMap(({ name, bits }) => bits.map((width) => systemText(name, undefined, width)))
}

/** Of the guest whose name the text begins with; else of the family's last, which stands for all others. */
export function needsOf(family: GuestFamily, system: string): Needs {
  const list = GUESTS[family]
  const known = list.find(({ name }) => system.startsWith(name)) ?? list[list.length - 1]
  return known?.needs ?? needs(4, 256, 8)
}

const OTHERS: Readonly<Record<string, string>> = { 'Other Linux': 'guest.otherLinux', 'Other Windows': 'guest.otherWindows', 'Other BSD': 'guest.otherBsd', Other: 'guest.other' }

export type Translate = (key: string, values?: Readonly<Record<string, string | number>>) => string

/** A guest's system as the window shows it; names of products stay as they are. */
export function guestText(t: Translate, system: string): string {
  const { name = system, bits } = /^(?<name>.*?)(?: \((?<bits>16|32|64)-bit\))?$/.exec(system)?.groups ?? {}
  const other = OTHERS[name]
  const shown = other === undefined ? name : t(other)
  return bits === undefined ? shown : t('guest.withBits', { name: shown, bits })
}
