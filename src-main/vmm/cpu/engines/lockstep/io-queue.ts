/**
 * The leader's accesses to the machine around it, and what they did to guest memory and vCPU, in order; the follower meets the same accesses and gets
 * the same answers without any device being asked twice.
 */
import type { CpuIo, HypercallAnswer } from '../../engine'
import type { Width } from '../../../bus/width'
import type { Gpa } from '../../../support/branded'

type Answer = number | boolean | HypercallAnswer | readonly [low: number, high: number] | undefined

interface Access {
  /** What was asked: 'pio read 60 1'. */
  readonly what: string
  answer: Answer
  /** What the host did meanwhile, to be done to the follower as well. */
  readonly effects: (() => void)[]
}

/** Accesses under way and not yet repeated: no guest can pile up more than a slice's worth. */
export class IoQueue {
  private readonly accesses: Access[] = []
  private head = 0
  private current: Access | undefined

  get empty(): boolean {
    return this.head === this.accesses.length
  }

  /** Something that the host does to the leader: part of the access under way, or of the latest one that the follower has not repeated yet. */
  effect(apply: () => void): void {
    const access = this.current ?? (this.empty ? undefined : this.accesses[this.accesses.length - 1])
    if (access === undefined) apply()
    else access.effects.push(apply)
  }

  record<T extends Answer>(what: string, ask: () => T): T {
    const access: Access = { what, answer: undefined, effects: [] }
    const outer = this.current
    this.accesses.push(access)
    this.current = access
    try {
      const answer = ask()
      access.answer = answer
      return answer
    } finally {
      this.current = outer
    }
  }

  /** The follower's same access. */
  repeat(what: string): Answer {
    const access = this.accesses[this.head]
    if (access === undefined) throw new Difference(`the interpreter makes an access that the translator does not: ${what}`)
    if (access.what !== what) throw new Difference(`the interpreter's access is ${what}, the translator's is ${access.what}`)
    this.head++
    if (this.empty) {
      this.accesses.length = 0
      this.head = 0
    }
    for (const apply of access.effects) apply()
    return access.answer
  }

  /** The first access that the follower still owes. */
  owed(): string | undefined {
    return this.accesses[this.head]?.what
  }
}

/** Leader and follower are not the same. */
export class Difference extends Error {}

const hex = (n: number): string => n.toString(16)

/** The leader's way to the board. `around` is called with each access and sees to it that what the host changes is recorded. */
export function recordingIo(io: CpuIo, queue: IoQueue, around: <T>(ask: () => T) => T): CpuIo {
  const record = <T extends Answer>(what: string, ask: () => T): T => queue.record(what, () => around(ask))
  return {
    pioRead: (port, width) => record(`pio read ${hex(port)} ${width}`, () => io.pioRead(port, width)),
    pioWrite: (port, width, value) => void record(`pio write ${hex(port)} ${width} ${hex(value)}`, () => (io.pioWrite(port, width, value), 0)),
    mmioRead: (address, width) => record(`mmio read ${hex(address)} ${width}`, () => io.mmioRead(address, width)),
    mmioWrite: (address, width, value) => void record(`mmio write ${hex(address)} ${width} ${hex(value)}`, () => (io.mmioWrite(address, width, value), 0)),
    readTsc: () => record('tsc', () => io.readTsc()),
    acknowledgeInterrupt: () => record('acknowledge', () => io.acknowledgeInterrupt()),
    readTaskPriority: () => record('read tpr', () => io.readTaskPriority()),
    writeTaskPriority: (value) => void record(`write tpr ${hex(value)}`, () => (io.writeTaskPriority(value), 0)),
    readMsr: (index) => record(`rdmsr ${hex(index)}`, () => io.readMsr(index)),
    writeMsr: (index, low, high) => record(`wrmsr ${hex(index)} ${hex(low)} ${hex(high)}`, () => io.writeMsr(index, low, high)),
    hypercall: (vcpu) => record(`hypercall ${vcpu}`, () => io.hypercall?.(vcpu) ?? 'undefined'),
    floatError: () => record('ferr', () => io.floatError?.() === true),
    unknownOpcode: (opcode) => io.unknownOpcode(opcode),
  }
}

/** The follower's. */
export function repeatingIo(queue: IoQueue): CpuIo {
  const number = (what: string): number => queue.repeat(what) as number
  return {
    pioRead: (port: number, width: Width) => number(`pio read ${hex(port)} ${width}`),
    pioWrite: (port, width, value) => void queue.repeat(`pio write ${hex(port)} ${width} ${hex(value)}`),
    mmioRead: (address: Gpa, width) => number(`mmio read ${hex(address)} ${width}`),
    mmioWrite: (address, width, value) => void queue.repeat(`mmio write ${hex(address)} ${width} ${hex(value)}`),
    readTsc: () => number('tsc'),
    acknowledgeInterrupt: () => number('acknowledge'),
    readTaskPriority: () => number('read tpr'),
    writeTaskPriority: (value) => void queue.repeat(`write tpr ${hex(value)}`),
    readMsr: (index) => queue.repeat(`rdmsr ${hex(index)}`) as ReturnType<CpuIo['readMsr']>,
    writeMsr: (index, low, high) => queue.repeat(`wrmsr ${hex(index)} ${hex(low)} ${hex(high)}`) as boolean,
    hypercall: (vcpu) => queue.repeat(`hypercall ${vcpu}`) as HypercallAnswer,
    floatError: () => queue.repeat('ferr') as boolean,
    unknownOpcode: () => undefined,
  }
}
