import type { Gpa, HostOffset } from '../support/branded'

/** A block of the machine's WebAssembly memory that can be mapped into the guest-physical address space. 4 KiB aligned. */
export interface MemoryBlock {
  readonly name: string
  readonly hostOffset: HostOffset
  readonly bytes: number
  /** rom: guest writes are ignored (and counted). */
  readonly kind: 'ram' | 'rom'
}

/**
 * Guest-physical memory as devices, firmware and loaders see it (DMA view). Accesses outside RAM/ROM read all ones and are dropped
 * on write: a hostile address never throws. Writes mark pages dirty and drop decoded code.
 */
export interface GuestMemory {
  /** Bytes of guest RAM in total. */
  readonly ramBytes: number
  /** Bytes of RAM below 4 GiB (the rest is remapped from 4 GiB up). */
  readonly lowRamBytes: number
  readU8(address: Gpa): number
  readU16(address: Gpa): number
  readU32(address: Gpa): number
  readU64(address: Gpa): bigint
  writeU8(address: Gpa, value: number): void
  writeU16(address: Gpa, value: number): void
  writeU32(address: Gpa, value: number): void
  writeU64(address: Gpa, value: bigint): void
  read(address: Gpa, target: Uint8Array): void
  write(address: Gpa, source: Uint8Array): void
  fill(address: Gpa, bytes: number, value: number): void
  /**
   * Direct views of guest RAM for zero-copy host I/O: the pieces (split where host memory is not contiguous) that cover the range,
   * or undefined when any part of it is not RAM. With intent 'write' the pages are marked dirty and their code dropped by `finishWrite`.
   */
  views(address: Gpa, bytes: number): readonly Uint8Array[] | undefined
  /** To be called after the host wrote through views(). */
  finishWrite(address: Gpa, bytes: number): void
  /**
   * The guest has no use for what is in these pages of RAM: those that were written to become zeroes, the others stay as they are, so that the host
   * need not find memory for them. A WebAssembly memory cannot give a page back to the host; zeroes are what a saved state, compressed swap and
   * merging of equal pages make next to nothing of. Whole pages inside of the range only.
   */
  discard(address: Gpa, bytes: number): void
}

/** Maps blocks into the guest-physical space; used by boards, PCI BARs and the chipset (shadow RAM, VGA window). */
export interface PhysicalMap {
  /** Maps [offset, offset + bytes) of the block at `address`; all 4 KiB aligned. Replaces what was mapped there. */
  map(address: Gpa, block: MemoryBlock, offset: number, bytes: number): void
  /** After this, accesses in the range go to the MMIO bus. */
  unmap(address: Gpa, bytes: number): void
  /** Pages of the block written by guest or devices since the last call; one byte (0/1) for each 4 KiB page. Clears the marks. */
  takeDirty(block: MemoryBlock): Uint8Array
}
