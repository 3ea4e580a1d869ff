/** Operating systems by what their discs say about themselves, and what a new VM for each should have. */
import type { MediaBits, MediaFamily } from './media-facts'

export interface KnownSystem {
  readonly system: string
  readonly version?: string
  readonly family: MediaFamily
  readonly bits?: MediaBits
  /** It is for another processor. */
  readonly foreign?: boolean
}

const X86_ARCHITECTURES: Readonly<Record<string, MediaBits>> = { amd64: 64, x86_64: 64, 'x86-64': 64, x64: 64, i386: 32, i486: 32, i586: 32, i686: 32, x86: 32, '32bit': 32, '64bit': 64 }
const FOREIGN = /\b(arm64|aarch64|armhf|armel|armv\d\w*|ppc64(?:el|le)?|powerpc|s390x?|riscv64|mips\w*|loong(?:arch)?64|sparc64|ia64|alpha|hppa|macppc|evbarm|m68k)\b/i

/** What a text says of the processor that something is for. */
export function architectureOf(text: string): { readonly bits?: MediaBits; readonly foreign?: boolean } {
  for (const word of text.toLowerCase().split(/[^a-z0-9_-]+/)) {
    for (const part of [word, ...word.split('-'), ...word.split('_')]) {
      const bits = X86_ARCHITECTURES[part]
      if (bits !== undefined) return { bits }
    }
    // In labels such as "14_1_RELEASE_AMD64_CD".
    const inner = /(?:^|[_-])(amd64|x86_64|i386)(?:[_-]|$)/.exec(word)?.[1]
    if (inner) return { bits: inner === 'i386' ? 32 : 64 }
  }
  return FOREIGN.test(text.replace(/_/g, ' ')) ? { foreign: true } : {}
}

interface LabelRule {
  readonly label: RegExp
  readonly system: string
  readonly family: MediaFamily
  readonly bits?: MediaBits
  /** Of the groups "major" and "minor", or "version". */
  readonly version?: (groups: Readonly<Record<string, string | undefined>>) => string | undefined
}

const dotted = ({ major, minor }: Readonly<Record<string, string | undefined>>): string | undefined => [major, minor].filter((part) => part !== undefined).join('.')

