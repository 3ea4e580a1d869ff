/**
 * What a hypervisor shows to a guest that knows of it: CPUID leaves from 4000_0000h on, MSRs, hypercalls, sometimes ports. One of them is chosen when a
 * machine is made; it is a device like others (reset, saved state, claims of ports) that vCPUs reach by instructions as well.
 */
import type { CpuidEntry } from '../cpu/cpuid'
import type { HypercallAnswer } from '../cpu/engine'
import type { Device, SavedState } from '../devices/device'
import type { EoiShortcut } from '../devices/lapic/eoi-shortcut'
import type { GuestMemory } from '../memory/guest-memory'
import type { TimerService } from '../time/clock'

export type { HypercallAnswer } from '../cpu/engine'

/** Order of the numbers is that of encoding: RAX 0, RCX 1, RDX 2, RBX 3, RSP 4, RBP 5, RSI 6, RDI 7, R8 .. R15. */
export type GeneralRegister =
  | 'rax' | 'rcx' | 'rdx' | 'rbx' | 'rsp' | 'rbp' | 'rsi' | 'rdi' | 'r8' | 'r9' | 'r10' | 'r11' | 'r12' | 'r13' | 'r14' | 'r15'

/** A vCPU as an interface meets it: inside an instruction, whose RIP and effects stand still until the interface returns. */
export interface CallingProcessor {
  readonly index: number
  /** Privilege level of the running code, 0..3. */
  readonly cpl: number
  /** Of the running code segment. */
  readonly codeBits: 16 | 32 | 64
  gpr(register: GeneralRegister): bigint
  /** All 64 bits. */
  setGpr(register: GeneralRegister, value: bigint | number): void
  /** The low half, unsigned. */
  gpr32(register: GeneralRegister): number
  /** All 64 bits, to the zero-extended value. */
  setGpr32(register: GeneralRegister, value: number): void
  /** What the guest's TSC is ahead of virtual time, in ticks of 1 ns; modulo 2^64. */
  readonly tscOffset: bigint
  /** Guest-physical address of a linear one, with the rights of the running code, or undefined. */
  translate(linear: bigint, access?: 0 | 1 | 2): number | undefined
  /** Opens ports to code of every privilege level; undefined: none. */
  openPorts(first: number, last: number): void
}

/** What an interface may ask of its machine. */
export interface HypervisorHost {
  readonly memory: GuestMemory
  /** Virtual time in nanoseconds since power-on: what the TSC counts, less CallingProcessor.tscOffset. */
  readonly time: TimerService
  /** Milliseconds since 1970, now. */
  epochMs(): number
  /** Nanoseconds since power-on in which the host had other work while the machine's thread could have run; 0 when nobody knows. */
  stolenNs(): number
  processor(index: number): CallingProcessor
  /** Requests an edge-triggered interrupt from the processor's local APIC. */
  interrupt(processor: number, vector: number): void
  /** undefined: the local APIC is told of every end of interrupt. */
  setEoiShortcut(processor: number, shortcut: EoiShortcut | undefined): void
  /** A vector that interrupts the processor as long as it is asked for, past the local APIC's priorities and ends of interrupts; 0: none. */
  setDirectInterrupt(processor: number, vector: () => number): void
  /** The answer of that has become another. */
  directInterruptChanged(processor: number): void
  /** The running slice ends at the next instruction. */
  leaveSlice(): void
  requestReset(): void
  powerOff(): void
}

/** What the guest uses of an interface, for statistics. */
export interface HypervisorFigures {
  /** 'KVM', as the guest knows it. */
  readonly name: string
  /** What the guest has switched on, by the interface's names. */
  readonly inUse: readonly string[]
  /** How often, by kind. */
  readonly counters: Readonly<Record<string, number>>
  /** What the guest tells about itself, e.g. its address. */
  readonly guest: Readonly<Record<string, string>>
}

export interface HypervisorInterface<S extends SavedState = SavedState> extends Device<S> {
  /** Leaves 4000_0000h to 4000_FFFFh; they must not change. */
  readonly leaves: readonly CpuidEntry[]
  /** Called once, before anything else. */
  connect(host: HypervisorHost): void
  /** [low, high]; undefined: not this interface's. */
  readMsr(processor: number, index: number): readonly [low: number, high: number] | undefined
  /** false: #GP; undefined: not this interface's. Also told of writes of the TSC (10h). */
  writeMsr(processor: number, index: number, low: number, high: number): boolean | undefined
  /** VMCALL or VMMCALL, from any mode and privilege level. */
  hypercall(processor: number): HypercallAnswer
  figures(): HypervisorFigures
  /** Asks the guest to power off by the interface's own way. false: the guest does not listen; it has other ways. */
  pressPowerButton?(): boolean
  /** What the guest shall be left with, in bytes; the rest it gives back. */
  setMemoryTarget?(bytes: number): void
  /** After a pause, or after a whole saved state was loaded: time may have passed that the guest has not seen. */
  resumed?(): void
  /** Asks the guest to shut down or restart by itself; false: nobody in it listens. */
  askGuest?(what: 'shutdown' | 'restart'): boolean
  /** Asks the guest for a screen of this size, in pixels; false: nobody in it listens. */
  setResolution?(width: number, height: number): boolean
  /** The guest follows places on the screen, by `pointer`. */
  readonly followsPointer?: boolean
  /** x, y: 0..65535 of the screen; wheel: notches, down positive; buttons: bit 0 left, 1 right, 2 middle. */
  pointer?(x: number, y: number, wheel: number, buttons: number): void
  /** The vCPU is about to run: what the guest reads in its memory can be brought up to date. */
  beforeSlice?(): void
}
