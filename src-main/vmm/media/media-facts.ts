/** What a file that the user has chosen or dropped is. Facts, not sentences: the window says them in its language. */
export type MediaKind = 'iso' | 'disk' | 'linux-kernel' | 'initrd' | 'multiboot-kernel' | 'firmware' | 'vm' | 'unknown'
export type MediaFamily = 'linux' | 'windows' | 'dos' | 'bsd' | 'other'
export type MediaBits = 16 | 32 | 64
export type MediaFirmware = 'bios' | 'uefi'
/** uefi-only: the built-in firmware is a BIOS. other-format: a disk image that is not raw. */
export type MediaWarning = 'uefi-only' | 'not-bootable' | 'not-x86' | 'damaged' | 'other-format'

/** What something was recognised by. */
export type MediaSign =
  | 'volume-label'
  | 'disk-info'
  | 'tree-info'
  | 'file'
  | 'boot-catalogue'
  | 'kernel-version'
  | 'boot-protocol'
  | 'partition-table'
  | 'boot-sector'
  | 'format'
  | 'reset-vector'
  | 'vm-json'
  | 'file-name'

export interface MediaReason {
  readonly sign: MediaSign
  /** As it is in the file, or a technical term: not to be translated. */
  readonly value: string
}

export interface MediaFacts {
  readonly path: string
  readonly kind: MediaKind
  readonly bytes: number
  readonly system?: string
  readonly version?: string
  readonly family?: MediaFamily
  readonly bits?: MediaBits
  readonly firmware?: MediaFirmware[]
  readonly label?: string
  readonly why: MediaReason[]
  readonly suggestion?: { readonly name: string; readonly memoryMiB: number; readonly diskMiB: number }
  readonly warning?: MediaWarning
}

/** What a recogniser finds; the path and size are known to whoever asks it. */
export type Recognised = Omit<MediaFacts, 'path' | 'bytes'>

const SHOWN = 120

/** Text of a file for a line on the screen: no control or direction characters, not too long. */
export function shownText(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').replace(/\s+/g, ' ').trim()
  return plain.length <= SHOWN ? plain : `${plain.slice(0, SHOWN)}...`
}