/** Volume labels, the narrow before the wide. A group "version" is the version. */
const LABELS: readonly LabelRule[] = [
  { label: /^Debian (?<version>\d[\d.]*)/, system: 'Debian GNU/Linux', family: 'linux' },
  { label: /^d-live (?:nf )?(?<version>\d[\d.]*)/i, system: 'Debian GNU/Linux Live', family: 'linux' },
  { label: /^(?<flavour>[KXL]?Ubuntu(?:-(?:Server|MATE|Budgie|Studio|Unity|Cinnamon))?) (?<version>\d+\.\d+(?:\.\d+)?(?: LTS)?)/i, system: 'Ubuntu', family: 'linux' },
  { label: /^Linux Mint (?<version>\d[\d.]*)/i, system: 'Linux Mint', family: 'linux' },
  { label: /^Kali/i, system: 'Kali Linux', family: 'linux' },
  { label: /^Fedora-\S*?-(?<version>\d{2})(?:-|$)/i, system: 'Fedora Linux', family: 'linux' },
  { label: /^CentOS-Stream-(?<version>\d+)/i, system: 'CentOS Stream', family: 'linux' },
  { label: /^CentOS[ -](?<version>\d+)/i, system: 'CentOS', family: 'linux' },
  { label: /^Rocky-(?<major>\d+)-(?<minor>\d+)/i, system: 'Rocky Linux', family: 'linux', version: dotted },
  { label: /^AlmaLinux-(?<major>\d+)-(?<minor>\d+)/i, system: 'AlmaLinux', family: 'linux', version: dotted },
  { label: /^RHEL-(?<major>\d+)-(?<minor>\d+)/i, system: 'Red Hat Enterprise Linux', family: 'linux', version: dotted },
  { label: /^OL-(?<major>\d+)-(?<minor>\d+)/, system: 'Oracle Linux', family: 'linux', version: dotted },
  { label: /^openSUSE-Leap-(?<version>\d+\.\d+)/i, system: 'openSUSE Leap', family: 'linux' },
  { label: /^openSUSE-Tumbleweed/i, system: 'openSUSE Tumbleweed', family: 'linux' },
  { label: /^SLE-(?<version>\d+(?:-SP\d+)?)/, system: 'SUSE Linux Enterprise', family: 'linux' },
  { label: /^ARCH_(?<major>\d{4})(?<minor>\d{2})/, system: 'Arch Linux', family: 'linux', bits: 64, version: dotted },
  { label: /^MANJARO/i, system: 'Manjaro Linux', family: 'linux', bits: 64 },
  { label: /^EOS_(?<major>\d{4})(?<minor>\d{2})/, system: 'EndeavourOS', family: 'linux', bits: 64, version: dotted },
  { label: /^alpine-\S+ (?<version>\d[\w.]*)/i, system: 'Alpine Linux', family: 'linux' },
  { label: /^Gentoo/i, system: 'Gentoo Linux', family: 'linux' },
  { label: /^nixos-(?:\w+-)?(?<version>\d{2}\.\d{2})/i, system: 'NixOS', family: 'linux' },
  { label: /^Slack(?:ware)?(?:64)?(?:DVD|-(?<version>\d+\.\d+))/i, system: 'Slackware', family: 'linux' },
  { label: /^VOID_LIVE/i, system: 'Void Linux', family: 'linux' },
  { label: /^(?:TinyCore|CorePlus|Core|TinyCorePure64|CorePure64)$/i, system: 'Tiny Core Linux', family: 'linux' },
  { label: /^RESCUE(?<major>\d{1,2})(?<minor>\d{2})$/, system: 'SystemRescue', family: 'linux', version: ({ major, minor }) => dotted({ major, minor: minor === undefined ? undefined : String(Number(minor)) }) },
  { label: /^GParted/i, system: 'GParted Live', family: 'linux' },
  { label: /clonezilla/i, system: 'Clonezilla', family: 'linux' },
  { label: /^PUPPY|^Puppy/, system: 'Puppy Linux', family: 'linux' },
  { label: /^antiX/i, system: 'antiX', family: 'linux' },
  { label: /^(?:FD(?<major>\d)(?<minor>\d)|FREEDOS)/i, system: 'FreeDOS', family: 'dos', bits: 16, version: ({ major, minor }) => (major === undefined ? undefined : dotted({ major, minor })) },
  { label: /^(?<major>\d+)_(?<minor>\d+)_(?:RELEASE|STABLE|RC\d|BETA\d)/, system: 'FreeBSD', family: 'bsd', version: dotted },
  { label: /^FreeBSD/i, system: 'FreeBSD', family: 'bsd' },
  { label: /^OpenBSD\/\w+\s+(?<version>\d+\.\d+)/i, system: 'OpenBSD', family: 'bsd' },
  { label: /^NetBSD[-_ ]?(?<version>\d+\.\d+)?/i, system: 'NetBSD', family: 'bsd' },
  { label: /^(?:dfly|DragonFly)-\S*?(?<version>\d+\.\d+(?:\.\d+)?)/i, system: 'DragonFly BSD', family: 'bsd' },
  { label: /^OPNSENSE|^pfSense/i, system: 'FreeBSD', family: 'bsd' },
  { label: /^(?:GRT|GRM|WXP|XRM)\w*(?:HOEM|PFRE|VOL|PVOL|PFPP|PCCP|HFPP)?_\w{2}$/, system: 'Windows XP', family: 'windows', bits: 32 },
  { label: /^(?:W2PFPP|W2SFPP|W2SEL|W2\w+)_\w{2}$/, system: 'Windows 2000', family: 'windows', bits: 32 },
  { label: /^(?:GRMC|GSP1RMC)\w*(?<x>X)FRE\w*_/, system: 'Windows 7', family: 'windows', bits: 64 },
  { label: /^(?:GRMC|GSP1RMC)\w*_/, system: 'Windows 7', family: 'windows', bits: 32 },
  { label: /^(?:CCCOMA|CCSA|CPBA|CENA|CPRA|CCCON|J_CC|JM_CC|ESD|DV\d|SSS)\w*_X64/, system: 'Windows', family: 'windows', bits: 64 },
  { label: /^(?:CCCOMA|CCSA|CPBA|CENA|CPRA|CCCON|J_CC|JM_CC|ESD|DV\d|SSS)\w*_X86/, system: 'Windows', family: 'windows', bits: 32 },
  { label: /^(?:CCCOMA|CCSA|CPBA)\w*_A64/, system: 'Windows', family: 'windows' },
  { label: /^ReactOS/i, system: 'ReactOS', family: 'windows', bits: 32 },
  { label: /^haiku/i, system: 'Haiku', family: 'other' },
  { label: /^KolibriOS/i, system: 'KolibriOS', family: 'other', bits: 32 },
  { label: /^memtest|^MT86/i, system: 'Memtest86+', family: 'other' },
  { label: /^iPXE/i, system: 'iPXE', family: 'other' },
]

