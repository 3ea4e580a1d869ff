/** What direct boot has in common: images that start without a boot loader, and the state in which they expect the processor. */
import type { GuestMemory } from '../../memory/guest-memory'
import type { MemoryMapEntry } from '../memory-map'

export interface NamedBytes {
  /** For messages: the file. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface BootModule extends NamedBytes {
  readonly commandLine: string
}

/** What loading needs of guest memory: little enough that a dry run can find a bad image before the machine starts. */
export type ImageMemory = Pick<GuestMemory, 'ramBytes' | 'lowRamBytes' | 'write' | 'fill'>

export interface DirectBootRequest {
  readonly kernel: NamedBytes
  readonly initrd?: NamedBytes
  readonly commandLine: string
  readonly modules: readonly BootModule[]
  readonly memory: ImageMemory
  readonly memoryMap: readonly MemoryMapEntry[]
  /** Guest-physical address of the ACPI RSDP, 0 when there is none. */
  readonly rsdp: number
  /** False: the board has no VGA, and the kernel is told so. */
  readonly vga?: boolean
  /** Forces one of Linux's entries instead of the best that the header allows. */
  readonly linuxEntry?: 16 | 32 | 64
}

/** The processor's state at the image's entry. */
export type BootEntry =
  /** Flat 32-bit protected mode, paging off. */
  | { readonly mode: 'protected'; readonly eip: number; readonly registers: Readonly<Partial<Record<'eax' | 'ebx' | 'esi' | 'esp' | 'ebp' | 'edi', number>>> }
  /** 64-bit mode with identity paging of the first 4 GiB; tables at `pageTables`. */
  | { readonly mode: 'long'; readonly rip: number; readonly rsi: number; readonly pageTables: number }
  /** Real mode; needs BIOS services. */
  | { readonly mode: 'real'; readonly cs: number; readonly ip: number; readonly ds: number; readonly ss: number; readonly sp: number }

/** Highest usable address (exclusive) of the range that contains `address`, or `address` itself when it is not usable RAM. */
export function usableEnd(map: readonly MemoryMapEntry[], address: number): number {
  const range = map.find((r) => r.type === 1 && address >= r.address && address < r.address + r.bytes)
  return range ? range.address + range.bytes : address
}

/** Little-endian view of an image's bytes. */
export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function asciiz(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text)
  const out = new Uint8Array(encoded.length + 1)
  out.set(encoded)
  return out
}
