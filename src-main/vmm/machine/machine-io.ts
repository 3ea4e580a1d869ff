/** How vCPUs reach the board: port and memory accesses, interrupts, time. Every exit is counted by kind. */
import type { MmioBus } from '../bus/mmio-bus'
import type { PioBus } from '../bus/pio-bus'
import type { Width } from '../bus/width'
import type { CpuIo, HypercallAnswer } from '../cpu/engine'
import type { EoiShortcut } from '../devices/lapic/eoi-shortcut'
import type { Gpa } from '../support/branded'

/** What the interrupt controllers and other per-processor parts of the board offer a vCPU. */
export interface ProcessorBus {
  acknowledgeInterrupt(): number
  readTaskPriority(): number
  writeTaskPriority(value: number): void
  readMsr(index: number): readonly [low: number, high: number] | undefined
  writeMsr(index: number, low: number, high: number): boolean
  /** VMCALL, VMMCALL; see CpuIo. */
  hypercall(vcpu: number): HypercallAnswer
  /** FERR#; see CpuIo. */
  floatError(): boolean
  /** Requests an edge-triggered interrupt of the local APIC. */
  interrupt(vector: number): void
  setEoiShortcut(shortcut: EoiShortcut | undefined): void
  /** A vector that goes past the local APIC as long as it is asked for; 0: none. */
  setDirectInterrupt(vector: () => number): void
  directInterruptChanged(): void
  /** The local APIC's registers, where the vCPU's IA32_APIC_BASE puts them: undefined when the address is elsewhere. */
  readLocal(address: number, width: Width): number | undefined
  writeLocal(address: number, width: Width, value: number): boolean
}

const NO_PROCESSOR_BUS: ProcessorBus = {
  acknowledgeInterrupt: () => -1,
  readTaskPriority: () => 0,
  writeTaskPriority: () => undefined,
  readMsr: () => undefined,
  writeMsr: () => false,
  hypercall: () => 'undefined',
  floatError: () => false,
  interrupt: () => undefined,
  setEoiShortcut: () => undefined,
  setDirectInterrupt: () => undefined,
  directInterruptChanged: () => undefined,
  readLocal: () => undefined,
  writeLocal: () => false,
}

export interface IoCounters {
  pioReads: number
  pioWrites: number
  mmioReads: number
  mmioWrites: number
  tscReads: number
  msrReads: number
  msrWrites: number
  hypercalls: number
  interrupts: number
}

/** Unknown opcodes kept apart; a hostile guest cannot grow the table further. */
const MAX_OPCODES = 1024

/** Accesses between two calls of onAccesses; a power of two. */
const ACCESSES = 16

export class MachineIo implements CpuIo {
  readonly counters: IoCounters = { pioReads: 0, pioWrites: 0, mmioReads: 0, mmioWrites: 0, tscReads: 0, msrReads: 0, msrWrites: 0, hypercalls: 0, interrupts: 0 }
  /** Times each vector was delivered. */
  readonly vectors: Uint32Array = new Uint32Array(256)
  readonly unknownOpcodes: Map<number, number> = new Map<number, number>()
  unknownOpcodesDropped = 0
  /** Called every few accesses: one can cost the host as much as a million instructions. */
  onAccesses: () => void = () => undefined
  private accesses = 0

  private processor: ProcessorBus = NO_PROCESSOR_BUS
  private tsc: () => number = () => 0

  constructor(
    private readonly pio: PioBus,
    private readonly mmio: MmioBus,
  ) {}

  /** The core needs its way to the board before there is one; before this no vCPU runs. */
  connect(processor: ProcessorBus, tsc: () => number): void {
    this.processor = processor
    this.tsc = tsc
  }

  pioRead(port: number, width: Width): number {
    this.counters.pioReads++
    if ((++this.accesses & (ACCESSES - 1)) === 0) this.onAccesses()
    return this.pio.read(port, width)
  }

  pioWrite(port: number, width: Width, value: number): void {
    this.counters.pioWrites++
    if ((++this.accesses & (ACCESSES - 1)) === 0) this.onAccesses()
    this.pio.write(port, width, value)
  }

  mmioRead(address: Gpa, width: Width): number {
    this.counters.mmioReads++
    if ((++this.accesses & (ACCESSES - 1)) === 0) this.onAccesses()
    return this.processor.readLocal(address, width) ?? this.mmio.read(address, width)
  }

  mmioWrite(address: Gpa, width: Width, value: number): void {
    this.counters.mmioWrites++
    if ((++this.accesses & (ACCESSES - 1)) === 0) this.onAccesses()
    if (!this.processor.writeLocal(address, width, value)) this.mmio.write(address, width, value)
  }

  readTsc(): number {
    this.counters.tscReads++
    return this.tsc()
  }

  acknowledgeInterrupt(): number {
    const vector = this.processor.acknowledgeInterrupt()
    if (vector >= 0) {
      this.counters.interrupts++
      this.vectors[vector & 0xff] = (this.vectors[vector & 0xff] ?? 0) + 1
    }
    return vector
  }

  readTaskPriority(): number {
    return this.processor.readTaskPriority()
  }

  writeTaskPriority(value: number): void {
    this.processor.writeTaskPriority(value)
  }

  readMsr(index: number): readonly [low: number, high: number] | undefined {
    this.counters.msrReads++
    return this.processor.readMsr(index)
  }

  writeMsr(index: number, low: number, high: number): boolean {
    this.counters.msrWrites++
    if ((++this.accesses & (ACCESSES - 1)) === 0) this.onAccesses()
    return this.processor.writeMsr(index, low, high)
  }

  hypercall(vcpu: number): HypercallAnswer {
    this.counters.hypercalls++
    // one can do as much as many accesses
    this.onAccesses()
    return this.processor.hypercall(vcpu)
  }

  floatError(): boolean {
    return this.processor.floatError()
  }

  unknownOpcode(opcode: number): void {
    const count = this.unknownOpcodes.get(opcode)
    if (count !== undefined || this.unknownOpcodes.size < MAX_OPCODES) this.unknownOpcodes.set(opcode, (count ?? 0) + 1)
    else this.unknownOpcodesDropped++
  }
}
