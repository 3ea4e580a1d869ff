/** What an engine is: it runs vCPUs and reports exits; it owns no device. */
import type { Gpa } from '../support/branded'
import type { Width } from '../bus/width'
import type { RegionInspector } from './engines/region-inspector'
import type { TranslationStats } from './engines/translation-stats'

/** What a hypercall comes to: 'undefined': nobody listens, #UD; 'halt': done, and the vCPU waits for an interrupt. Registers are changed through Vcpu. */
export type HypercallAnswer = 'undefined' | 'done' | 'halt'

/** How a vCPU reaches the rest of the machine while it runs. Called synchronously from inside guest execution. */
export interface CpuIo {
  pioRead(port: number, width: Width): number
  pioWrite(port: number, width: Width, value: number): void
  mmioRead(address: Gpa, width: Width): number
  mmioWrite(address: Gpa, width: Width, value: number): void
  /** Time-stamp counter ticks since power-on (without the guest's TSC offset). */
  readTsc(): number
  /** The interrupt controllers' highest vector (INTA cycle), or -1 when the request went away. */
  acknowledgeInterrupt(): number
  /** Local APIC task priority (CR8), 0..15. */
  readTaskPriority(): number
  writeTaskPriority(value: number): void
  /** MSRs that belong to the board (APIC base, TSC deadline, hypervisor). Returns [low, high], or undefined for #GP. */
  readMsr(index: number): readonly [low: number, high: number] | undefined
  /** false: #GP. Also told of writes of the TSC (10h), whatever it answers. */
  writeMsr(index: number, low: number, high: number): boolean
  /** VMCALL or VMMCALL of the vCPU; absent: no hypervisor answers. */
  hypercall?(vcpu: number): HypercallAnswer
  /** FERR# is driven (x87 exceptions with CR0.NE clear). Absent or false: it is not connected, the exception is #MF. */
  floatError?(): boolean
  /** An opcode that raises #UD because no table row knows it; for the statistics. `opcode` as in REC_OPCODE. */
  unknownOpcode(opcode: number): void
}

/** Why run() came back. */
export type Exit =
  /** The budget is used up. */
  | { readonly kind: 'deadline' }
  | { readonly kind: 'halted' }
  /** requestAttention() was called. */
  | { readonly kind: 'mailbox' }
  | { readonly kind: 'shutdown'; readonly cause: 'triple-fault' }
  | { readonly kind: 'unimplemented'; readonly what: string; readonly at: number }

export interface Engine {
  readonly name: 'interpreter' | 'translator' | 'lockstep' | 'kvm'
  /**
   * Runs the vCPU at `vcpuBase` for at most `budget` instructions (1..2^30). Not `exact`: it may come back (as at the deadline) up to a few hundred
   * instructions earlier; a small budget then may run nothing.
   */
  run(vcpuBase: number, budget: number, exact?: boolean): Exit
  /** Makes run() return at the next instruction boundary. May be called from inside it, by a device. */
  requestAttention(vcpuBase: number): void
  /** What an engine that translates has counted. */
  translationStats?(): TranslationStats
  /** Its translated regions, to look at between two runs. */
  readonly inspector?: RegionInspector
}