export function systemByLabel(label: string): KnownSystem | undefined {
  for (const { label: pattern, system, family, bits, version: versionOf } of LABELS) {
    const match = pattern.exec(label)
    if (!match) continue
    const groups = match.groups ?? {}
    const version = versionOf ? versionOf(groups) : groups['version']
    const architecture = architectureOf(label)
    const known = bits === undefined ? architecture : { bits }
    const foreign = architecture.foreign === true || (family === 'windows' && /_A64/.test(label))
    const { flavour } = groups
    return { system: flavour ?? system, family, ...(version === undefined || version === '' ? {} : { version }), ...(foreign ? { foreign } : known) }
  }
  return undefined
}

/** The one line of `.disk/info`, such as `Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 NETINST with firmware 20240210-11:27`. */
export function systemByDiskInfo(line: string): KnownSystem | undefined {
  const match = /^(?<system>[^"\d]{2,60}?)\s+(?<version>\d[\w.]*(?: LTS)?)?\s*(?:"[^"]*")?\s*[-–]\s*(?<rest>.*)$/.exec(line)
  const system = match?.groups?.['system']
  if (system === undefined) return undefined
  const { version, rest = '' } = match?.groups ?? {}
  return { system, family: 'linux', ...(version === undefined ? {} : { version }), ...architectureOf(rest) }
}

/** `.treeinfo` of Fedora and its relatives: an INI file. */
export function systemByTreeInfo(text: string): KnownSystem | undefined {
  const value = (key: string): string | undefined => new RegExp(`^${key}\\s*=\\s*(.{1,80})$`, 'm').exec(text)?.[1]?.trim()
  const system = value('family') ?? value('name')
  if (system === undefined || system === '') return undefined
  const version = value('version')
  return { system: system === 'Fedora' ? 'Fedora Linux' : system, family: 'linux', ...(version === undefined ? {} : { version }), ...architectureOf(value('arch') ?? '') }
}

/** The version string of a Linux kernel names who built it. */
export function systemByKernelVersion(version: string): KnownSystem | undefined {
  const bits = architectureOf(version)
  if (/debian/i.test(version)) return { system: 'Debian GNU/Linux', family: 'linux', ...bits }
  if (/ubuntu|buildd@/i.test(version)) return { system: 'Ubuntu', family: 'linux', ...bits }
  if (/\.fc(\d+)\./.test(version)) return { system: 'Fedora Linux', version: /\.fc(\d+)\./.exec(version)?.[1] ?? '', family: 'linux', ...bits }
  if (/\.el(\d+)/.test(version)) return { system: 'Enterprise Linux', version: /\.el(\d+)/.exec(version)?.[1] ?? '', family: 'linux', ...bits }
  if (/alpine|-(lts|virt) \(buildozer/i.test(version)) return { system: 'Alpine Linux', family: 'linux', ...bits }
  if (/^memtest86/i.test(version)) return { system: 'Memtest86+', version: /v?(\d+\.\d+)/.exec(version)?.[1] ?? '', family: 'other' }
  if (/tinycore/i.test(version)) return { system: 'Tiny Core Linux', family: 'linux', ...bits }
  return undefined
}

interface Needs {
  readonly memoryMiB: number
  readonly diskMiB: number
}

const GIB = 1024

/** What an installation needs to be comfortable, not what it could live with. No more memory than the board takes. */
export function needsOf(system: string | undefined, family: MediaFamily | undefined, bits: MediaBits | undefined): Needs {
  const name = system ?? ''
  if (/^Memtest|^iPXE/.test(name)) return { memoryMiB: 256, diskMiB: 0 }
  if (/FreeDOS/.test(name) || family === 'dos') return { memoryMiB: 64, diskMiB: 2 * GIB }
  if (/Tiny Core/.test(name)) return { memoryMiB: 256, diskMiB: 2 * GIB }
  if (/Alpine/.test(name)) return { memoryMiB: 512, diskMiB: 8 * GIB }
  if (/Live$|Rescue|GParted|Clonezilla|Puppy|antiX/.test(name)) return { memoryMiB: 1024, diskMiB: 8 * GIB }
  if (/Debian|Slackware|Gentoo|Void/.test(name)) return { memoryMiB: bits === 32 ? 512 : 1024, diskMiB: 20 * GIB }
  if (family === 'linux') return { memoryMiB: system === undefined ? 1024 : bits === 32 ? 1024 : 2048, diskMiB: 20 * GIB }
  if (family === 'bsd') return { memoryMiB: bits === 32 ? 512 : 1024, diskMiB: 16 * GIB }
  if (/XP|2000|ReactOS/.test(name)) return { memoryMiB: 512, diskMiB: 10 * GIB }
  if (family === 'windows') return { memoryMiB: bits === 32 ? 1024 : 2048, diskMiB: 60 * GIB }
  if (/Haiku/.test(name)) return { memoryMiB: 1024, diskMiB: 8 * GIB }
  return { memoryMiB: 512, diskMiB: 8 * GIB }
}
