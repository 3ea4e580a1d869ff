import { DIRTY_MAP, PHYSMAP, PHYSMAP_PAGES, PHYS_CODE, PHYS_READ, PHYS_WRITE, RAM_BASE } from '../cpu/layout'
import { VmmError } from '../errors/vmm-error'
import { gpa, hostOffset, type Gpa } from '../support/branded'
import type { GuestMemory, MemoryBlock, PhysicalMap } from './guest-memory'

export const PAGE_BYTES = 0x1000
/** One byte for each page of a 4 GiB linear memory. */
const DIRTY_MAP_BYTES = 0x100000
/** RAM above this is remapped from 4 GiB up; the hole below 4 GiB holds MMIO, PCI windows and ROM. */
export const LOW_RAM_LIMIT = 0xc0000000
export const HIGH_RAM_BASE = 0x100000000

/** What the memory must tell the CPU core; the board connects it. Memory itself knows no core. */
export interface MemoryHooks {
  /** Code decoded from [address, address + bytes) is stale: it was written by a device or the host, or mapped away. */
  onCodeWritten(address: Gpa, bytes: number): void
  /** The guest-physical map changed: every TLB entry and cached translation is stale. */
  onMapChanged(): void
  /** Dirty marks were cleared: TLB entries that allow writes must go, so that the next write marks its page again. */
  onDirtyCleared(): void
}

const NO_HOOKS: MemoryHooks = { onCodeWritten: () => undefined, onMapChanged: () => undefined, onDirtyCleared: () => undefined }

/** One run of the guest-physical map, for the inspector and for E820. */
export interface MappedRange {
  readonly first: Gpa
  readonly last: Gpa
  readonly block: string
  readonly access: 'read' | 'read-write'
}

/** Bytes of linear memory that a machine with this RAM and these further blocks needs (a multiple of 64 KiB). */
export function linearMemoryBytes(ramBytes: number, blockBytes: readonly number[]): number {
  let end = RAM_BASE + roundUp(ramBytes, PAGE_BYTES)
  for (const bytes of blockBytes) end += roundUp(bytes, PAGE_BYTES)
  return roundUp(end, 0x10000)
}

function roundUp(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit
}

function bug(message: string): never {
  throw new VmmError('internal/bug', message)
}

/**
 * Guest-physical memory over the machine's linear memory. The physmap (cpu/layout) is the one truth about what is where: the CPU core's
 * page walk reads it from WebAssembly, this class writes it and reads it for devices.
 */
export class GuestMemoryImpl implements GuestMemory, PhysicalMap {
  readonly ramBytes: number
  readonly lowRamBytes: number
  /** All guest RAM: offset 0 is guest-physical 0; from LOW_RAM_LIMIT on it shows at 4 GiB. */
  readonly ram: MemoryBlock

  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly physmap: Uint32Array
  private readonly dirty: Uint8Array
  private readonly blocks: MemoryBlock[] = []
  private hooks: MemoryHooks = NO_HOOKS
  private allocated: number
  /** Writes by devices that hit ROM or nothing. */
  droppedWrites = 0

  constructor(buffer: ArrayBufferLike, ramBytes: number) {
    if (!Number.isInteger(ramBytes) || ramBytes <= 0 || ramBytes % PAGE_BYTES !== 0)
      bug(`RAM of ${ramBytes} bytes is not a number of pages`)
    if (RAM_BASE + ramBytes > buffer.byteLength) {
      throw new VmmError(
        'memory/too-much',
        `memory: ${ramBytes} bytes of RAM do not fit a linear memory of ${buffer.byteLength} bytes; choose less`,
      )
    }
    this.ramBytes = ramBytes
    this.lowRamBytes = Math.min(ramBytes, LOW_RAM_LIMIT)
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.physmap = new Uint32Array(buffer, PHYSMAP, PHYSMAP_PAGES)
    this.dirty = new Uint8Array(buffer, DIRTY_MAP, DIRTY_MAP_BYTES)
    this.ram = { name: 'ram', hostOffset: hostOffset(RAM_BASE), bytes: ramBytes, kind: 'ram' }
    this.blocks.push(this.ram)
    this.allocated = RAM_BASE + ramBytes
    this.mapRam()
  }

  /** Connects what needs the CPU core; before this nothing can have been decoded or cached. */
  connect(hooks: MemoryHooks): void {
    this.hooks = hooks
  }

