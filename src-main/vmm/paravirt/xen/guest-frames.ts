/**
 * Which guest frame shows what: RAM, a page of ours (shared info, grant table, rings), or nothing, where the guest has given a page back. The pages of ours
 * are a block of their own behind RAM, so that no address of the guest's can reach anything else through them.
 */
import type { GuestMemory, MemoryBlock, PhysicalMap } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'

export const PAGE_BYTES = 0x1000
const HIGH_RAM_FRAME = 0x100000
/** Video memory and ROMs of a PC: the chipset's. */
const LEGACY_FIRST = 0xa0
const LEGACY_LAST = 0xff

/** Guest memory as far as frames can be moved about in it. */
export interface FrameMemory extends GuestMemory, PhysicalMap {
  readonly ram: MemoryBlock
  isFree(address: ReturnType<typeof gpa>, bytes: number): boolean
  allocateBlock(name: string, bytes: number, kind: MemoryBlock['kind']): MemoryBlock
  blockBytes(block: MemoryBlock): Uint8Array
}

export interface FramesState {
  /** Frame at which each page of ours shows, -1: nowhere. */
  readonly shown: readonly number[]
  /** A bit for each page of RAM that was given back. */
  readonly away: Uint8Array
}

export class GuestFrames {
  private readonly block: MemoryBlock
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly shown: number[]
  private readonly pageAt = new Map<number, number>()
  private away: Uint8Array
  private awayCount = 0
  private readonly lowFrames: number
  private readonly ramFrames: number

  constructor(
    private readonly memory: FrameMemory,
    readonly pages: number,
  ) {
    this.block = memory.allocateBlock('xen', pages * PAGE_BYTES, 'ram')
    this.bytes = memory.blockBytes(this.block)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
    this.shown = new Array<number>(pages).fill(-1)
    this.lowFrames = memory.lowRamBytes / PAGE_BYTES
    this.ramFrames = memory.ramBytes / PAGE_BYTES
    this.away = new Uint8Array(Math.ceil(this.ramFrames / 8))
  }

  // ---- RAM -------------------------------------------------------------------------------------------------------------------------

  /** Pages of RAM that the guest has now, and at most. */
  get present(): number {
    return this.ramFrames - this.awayCount
  }
  get most(): number {
    return this.ramFrames
  }
  /** The highest frame of RAM. */
  get lastFrame(): number {
    return this.ramFrames > this.lowFrames ? HIGH_RAM_FRAME + this.ramFrames - this.lowFrames - 1 : this.ramFrames - 1
  }

  /** Page number inside RAM, or -1. */
  private ramPage(frame: number): number {
    if (frame < this.lowFrames) return frame >= LEGACY_FIRST && frame <= LEGACY_LAST ? -1 : frame
    const page = frame - HIGH_RAM_FRAME + this.lowFrames
    return frame >= HIGH_RAM_FRAME && page < this.ramFrames ? page : -1
  }

  private isAway(page: number): boolean {
    return ((this.away[page >> 3] ?? 0) & (1 << (page & 7))) !== 0
  }

  private setAway(page: number, away: boolean): void {
    if (this.isAway(page) === away) return
    this.away[page >> 3] = (this.away[page >> 3] ?? 0) ^ (1 << (page & 7))
    this.awayCount += away ? 1 : -1
  }

  /** The guest gives a page back. False: there is none. */
  release(frame: number): boolean {
    const own = this.pageAt.get(frame)
    if (own !== undefined) {
      this.hide(own)
      return true
    }
    const page = this.ramPage(frame)
    if (page < 0 || this.isAway(page)) return false
    this.setAway(page, true)
    this.memory.unmap(gpa(frame * PAGE_BYTES), PAGE_BYTES)
    return true
  }

  /** The guest takes a page back, empty. False: it is not one that was given back. */
  populate(frame: number): boolean {
    const page = this.ramPage(frame)
    if (page < 0 || !this.isAway(page) || this.pageAt.has(frame)) return false
    this.setAway(page, false)
    this.memory.map(gpa(frame * PAGE_BYTES), this.memory.ram, page * PAGE_BYTES, PAGE_BYTES)
    this.memory.fill(gpa(frame * PAGE_BYTES), PAGE_BYTES, 0)
    return true
  }

  // ---- pages of ours ---------------------------------------------------------------------------------------------------------------

