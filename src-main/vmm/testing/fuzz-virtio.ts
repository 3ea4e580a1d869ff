/**
 * A hostile driver for virtio devices, behind their real transports: rings full of nonsense and of almost sense, any configuration access, notifications
 * and resets at any time, while the host's work finishes in any order. Seeded: the same seed does the same. What it looks for are exceptions, accesses that
 * take too long, host work without bound, memory that is not the guest's written to, and devices that do not recover by a reset.
 */
import type { PciDevice } from '../bus/pci/pci-device'
import type { Claim, MmioHandler, SavedState, Width } from '../devices/device'
import { VirtioMmio } from '../devices/virtio/transport/virtio-mmio'
import { VirtioPci } from '../devices/virtio/transport/virtio-pci'
import type { VirtioCore } from '../devices/virtio/transport/virtio-core'
import { VERSION_1 } from '../devices/virtio/transport/registers'
import type { VirtioDevice } from '../devices/virtio/virtio-device'
import * as ring from '../devices/virtio/virtqueue/layout'
import { DIRTY_MAP, RAM_BASE } from '../cpu/layout'
import type { GuestMemoryImpl } from '../memory/guest-memory-impl'
import { gpa } from '../support/branded'
import type { Random } from './random'
import { testMemory, type TestGate } from './virtio-driver'

/** A request that a device in order answers. */
export interface GoodRequest {
  readonly queue: number
  readonly out: readonly Uint8Array[]
  readonly room: readonly number[]
}

export interface FuzzTarget {
  readonly name: string
  /** A new device each time. */
  readonly make: (gate: TestGate) => VirtioDevice
  readonly good: GoodRequest
}

export interface VirtioFuzzReport {
  readonly accesses: number
  readonly rounds: number
  /** Rounds in which the device told the driver to reset it. */
  readonly failures: number
  /** The single access that took longest, in milliseconds of the processor, and what it was. */
  readonly slowest: { readonly ms: number; readonly what: string }
  /** The most host requests seen at a time. */
  readonly mostPending: number
}

const RAM_BYTES = 0x400000
const RINGS = 0x10000
const RING_SPACE = 0x8000
const AVAILABLE = 0x4000
const USED = 0x5000
const GOOD_BUFFERS = 0x300000
/** Above the marks of written pages, which are written to. */
const DIRTY_MAP_BYTES = 0x100000
const STEPS_A_ROUND = 120
const STATUS_READY = 0xb
const STATUS_LIVE = 0xf
const WIDTHS: readonly Width[] = [1, 2, 4]

interface Target extends MmioHandler {
  readonly core: VirtioCore
  reset(): void
  save(): SavedState
}

export class VirtioFuzzer {
  private readonly memory: GuestMemoryImpl = testMemory(RAM_BYTES)
  private readonly transport: Target
  /** Everything that a driver may reach: registers, tables. */
  private readonly handlers: readonly { readonly name: string; readonly bytes: number; readonly handler: MmioHandler }[]
  private readonly outside: readonly Buffer[]
  private accesses = 0
  private rounds = 0
  private failures = 0
  private slowest = { ms: 0, what: '' }
  private mostPending = 0

  constructor(
    private readonly target: FuzzTarget,
    private readonly random: Random,
    private readonly gate: TestGate,
    kind: 'pci' | 'mmio',
  ) {
    const device = target.make(gate)
    const line = { setLevel: (): void => undefined }
    if (kind === 'mmio') {
      const mmio = new VirtioMmio(device, { memory: this.memory, base: 0xfeb00000, irq: line })
      this.transport = mmio
      this.handlers = mmio.claims.flatMap((claim: Claim) => (claim.kind === 'mmio' ? [{ name: 'registers', bytes: claim.last - claim.first + 1, handler: claim.handler }] : []))
    } else {
      const pci = new VirtioPci(device, { memory: this.memory, intx: line, msi: { send: () => undefined } })
      pci.pciCommandChanged(6)
      this.transport = pci
      this.handlers = (pci as PciDevice).pciBars.flatMap((bar) => (bar.kind === 'mmio' ? [{ name: bar.name, bytes: bar.bytes, handler: bar.handler }] : []))
    }
    this.transport.reset()
    this.outside = this.outsideOfRam().map((part) => Buffer.from(part))
  }

  /** Rounds of hostility, each followed by a reset after which the device must work; `until` says when to stop. */
  async run(rounds: number, until: () => boolean = () => false): Promise<VirtioFuzzReport> {
    for (let i = 0; i < rounds && !until(); i++) {
      await this.round()
      this.rounds++
    }
    const { accesses, failures, slowest, mostPending } = this
    return { accesses, rounds: this.rounds, failures, slowest, mostPending }
  }

  private async round(): Promise<void> {
    const { random, gate, transport } = this
    this.begin(random.chance(80) ? this.someFeatures() : transport.core.offered)
    for (let step = 0; step < STEPS_A_ROUND; step++) {
      this.step()
      this.mostPending = Math.max(this.mostPending, gate.pending.length)
      if (gate.pending.length > 0 && random.chance(30)) await gate.finish(random.below(gate.pending.length))
    }
    if (transport.core.failure !== undefined) this.failures++
    // Whatever state that is, it can be saved.
    JSON.stringify(transport.save())
    await this.recovers()
    if (this.outsideOfRam().some((part, i) => this.outside[i]?.equals(part) !== true)) throw new Error(`${this.target.name}: memory that is not the guest's was written to`)
  }