  /** A block after RAM, zero-filled: ROM, video memory. Its place depends only on the order of calls. */
  allocateBlock(name: string, bytes: number, kind: MemoryBlock['kind']): MemoryBlock {
    const rounded = roundUp(bytes, PAGE_BYTES)
    if (this.allocated + rounded > this.bytes.byteLength) {
      throw new VmmError('memory/too-much', `memory: no room for ${bytes} bytes of ${name} in the machine's memory; choose less RAM`)
    }
    const block: MemoryBlock = { name, hostOffset: hostOffset(this.allocated), bytes: rounded, kind }
    this.allocated += rounded
    this.blocks.push(block)
    return block
  }

  /** The host's view of a block, for loading ROM images and for drawing from video memory. Writing here marks nothing. */
  blockBytes(block: MemoryBlock): Uint8Array {
    return this.bytes.subarray(block.hostOffset, block.hostOffset + block.bytes)
  }

  /** Writes a byte of a block whatever is mapped where, as the chipset can; marks it dirty. */
  writeBlock(block: MemoryBlock, offset: number, byte: number): void {
    if (offset < 0 || offset >= block.bytes) return
    const host = block.hostOffset + offset
    this.bytes[host] = byte
    this.dirty[host >>> 12] = 1
  }

  /** Every block, RAM first: what a saved state must hold. */
  allBlocks(): readonly MemoryBlock[] {
    return this.blocks
  }

  // ---- map ------------------------------------------------------------------------------------------------------------------

  private mapRam(): void {
    this.map(gpa(0), this.ram, 0, this.lowRamBytes)
    if (this.ramBytes > LOW_RAM_LIMIT) this.map(gpa(HIGH_RAM_BASE), this.ram, LOW_RAM_LIMIT, this.ramBytes - LOW_RAM_LIMIT)
  }

  map(address: Gpa, block: MemoryBlock, offset: number, bytes: number): void {
    if (address % PAGE_BYTES !== 0 || offset % PAGE_BYTES !== 0 || bytes % PAGE_BYTES !== 0) bug(`map of ${block.name} is not page aligned`)
    if (offset < 0 || bytes < 0 || offset + bytes > block.bytes) bug(`map of ${block.name} leaves the block`)
    const flags = block.kind === 'ram' ? PHYS_READ | PHYS_WRITE : PHYS_READ
    this.setPages(address, bytes, block.hostOffset + offset, flags)
  }

  unmap(address: Gpa, bytes: number): void {
    if (address % PAGE_BYTES !== 0 || bytes % PAGE_BYTES !== 0) bug('unmap is not page aligned')
    this.setPages(address, bytes, 0, 0)
  }

  private setPages(address: number, bytes: number, host: number, flags: number): void {
    const first = address / PAGE_BYTES
    const count = bytes / PAGE_BYTES
    if (first < 0 || first + count > PHYSMAP_PAGES) bug(`mapping at ${address.toString(16)}h is outside the guest-physical map`)
    let changed = false
    for (let i = 0; i < count; i++) {
      const old = this.physmap[first + i] ?? 0
      const entry = flags === 0 ? 0 : (host + i * PAGE_BYTES + flags) >>> 0
      if ((old & ~PHYS_CODE) >>> 0 === entry) continue
      // Blocks are cached by guest-physical address: code decoded from what was here before must not run any more.
      if ((old & PHYS_CODE) !== 0) this.hooks.onCodeWritten(gpa((first + i) * PAGE_BYTES), PAGE_BYTES)
      this.physmap[first + i] = entry
      changed = true
    }
    if (changed) this.hooks.onMapChanged()
  }

  /** Whether nothing is mapped in the range, and it lies inside the guest-physical map. */
  isFree(address: Gpa, bytes: number): boolean {
    const first = Math.floor(address / PAGE_BYTES)
    const last = Math.floor((address + bytes - 1) / PAGE_BYTES)
    if (first < 0 || last >= PHYSMAP_PAGES) return false
    for (let page = first; page <= last; page++) if (this.physmap[page] !== 0) return false
    return true
  }