  /** Makes a page of ours show at a frame, where it takes the place of RAM. False: something else is there. */
  show(page: number, frame: number): boolean {
    const old = this.pageAt.get(frame)
    if (old === page) return true
    const ram = this.ramPage(frame)
    const address = gpa(frame * PAGE_BYTES)
    if (old === undefined && ram < 0 && !this.memory.isFree(address, PAGE_BYTES)) return false
    if (old !== undefined) this.hide(old)
    this.hide(page)
    if (ram >= 0) this.setAway(ram, true)
    this.shown[page] = frame
    this.pageAt.set(frame, page)
    this.memory.map(address, this.block, page * PAGE_BYTES, PAGE_BYTES)
    return true
  }

  /** Frame at which a page shows, -1: nowhere. */
  frameOf(page: number): number {
    return this.shown[page] ?? -1
  }

  /** Page of ours that shows at a frame. */
  ownPage(frame: number): number | undefined {
    return this.pageAt.get(frame)
  }

  hide(page: number): void {
    const frame = this.frameOf(page)
    if (frame < 0) return
    this.shown[page] = -1
    this.pageAt.delete(frame)
    this.memory.unmap(gpa(frame * PAGE_BYTES), PAGE_BYTES)
  }

  clear(page: number): void {
    const frame = this.frameOf(page)
    if (frame >= 0) this.memory.fill(gpa(frame * PAGE_BYTES), PAGE_BYTES, 0)
    else this.bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  }

  readU8(page: number, offset: number): number {
    return this.view.getUint8(page * PAGE_BYTES + offset)
  }
  readU16(page: number, offset: number): number {
    return this.view.getUint16(page * PAGE_BYTES + offset, true)
  }
  readU32(page: number, offset: number): number {
    return this.view.getUint32(page * PAGE_BYTES + offset, true)
  }
  read(page: number, offset: number, target: Uint8Array): void {
    const from = page * PAGE_BYTES + offset
    target.set(this.bytes.subarray(from, from + target.length))
  }
  writeU8(page: number, offset: number, value: number): void {
    this.write(page, offset, Uint8Array.of(value))
  }
  writeU16(page: number, offset: number, value: number): void {
    this.write(page, offset, Uint8Array.of(value, value >>> 8))
  }
  writeU32(page: number, offset: number, value: number): void {
    const frame = this.frameOf(page)
    if (frame >= 0) this.memory.writeU32(gpa(frame * PAGE_BYTES + offset), value >>> 0)
    else this.view.setUint32(page * PAGE_BYTES + offset, value, true)
  }
  /** Where the guest sees the page, its code must hear of the write. */
  write(page: number, offset: number, source: Uint8Array): void {
    const frame = this.frameOf(page)
    if (frame >= 0) this.memory.write(gpa(frame * PAGE_BYTES + offset), source)
    else this.bytes.set(source, page * PAGE_BYTES + offset)
  }

  // ---- reset, saved state ----------------------------------------------------------------------------------------------------------

  /** All RAM is back, no page of ours shows. */
  reset(): void {
    for (let page = 0; page < this.pages; page++) {
      this.hide(page)
      this.clear(page)
    }
    for (let page = 0; page < this.ramFrames && this.awayCount > 0; page++) {
      if (!this.isAway(page)) continue
      this.setAway(page, false)
      this.memory.map(gpa(this.frameOfRam(page) * PAGE_BYTES), this.memory.ram, page * PAGE_BYTES, PAGE_BYTES)
    }
  }

  private frameOfRam(page: number): number {
    return page < this.lowFrames ? page : page - this.lowFrames + HIGH_RAM_FRAME
  }

  save(): FramesState {
    return { shown: [...this.shown], away: this.away.slice() }
  }

  /** What the pages hold is saved with all memory; here only where they show. */
  load(state: FramesState): void {
    const contents = this.bytes.slice()
    this.reset()
    this.bytes.set(contents)
    for (let page = 0; page < this.ramFrames; page++) {
      if (((state.away[page >> 3] ?? 0) & (1 << (page & 7))) === 0) continue
      this.setAway(page, true)
      this.memory.unmap(gpa(this.frameOfRam(page) * PAGE_BYTES), PAGE_BYTES)
    }
    state.shown.slice(0, this.pages).forEach((frame, page) => {
      if (Number.isInteger(frame) && frame >= 0) this.show(page, frame)
    })
  }
}