  private async recovers(): Promise<void> {
    const { gate, target, transport } = this
    await gate.settle()
    this.begin(transport.core.offered)
    const { queue, out, room } = target.good
    const parts = [...out.map((bytes) => ({ bytes, length: bytes.length })), ...room.map((length) => ({ bytes: undefined, length }))]
    let at = GOOD_BUFFERS
    parts.forEach(({ bytes, length }, i) => {
      if (bytes) this.memory.write(gpa(at), bytes)
      this.describe(queue, i, at, length, (bytes ? 0 : ring.DESC_F_WRITE) | (i === parts.length - 1 ? 0 : ring.DESC_F_NEXT), i + 1)
      at += length
    })
    this.memory.writeU16(gpa(this.at(queue) + AVAILABLE + ring.AVAIL_RING), 0)
    this.memory.writeU16(gpa(this.at(queue) + AVAILABLE + ring.AVAIL_INDEX), 1)
    this.notify(queue)
    for (let turn = 0; turn < 100 && this.usedIndex(queue) === 0; turn++) await gate.settle()
    if (this.usedIndex(queue) !== 1) throw new Error(`${target.name}: a good request after a reset is not answered (${transport.core.failure ?? 'it has not failed'})`)
  }

  // ---- a driver as it should be -----------------------------------------------------------------------------------------------------

  /** Takes the device into use, by registers; rings are empty. */
  private begin(features: bigint): void {
    const { core } = this.transport
    this.timed('reset', () => core.writeStatus(0))
    if (core.status !== 0 || core.failure !== undefined) throw new Error(`${this.target.name}: is not reset`)
    core.writeStatus(3)
    core.agree(0, Number(BigInt.asUintN(32, features)))
    core.agree(1, Number(BigInt.asUintN(32, (features | VERSION_1) >> 32n)))
    core.writeStatus(STATUS_READY)
    for (const { index, addresses, ...queue } of core.queues.map((queue) => ({ index: queue.index, addresses: queue.addresses, enable: () => queue.enable() }))) {
      this.memory.fill(gpa(this.at(index)), RING_SPACE, 0)
      Object.assign(addresses, { descriptors: this.at(index), available: this.at(index) + AVAILABLE, used: this.at(index) + USED })
      queue.enable()
    }
    this.timed('DRIVER_OK', () => core.writeStatus(STATUS_LIVE))
  }

  private someFeatures(): bigint {
    return this.transport.core.offered & (this.random.u64() | VERSION_1)
  }

  private at(queue: number): number {
    return RINGS + queue * RING_SPACE
  }

  private usedIndex(queue: number): number {
    return this.memory.readU16(gpa(this.at(queue) + USED + ring.USED_INDEX))
  }

  private describe(queue: number, index: number, address: number, bytes: number, flags: number, next: number): void {
    this.putDescriptor(this.at(queue) + index * ring.DESCRIPTOR_BYTES, address, bytes, flags, next)
  }

  private putDescriptor(at: number, address: number, bytes: number, flags: number, next: number): void {
    this.memory.writeU64(gpa(at), BigInt.asUintN(64, BigInt(address)))
    this.memory.writeU32(gpa(at + ring.DESC_LENGTH), bytes)
    this.memory.writeU16(gpa(at + ring.DESC_FLAGS), flags)
    this.memory.writeU16(gpa(at + ring.DESC_NEXT), next)
  }

  private notify(queue: number): void {
    this.timed(`notification of queue ${queue}`, () => this.transport.core.notify(queue))
  }

  // ---- a driver as it should not be --------------------------------------------------------------------------------------------------

  private step(): void {
    const { random } = this
    // Dead queues have nothing more to find.
    if (this.transport.core.failure !== undefined && random.chance(25)) return this.begin(this.someFeatures())
    const kind = random.below(100)
    if (kind < 40) this.chain()
    else if (kind < 60) this.notify(this.anyQueue())
    else if (kind < 75) this.register()
    else if (kind < 85) this.configuration()
    else if (kind < 90) this.nonsense()
    else if (kind < 94) this.jump()
    else if (kind < 96) this.begin(this.someFeatures())
    else this.status()
  }

  private anyQueue(): number {
    const { length } = this.transport.core.queues
    return this.random.below(10) === 0 ? this.random.below(0x10000) : this.random.below(length)
  }