  /** RAM that has been written to since power-on. Marks of RAM are never cleared; loading a saved machine sets those of its pages. */
  get touchedBytes(): number {
    const first = this.ram.hostOffset / PAGE_BYTES
    const marks = new Uint32Array(this.dirty.buffer, this.dirty.byteOffset + first, Math.ceil(this.ram.bytes / PAGE_BYTES / 4))
    let pages = 0
    // Four marks at a time: each is 0 or 1, and the sum of a word's bytes comes to its top.
    for (let i = 0; i < marks.length; i++) pages += Math.imul(marks[i] ?? 0, 0x01010101) >>> 24
    return Math.min(pages * PAGE_BYTES, this.ramBytes)
  }

  /** Pages of RAM that were filled past this class. */
  markTouched(offset: number, bytes: number): void {
    const first = Math.floor((this.ram.hostOffset + offset) / PAGE_BYTES)
    this.dirty.fill(1, first, first + Math.ceil(bytes / PAGE_BYTES))
  }

  takeDirty(block: MemoryBlock): Uint8Array {
    const first = block.hostOffset / PAGE_BYTES
    const count = Math.ceil(block.bytes / PAGE_BYTES)
    const marks = this.dirty.subarray(first, first + count)
    const taken = new Uint8Array(count)
    taken.set(marks)
    // A TLB entry that allows writes exists only for marked pages, so an unmarked block needs no flush.
    if (taken.includes(1)) {
      marks.fill(0)
      this.hooks.onDirtyCleared()
    }
    return taken
  }

  ranges(): readonly MappedRange[] {
    const ranges: MappedRange[] = []
    let page = 0
    while (page < PHYSMAP_PAGES) {
      const entry = (this.physmap[page] ?? 0) & ~PHYS_CODE
      if (entry === 0) {
        page++
        continue
      }
      const first = page
      const block = this.blockAt((entry & ~0xfff) >>> 0)
      do page++
      while (page < PHYSMAP_PAGES && ((this.physmap[page] ?? 0) & ~PHYS_CODE) >>> 0 === (entry >>> 0) + (page - first) * PAGE_BYTES)
      ranges.push({
        first: gpa(first * PAGE_BYTES),
        last: gpa(page * PAGE_BYTES - 1),
        block: block?.name ?? 'unknown',
        access: (entry & PHYS_WRITE) !== 0 ? 'read-write' : 'read',
      })
    }
    return ranges
  }

  private blockAt(host: number): MemoryBlock | undefined {
    return this.blocks.find((block) => host >= block.hostOffset && host < block.hostOffset + block.bytes)
  }

  // ---- access ----------------------------------------------------------------------------------------------------------------

  /** Physmap entry of the page, 0 where there is no memory or the address is out of range. */
  private entryAt(address: number): number {
    return this.physmap[Math.floor(address / PAGE_BYTES)] ?? 0
  }

  /** Host address of `bytes` readable bytes inside one page, or -1. */
  private readable(address: number, bytes: number): number {
    const inPage = address & 0xfff
    if (inPage + bytes > PAGE_BYTES) return -1
    const entry = this.entryAt(address)
    return (entry & PHYS_READ) === 0 ? -1 : ((entry & ~0xfff) >>> 0) + inPage
  }

  private writable(address: number, bytes: number): number {
    const inPage = address & 0xfff
    if (inPage + bytes > PAGE_BYTES) return -1
    const entry = this.entryAt(address)
    return (entry & PHYS_WRITE) === 0 ? -1 : ((entry & ~0xfff) >>> 0) + inPage
  }

  /** After `bytes` bytes of one page were written. */
  private written(address: number, host: number, bytes: number): void {
    this.dirty[host >>> 12] = 1
    if ((this.entryAt(address) & PHYS_CODE) !== 0) this.hooks.onCodeWritten(gpa(address), bytes)
  }

  readU8(address: Gpa): number {
    const host = this.readable(address, 1)
    return host < 0 ? 0xff : (this.bytes[host] ?? 0xff)
  }

  readU16(address: Gpa): number {
    const host = this.readable(address, 2)
    if (host >= 0) return this.view.getUint16(host, true)
    return this.readU8(address) | (this.readU8(gpa(address + 1)) << 8)
  }

  readU32(address: Gpa): number {
    const host = this.readable(address, 4)
    if (host >= 0) return this.view.getUint32(host, true)
    return (this.readU16(address) | (this.readU16(gpa(address + 2)) << 16)) >>> 0
  }

