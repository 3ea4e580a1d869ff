/**
 * The page that guest and hypervisor share: pending events, wall clock, and a vcpu_info that the guest may move elsewhere. Layouts of 64-bit and 32-bit
 * guests: xen/include/public/xen.h (struct shared_info, struct vcpu_info), arch-x86/xen.h.
 */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import { type GuestFrames, PAGE_BYTES } from './guest-frames'
import type { WordBytes } from './guest-struct'

interface SharedLayout {
  /** Bits of a word of evtchn_pending: as many words as that there are. */
  readonly wordBits: number
  readonly pending: number
  readonly mask: number
  /** wc_version, wc_sec, wc_nsec follow each other. */
  readonly wallClock: number
  readonly wallClockHigh: number
  /** Inside vcpu_info. */
  readonly selector: number
}
const LAYOUTS: Readonly<Record<WordBytes, SharedLayout>> = {
  8: { wordBits: 64, pending: 2048, mask: 2560, wallClock: 3072, wallClockHigh: 3084, selector: 8 },
  4: { wordBits: 32, pending: 2048, mask: 2176, wallClock: 2304, wallClockHigh: 2340, selector: 4 },
}
export const VCPU_INFO_BYTES = 64
const UPCALL_PENDING = 0
const VCPU_TIME = 32
/** Page of GuestFrames. */
export const SHARED_INFO_PAGE = 0

export interface SharedInfoState {
  readonly word: number
  /** Guest-physical address of the vCPU's vcpu_info outside the page; -1: in it. */
  readonly vcpuInfo: number
}

export class SharedInfo {
  private layout: SharedLayout = LAYOUTS[8]
  private word: WordBytes = 8
  private vcpuInfo = -1

  constructor(
    private readonly frames: GuestFrames,
    private readonly memory: GuestMemory,
  ) {}

  /** How wide the guest's longs are: by the mode in which it asks for its hypercall page. */
  setWord(word: WordBytes): void {
    this.word = word
    this.layout = LAYOUTS[word]
  }

  /** Event channels that fit. */
  get ports(): number {
    return this.layout.wordBits * this.layout.wordBits
  }

  isPending(port: number): boolean {
    return this.bit(this.layout.pending, port)
  }
  isMasked(port: number): boolean {
    return this.bit(this.layout.mask, port)
  }
  setPending(port: number, pending: boolean): void {
    this.setBit(this.layout.pending, port, pending)
  }
  setMasked(port: number, masked: boolean): void {
    this.setBit(this.layout.mask, port, masked)
  }

  private bit(base: number, port: number): boolean {
    return (this.frames.readU8(SHARED_INFO_PAGE, base + (port >> 3)) & (1 << (port & 7))) !== 0
  }
  private setBit(base: number, port: number, on: boolean): void {
    const at = base + (port >> 3)
    const old = this.frames.readU8(SHARED_INFO_PAGE, at)
    const next = on ? old | (1 << (port & 7)) : old & ~(1 << (port & 7))
    if (next !== old) this.frames.writeU8(SHARED_INFO_PAGE, at, next)
  }

  // ---- vcpu_info of the one vCPU ---------------------------------------------------------------------------------------------------

  private readVcpu(offset: number): number {
    return this.vcpuInfo < 0 ? this.frames.readU8(SHARED_INFO_PAGE, offset) : this.memory.readU8(gpa(this.vcpuInfo + offset))
  }
  private writeVcpu(offset: number, data: Uint8Array): void {
    if (this.vcpuInfo < 0) this.frames.write(SHARED_INFO_PAGE, offset, data)
    else this.memory.write(gpa(this.vcpuInfo + offset), data)
  }

  get upcallPending(): boolean {
    return this.readVcpu(UPCALL_PENDING) !== 0
  }
  set upcallPending(pending: boolean) {
    this.writeVcpu(UPCALL_PENDING, Uint8Array.of(pending ? 1 : 0))
  }

  /** Marks the port's word in evtchn_pending_sel. False: it was marked already. */
  select(port: number): boolean {
    const word = Math.floor(port / this.layout.wordBits)
    const at = this.layout.selector + (word >> 3)
    const old = this.readVcpu(at)
    const next = old | (1 << (word & 7))
    if (next === old) return false
    this.writeVcpu(at, Uint8Array.of(next))
    return true
  }

  get movedVcpuInfo(): boolean {
    return this.vcpuInfo >= 0
  }

  /** Moves vcpu_info to a place in guest memory. False: the place is not RAM, or crosses a page. */
  moveVcpuInfo(frame: number, offset: number): boolean {
    const address = frame * PAGE_BYTES + offset
    if (offset > PAGE_BYTES - VCPU_INFO_BYTES || !this.memory.views(gpa(address), VCPU_INFO_BYTES)) return false
    const contents = Uint8Array.from({ length: VCPU_INFO_BYTES }, (_, i) => this.readVcpu(i))
    this.vcpuInfo = address
    this.writeVcpu(0, contents)
    return true
  }

  writeTime(record: Uint8Array): void {
    this.writeVcpu(VCPU_TIME, record)
  }

  // ---- wall clock: the time at which the system time was 0 -------------------------------------------------------------------------

  writeWallClock(epochNs: bigint): void {
    const { wallClock, wallClockHigh } = this.layout
    const seconds = epochNs / 1_000_000_000n
    const version = this.frames.readU32(SHARED_INFO_PAGE, wallClock)
    // odd while it changes; even and another after it
    this.frames.writeU32(SHARED_INFO_PAGE, wallClock, (version | 1) >>> 0)
    this.frames.writeU32(SHARED_INFO_PAGE, wallClock + 4, Number(seconds & 0xffffffffn))
    this.frames.writeU32(SHARED_INFO_PAGE, wallClock + 8, Number(epochNs % 1_000_000_000n))
    this.frames.writeU32(SHARED_INFO_PAGE, wallClockHigh, Number(seconds >> 32n))
    this.frames.writeU32(SHARED_INFO_PAGE, wallClock, ((version | 1) + 1) >>> 0)
  }

  reset(): void {
    this.setWord(8)
    this.vcpuInfo = -1
  }

  save(): SharedInfoState {
    return { word: this.word, vcpuInfo: this.vcpuInfo }
  }

  load({ word, vcpuInfo }: SharedInfoState): void {
    this.setWord(word === 4 ? 4 : 8)
    this.vcpuInfo = Number.isSafeInteger(vcpuInfo) ? vcpuInfo : -1
  }
}