  /** A chain of some descriptors, mostly one that could be meant; then it is made available. */
  private chain(): void {
    const { random } = this
    const queue = random.below(this.transport.core.queues.length)
    const size = this.transport.core.queues[queue]?.wantedSize ?? 1
    const head = random.below(size)
    const indirect = random.chance(20)
    const count = 1 + random.below(random.chance(90) ? 5 : 40)
    const table = indirect ? GOOD_BUFFERS + 0x80000 : this.at(queue)
    const firstWritable = random.below(count + 1)
    for (let i = 0; i < count; i++) {
      const index = indirect ? i : (head + i) % size
      const isLast = i === count - 1
      const flags = random.chance(95) ? (i >= firstWritable ? ring.DESC_F_WRITE : 0) | (isLast ? 0 : ring.DESC_F_NEXT) : random.below(16)
      this.putDescriptor(table + index * ring.DESCRIPTOR_BYTES, this.address(), this.bytes(), flags, random.chance(97) ? (indirect ? i + 1 : (head + i + 1) % size) : random.below(0x10000))
      if (!indirect || i > 0) this.small(index, table)
    }
    if (indirect) this.describe(queue, head, table, random.chance(95) ? count * ring.DESCRIPTOR_BYTES : random.u32(), ring.DESC_F_INDIRECT | (random.chance(97) ? 0 : ring.DESC_F_NEXT), 0)
    const available = this.at(queue) + AVAILABLE
    const index = this.memory.readU16(gpa(available + ring.AVAIL_INDEX))
    this.memory.writeU16(gpa(available + ring.AVAIL_RING + 2 * (index % size)), random.chance(98) ? head : random.below(0x10000))
    this.memory.writeU16(gpa(available + ring.AVAIL_INDEX), index + 1)
    if (random.chance(70)) this.notify(queue)
  }

  /** Requests begin with small numbers: types, sectors, ports. */
  private small(index: number, table: number): void {
    const address = this.memory.readU32(gpa(table + index * ring.DESCRIPTOR_BYTES))
    if (address + 16 > RAM_BYTES || !this.random.chance(60)) return
    for (let i = 0; i < 4; i++) this.memory.writeU32(gpa(address + 4 * i), this.random.below(this.random.chance(80) ? 20 : 0x100000000))
  }

  private address(): number {
    const { random } = this
    if (random.chance(90)) return 0x200000 + random.below(0x80000)
    if (random.chance(50)) return RAM_BYTES - random.below(0x2000)
    return random.chance(50) ? random.u32() : random.u32() * 0x100000
  }

  private bytes(): number {
    const { random } = this
    if (random.chance(85)) return random.pick([1, 4, 8, 12, 16, 24, 512, 4096, 0x10000])
    return random.chance(70) ? random.below(0x400000) : random.u32()
  }

  private register(): void {
    const { random } = this
    const { name, bytes, handler } = random.pick(this.handlers)
    const width = random.pick(WIDTHS)
    // Most of the registers stand at the start.
    const offset = random.below(random.chance(60) ? Math.min(bytes, 0x100) : bytes - 4)
    const at = Math.min(offset - (offset % width), bytes - width)
    if (random.chance(50)) this.timed(`read of ${name}+${at.toString(16)}h`, () => void handler.mmioRead(at, width))
    else {
      const value = random.chance(50) ? random.below(16) : random.u32()
      this.timed(`write to ${name}+${at.toString(16)}h`, () => void handler.mmioWrite(at, width, width === 4 ? value : value & (width === 2 ? 0xffff : 0xff)))
    }
  }

  private configuration(): void {
    const { random } = this
    const { core } = this.transport
    const width = random.pick(WIDTHS)
    const offset = random.below(core.device.configBytes + 8)
    if (random.chance(50)) this.timed('read of the configuration', () => void core.configRead(offset, width))
    else this.timed('write to the configuration', () => void core.configWrite(offset, width, width === 4 ? random.u32() : random.below(2 ** (8 * width))))
  }

  /** Anywhere in a queue's parts. */
  private nonsense(): void {
    const { random } = this
    const at = this.at(random.below(this.transport.core.queues.length)) + random.below(RING_SPACE - 64)
    this.memory.write(gpa(at), Uint8Array.from({ length: 1 + random.below(64) }, () => random.below(256)))
  }

  private jump(): void {
    const { random } = this
    const queue = random.below(this.transport.core.queues.length)
    this.memory.writeU16(gpa(this.at(queue) + AVAILABLE + ring.AVAIL_INDEX), random.below(0x10000))
    this.notify(queue)
  }

  private status(): void {
    const value = this.random.below(256)
    this.timed(`status ${value}`, () => this.transport.core.writeStatus(value))
  }

  private timed(what: string, work: () => void): void {
    this.accesses++
    // Not of the clock on the wall: a busy host takes the processor away for as long as it likes.
    const start = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(start)
    const ms = (user + system) / 1000
    if (ms > this.slowest.ms) this.slowest = { ms, what: `${this.target.name}: ${what}` }
  }

  /** What stands below RAM: the map of memory, the processor's own, without the marks of written pages. */
  private outsideOfRam(): readonly Buffer[] {
    const { buffer } = this.memory.blockBytes(this.memory.ram)
    const marksEnd = Math.min(DIRTY_MAP + DIRTY_MAP_BYTES, RAM_BASE)
    return [Buffer.from(buffer, 0, Math.min(DIRTY_MAP, RAM_BASE)), Buffer.from(buffer, marksEnd, RAM_BASE - marksEnd)]
  }
}
