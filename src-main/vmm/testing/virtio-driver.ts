/**
 * The driver's side of virtio for tests of devices: memory with rings in it, a device behind a bare transport, requests made and answers taken. OASIS
 * VIRTIO 1.2, 2.7 and 3.1.
 */
import type { CompletionGate, Outcome } from '../backends/completion-gate'
import { VirtioCore } from '../devices/virtio/transport/virtio-core'
import { STATUS_ACKNOWLEDGE, STATUS_DRIVER, STATUS_DRIVER_OK, STATUS_FEATURES_OK, STATUS_NEEDS_RESET, VERSION_1 } from '../devices/virtio/transport/registers'
import type { VirtioDevice } from '../devices/virtio/virtio-device'
import * as ring from '../devices/virtio/virtqueue/layout'
import { GuestMemoryImpl } from '../memory/guest-memory-impl'
import { RAM_BASE } from '../cpu/layout'
import { gpa } from '../support/branded'

const RAM_BYTES = 0x400000
const RINGS = 0x10000
const RING_SPACE = 0x8000
const BUFFERS = 0x100000

export interface UsedBuffer {
  readonly head: number
  readonly written: number
}

/** What is written for the device, and how much room there is for its answer. */
export interface Request {
  readonly out?: readonly Uint8Array[]
  readonly room?: readonly number[]
}

export interface Placed {
  readonly head: number
  /** Where the device's answer goes. */
  readonly answer: readonly { readonly address: number; readonly bytes: number }[]
}

export class VirtioDriver {
  readonly memory: GuestMemoryImpl
  readonly core: VirtioCore
  /** Interrupts by queue; 'config' for changes of the configuration. */
  readonly interrupts: (number | 'config')[] = []
  private readonly nextDescriptor: number[]
  private readonly takenUsed: number[]
  private nextBuffer = BUFFERS

  constructor(
    readonly device: VirtioDevice,
    memory: GuestMemoryImpl = testMemory(),
  ) {
    this.memory = memory
    this.core = new VirtioCore(device, memory, { queueInterrupt: (queue) => this.interrupts.push(queue), configInterrupt: () => this.interrupts.push('config') })
    this.nextDescriptor = device.queueSizes.map(() => 0)
    this.takenUsed = device.queueSizes.map(() => 0)
  }

  /** Agrees to the features and takes all queues into use; false: the device refuses the features. */
  start(features: bigint = this.device.features | ring.RING_INDIRECT_DESC): boolean {
    const { core } = this
    core.writeStatus(0)
    core.writeStatus(STATUS_ACKNOWLEDGE | STATUS_DRIVER)
    const wanted = features | VERSION_1
    core.agree(0, Number(BigInt.asUintN(32, wanted)))
    core.agree(1, Number(wanted >> 32n))
    core.writeStatus(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK)
    if ((core.status & STATUS_FEATURES_OK) === 0) return false
    this.nextDescriptor.fill(0)
    this.takenUsed.fill(0)
    for (const queue of core.queues) {
      Object.assign(queue.addresses, this.places(queue.index))
      this.memory.fill(gpa(this.places(queue.index).descriptors), RING_SPACE, 0)
      queue.enable()
    }
    core.writeStatus(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK)
    return true
  }

  get failed(): boolean {
    return (this.core.status & STATUS_NEEDS_RESET) !== 0
  }

  /** Where the parts of a queue are. */
  places(queue: number): { readonly descriptors: number; readonly available: number; readonly used: number } {
    const at = RINGS + queue * RING_SPACE
    return { descriptors: at, available: at + 0x4000, used: at + 0x5000 }
  }

  /** Room of the test's own in guest memory. */
  allocate(bytes: number): number {
    const at = this.nextBuffer
    this.nextBuffer = Math.ceil((at + bytes) / 16) * 16
    if (this.nextBuffer > RAM_BYTES) throw new Error('the test has used up its memory')
    return at
  }

