/** Guest memory of a lockstep machine: what devices, firmware and the chipset write or map is done to the follower's memory as well. */
import { DIRTY_MAP, PHYSMAP, PHYS_CODE, PHYS_READ } from '../cpu/layout'
import type { FollowerMemory } from '../cpu/engines/lockstep/create-lockstep'
import type { MemoryBlock } from '../memory/guest-memory'
import { GuestMemoryImpl, PAGE_BYTES } from '../memory/guest-memory-impl'
import type { Gpa } from '../support/branded'

/**
 * Not mirrored: what the VGA draws into its memory itself. Guests read that through the device, whose answers are recorded, or map it, which
 * copies it.
 */
export class LockstepMemory extends GuestMemoryImpl {
  private readonly leader: Uint8Array
  private readonly leaderMap: Uint32Array
  private readonly follower: Uint8Array
  private readonly followerMap: Uint32Array

  constructor(
    buffer: ArrayBufferLike,
    ramBytes: number,
    private readonly mirror: FollowerMemory,
  ) {
    super(buffer, ramBytes)
    this.leader = new Uint8Array(buffer)
    this.leaderMap = new Uint32Array(buffer, PHYSMAP)
    this.follower = new Uint8Array(mirror.memory.buffer)
    this.followerMap = new Uint32Array(mirror.memory.buffer, PHYSMAP)
  }

  override writeU8(address: Gpa, value: number): void {
    super.writeU8(address, value)
    this.noteWrite(address, 1)
  }
  override writeU16(address: Gpa, value: number): void {
    super.writeU16(address, value)
    this.noteWrite(address, 2)
  }
  override writeU32(address: Gpa, value: number): void {
    super.writeU32(address, value)
    this.noteWrite(address, 4)
  }
  override write(address: Gpa, source: Uint8Array): void {
    super.write(address, source)
    this.noteWrite(address, source.length)
  }
  override fill(address: Gpa, bytes: number, value: number): void {
    super.fill(address, bytes, value)
    this.noteWrite(address, bytes)
  }
  override finishWrite(address: Gpa, bytes: number): void {
    super.finishWrite(address, bytes)
    this.noteWrite(address, bytes)
  }
  override writeBlock(block: MemoryBlock, offset: number, byte: number): void {
    super.writeBlock(block, offset, byte)
    if (offset >= 0 && offset < block.bytes) this.copy(block.hostOffset + offset, 1)
  }
  /** The marks say what is to be compared. */
  override markTouched(): void {
    // see above
  }
  override map(address: Gpa, block: MemoryBlock, offset: number, bytes: number): void {
    super.map(address, block, offset, bytes)
    // the constructor of the memory itself maps RAM, before there is anything to mirror
    if (this.follower === undefined) return
    if (block !== this.ram) this.copy(block.hostOffset + offset, bytes)
    this.mapped(address, bytes)
  }
  override unmap(address: Gpa, bytes: number): void {
    super.unmap(address, bytes)
    this.mapped(address, bytes)
  }

  /** Guest-physical bytes were written. */
  private noteWrite(address: number, bytes: number): void {
    const end = Math.min(address + bytes, this.leaderMap.length * PAGE_BYTES)
    for (let at = address; at < end;) {
      const step = Math.min(end - at, PAGE_BYTES - (at % PAGE_BYTES))
      const entry = this.leaderMap[Math.floor(at / PAGE_BYTES)] ?? 0
      if ((entry & PHYS_READ) !== 0) {
        const place = at
        this.mirror.effect(() => this.mirror.dropCode(place, step))
        this.copy(((entry & ~(PAGE_BYTES - 1)) >>> 0) + (at % PAGE_BYTES), step)
      }
      at += step
    }
  }

  /** Bytes of linear memory. */
  private copy(host: number, bytes: number): void {
    const data = this.leader.slice(host, host + bytes)
    this.mirror.effect(() => {
      this.follower.set(data, host)
      this.follower.fill(1, DIRTY_MAP + Math.floor(host / PAGE_BYTES), DIRTY_MAP + Math.floor((host + bytes - 1) / PAGE_BYTES) + 1)
    })
  }

  private mapped(address: number, bytes: number): void {
    const first = address / PAGE_BYTES
    const entries = this.leaderMap.slice(first, first + bytes / PAGE_BYTES)
    this.mirror.effect(() => {
      this.mirror.dropCode(address, bytes)
      entries.forEach((entry, i) => (this.followerMap[first + i] = entry & ~PHYS_CODE))
    })
  }
}