  readU64(address: Gpa): bigint {
    return BigInt(this.readU32(address)) | (BigInt(this.readU32(gpa(address + 4))) << 32n)
  }

  writeU8(address: Gpa, value: number): void {
    const host = this.writable(address, 1)
    if (host < 0) {
      this.droppedWrites++
      return
    }
    this.bytes[host] = value
    this.written(address, host, 1)
  }

  writeU16(address: Gpa, value: number): void {
    const host = this.writable(address, 2)
    if (host < 0) {
      this.writeU8(address, value & 0xff)
      this.writeU8(gpa(address + 1), (value >>> 8) & 0xff)
      return
    }
    this.view.setUint16(host, value, true)
    this.written(address, host, 2)
  }

  writeU32(address: Gpa, value: number): void {
    const host = this.writable(address, 4)
    if (host < 0) {
      this.writeU16(address, value & 0xffff)
      this.writeU16(gpa(address + 2), value >>> 16)
      return
    }
    this.view.setUint32(host, value, true)
    this.written(address, host, 4)
  }

  writeU64(address: Gpa, value: bigint): void {
    this.writeU32(address, Number(BigInt.asUintN(32, value)))
    this.writeU32(gpa(address + 4), Number(BigInt.asUintN(32, value >> 32n)))
  }

  read(address: Gpa, target: Uint8Array): void {
    for (let done = 0; done < target.length;) {
      const at = address + done
      const step = Math.min(target.length - done, PAGE_BYTES - (at & 0xfff))
      const host = this.readable(at, step)
      if (host < 0) target.fill(0xff, done, done + step)
      else target.set(this.bytes.subarray(host, host + step), done)
      done += step
    }
  }

  write(address: Gpa, source: Uint8Array): void {
    for (let done = 0; done < source.length;) {
      const at = address + done
      const step = Math.min(source.length - done, PAGE_BYTES - (at & 0xfff))
      const host = this.writable(at, step)
      if (host < 0) this.droppedWrites++
      else {
        this.bytes.set(source.subarray(done, done + step), host)
        this.written(at, host, step)
      }
      done += step
    }
  }

  fill(address: Gpa, bytes: number, value: number): void {
    // Nothing is mapped beyond the physmap; a hostile length must not make a long loop.
    const end = Math.min(address + bytes, PHYSMAP_PAGES * PAGE_BYTES)
    for (let at: number = address; at < end;) {
      const step = Math.min(end - at, PAGE_BYTES - (at & 0xfff))
      const host = this.writable(at, step)
      if (host < 0) this.droppedWrites++
      else {
        this.bytes.fill(value, host, host + step)
        this.written(at, host, step)
      }
      at += step
    }
  }

  discard(address: Gpa, bytes: number): void {
    const end = Math.min(address + bytes, PHYSMAP_PAGES * PAGE_BYTES)
    for (let at = Math.ceil(address / PAGE_BYTES) * PAGE_BYTES; at + PAGE_BYTES <= end; at += PAGE_BYTES) {
      const host = this.writable(at, PAGE_BYTES)
      if (host >= 0 && this.dirty[host >>> 12] === 1) this.fill(gpa(at), PAGE_BYTES, 0)
    }
  }

  views(address: Gpa, bytes: number): readonly Uint8Array[] | undefined {
    if (!(bytes >= 0) || address < 0 || address + bytes > PHYSMAP_PAGES * PAGE_BYTES) return undefined
    const pieces: { start: number; end: number }[] = []
    const end = address + bytes
    for (let at: number = address; at < end;) {
      const step = Math.min(end - at, PAGE_BYTES - (at & 0xfff))
      const host = this.writable(at, step)
      if (host < 0) return undefined
      const last = pieces[pieces.length - 1]
      if (last !== undefined && last.end === host) last.end = host + step
      else pieces.push({ start: host, end: host + step })
      at += step
    }
    return pieces.map((piece) => this.bytes.subarray(piece.start, piece.end))
  }

  finishWrite(address: Gpa, bytes: number): void {
    const end = Math.min(address + bytes, PHYSMAP_PAGES * PAGE_BYTES)
    for (let at: number = address; at < end;) {
      const step = Math.min(end - at, PAGE_BYTES - (at & 0xfff))
      const host = this.writable(at, step)
      if (host >= 0) this.written(at, host, step)
      at += step
    }
  }
}