  /** Puts a request into a queue, without telling the device. */
  offer(queue: number, { out = [], room = [] }: Request): Placed {
    const parts = [
      ...out.map((bytes) => {
        const address = this.allocate(bytes.length)
        this.memory.write(gpa(address), bytes)
        return { address, bytes: bytes.length, writable: false }
      }),
      ...room.map((bytes) => ({ address: this.allocate(bytes), bytes, writable: true })),
    ]
    const head = this.nextDescriptor[queue] ?? 0
    parts.forEach(({ address, bytes, writable }, i) => {
      const isLast = i === parts.length - 1
      this.writeDescriptor(queue, head + i, address, bytes, (writable ? ring.DESC_F_WRITE : 0) | (isLast ? 0 : ring.DESC_F_NEXT), head + i + 1)
    })
    this.nextDescriptor[queue] = head + parts.length
    this.makeAvailable(queue, head)
    return { head, answer: parts.filter(({ writable }) => writable) }
  }

  writeDescriptor(queue: number, index: number, address: number, bytes: number, flags: number, next: number): void {
    const size = this.core.queues[queue]?.wantedSize ?? 1
    const at = this.places(queue).descriptors + (index % size) * ring.DESCRIPTOR_BYTES
    this.memory.writeU64(gpa(at), BigInt(address))
    this.memory.writeU32(gpa(at + ring.DESC_LENGTH), bytes)
    this.memory.writeU16(gpa(at + ring.DESC_FLAGS), flags)
    this.memory.writeU16(gpa(at + ring.DESC_NEXT), next % size)
  }

  /** Puts any head into the available ring. */
  makeAvailable(queue: number, head: number): void {
    const { available } = this.places(queue)
    const size = this.core.queues[queue]?.wantedSize ?? 1
    const index = this.memory.readU16(gpa(available + ring.AVAIL_INDEX))
    this.memory.writeU16(gpa(available + ring.AVAIL_RING + 2 * (index % size)), head % size)
    this.memory.writeU16(gpa(available + ring.AVAIL_INDEX), index + 1)
  }

  notify(queue: number): void {
    this.core.notify(queue)
  }

  /** Buffers that came back since the last call. */
  used(queue: number): readonly UsedBuffer[] {
    const { used } = this.places(queue)
    const size = this.core.queues[queue]?.wantedSize ?? 1
    const end = this.memory.readU16(gpa(used + ring.USED_INDEX))
    const back: UsedBuffer[] = []
    for (let index = this.takenUsed[queue] ?? 0; index !== end; index = (index + 1) & 0xffff) {
      const at = used + ring.USED_RING + ring.USED_ELEMENT_BYTES * (index % size)
      back.push({ head: this.memory.readU32(gpa(at)), written: this.memory.readU32(gpa(at + 4)) })
    }
    this.takenUsed[queue] = end
    return back
  }

  /** What stands in the answer's room, one after the other. */
  read({ answer }: Pick<Placed, 'answer'>, bytes: number = answer.reduce((sum, part) => sum + part.bytes, 0)): Uint8Array {
    const all = answer.map((part) => {
      const target = new Uint8Array(part.bytes)
      this.memory.read(gpa(part.address), target)
      return target
    })
    return Uint8Array.from(all.flatMap((part) => [...part])).slice(0, bytes)
  }
}

/** `extraBytes`: for blocks besides RAM. */
export function testMemory(ramBytes: number = RAM_BYTES, extraBytes: number = 0): GuestMemoryImpl {
  return new GuestMemoryImpl(new ArrayBuffer(RAM_BASE + ramBytes + extraBytes), ramBytes)
}

/** Host work starts at once; its outcome comes when the test lets it in, in any order that it likes. */
export class TestGate implements CompletionGate {
  private readonly waiting: { readonly label: string; readonly finished: Promise<() => void> }[] = []

  get pending(): readonly string[] {
    return this.waiting.map(({ label }) => label)
  }

  submit<T>(label: string, _bytes: number, work: () => Promise<T>, done: (outcome: Outcome<T>) => void): void {
    const finished = work().then(
      (value) => () => done({ ok: true, value }),
      (error: unknown) => () => done({ ok: false, error: error instanceof Error ? error : new Error(String(error)) }),
    )
    this.waiting.push({ label, finished })
  }

  /** The first (or another) that waits. */
  async finish(index: number = 0): Promise<void> {
    const [request] = this.waiting.splice(index, 1)
    if (request) (await request.finished)()
  }

  /** All, and what they start. */
  async settle(): Promise<void> {
    while (this.waiting.length > 0) await this.finish()
  }
}
