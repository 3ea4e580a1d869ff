/** KVM's interface for guests on x86: registers.ts has its sources. */
import type { CpuidEntry } from '../../cpu/cpuid'
import type { Claim } from '../../devices/device'
import { TIMER_TICK_NS } from '../../devices/lapic/registers'
import { expectSchema } from '../../devices/saved-state'
import { VmmError } from '../../errors/vmm-error'
import { gpa } from '../../support/branded'
import { featuresLeft } from '../features'
import type { CallingProcessor, HypercallAnswer, HypervisorFigures, HypervisorHost, HypervisorInterface } from '../hypervisor-interface'
import { signatureLeaf, timingLeaf, TIMING_LEAF } from '../signature-leaf'
import { featureBits, KVM_FEATURES, type KvmFeature } from './features'
import { PvEoi } from './pv-eoi'
import { addressIn, isEnabled, updateRecord } from './record'
import * as reg from './registers'
import type { KvmState, KvmStateV1, Msr } from './state'

const RECORD_ALIGNMENT = 4
const STEAL_ALIGNMENT = 64
const NS = 1_000_000_000n
/** Stolen time is told to the guest no more often: asking the host for it costs as much as a thousand instructions. */
const STEAL_INTERVAL_NS = 50_000_000
/** Real time that may pass while the machine stands still before its guest is told that it did. */
const STOPPED_MS = 500
const OFF: Msr = [0, 0]

function initialState(): KvmState {
  return { systemTime: OFF, wallClock: OFF, stealTime: OFF, pvEoi: OFF, pollControl: reg.POLL_HOST_MAY_POLL, eoiOffered: false, epochAtZero: 0 }
}

export class Kvm implements HypervisorInterface<KvmStateV1> {
  readonly name = 'kvm'
  readonly claims: readonly Claim[] = []
  readonly leaves: readonly CpuidEntry[]
  private readonly features: ReadonlySet<KvmFeature>
  private readonly state: KvmState = initialState()
  private readonly counters: Record<string, number> = { clockUpdates: 0, wallClockReads: 0, stealTimeUpdates: 0, hypercalls: 0, unknownHypercalls: 0, pauses: 0 }
  private made: HypervisorHost | undefined
  private eoi: PvEoi | undefined
  /** Of the host's total, what has been told to the guest; and when it was looked at. */
  private stolenTold = 0
  private stolenLookedAt = 0

  /** `disabled`: names of KVM_FEATURES. */
  constructor(disabled: readonly string[] = []) {
    this.features = featuresLeft('kvm', KVM_FEATURES, disabled)
    this.leaves = [
      signatureLeaf(reg.SIGNATURE, TIMING_LEAF),
      { leaf: reg.LEAF_FEATURES, eax: featureBits(this.features), ebx: 0, ecx: 0, edx: 0 },
      timingLeaf(TIMER_TICK_NS),
    ]
  }

  connect(host: HypervisorHost): void {
    this.made = host
    this.eoi = new PvEoi(host.memory, this.state)
    if (this.features.has('pv-eoi')) host.setEoiShortcut(0, this.eoi)
  }

  private get host(): HypervisorHost {
    if (this.made === undefined) throw new VmmError('internal/bug', 'kvm: used before it was connected')
    return this.made
  }

  // ---- MSRs -----------------------------------------------------------------------------------------------------------------------------

  /** What a number means; undefined: not offered. */
  private msrOf(index: number): 'systemTime' | 'wallClock' | 'stealTime' | 'pvEoi' | 'pollControl' | undefined {
    const has = (feature: KvmFeature): boolean => this.features.has(feature)
    switch (index) {
      case reg.MSR_SYSTEM_TIME_OLD:
        return has('clock-old') ? 'systemTime' : undefined
      case reg.MSR_WALL_CLOCK_OLD:
        return has('clock-old') ? 'wallClock' : undefined
      case reg.MSR_SYSTEM_TIME:
        return has('clock') ? 'systemTime' : undefined
      case reg.MSR_WALL_CLOCK:
        return has('clock') ? 'wallClock' : undefined
      case reg.MSR_STEAL_TIME:
        return has('steal-time') ? 'stealTime' : undefined
      case reg.MSR_PV_EOI:
        return has('pv-eoi') ? 'pvEoi' : undefined
      case reg.MSR_POLL_CONTROL:
        return has('poll-control') ? 'pollControl' : undefined
      default:
        return undefined
    }
  }

  readMsr(_processor: number, index: number): Msr | undefined {
    const msr = this.msrOf(index)
    if (msr === undefined) return undefined
    return msr === 'pollControl' ? [this.state.pollControl, 0] : this.state[msr]
  }

  writeMsr(_processor: number, index: number, low: number, high: number): boolean | undefined {
    if (index === reg.MSR_TSC) {
      // The record counts from the TSC.
      this.updateClock(0)
      return undefined
    }
    const msr = this.msrOf(index)
    switch (msr) {
      case undefined:
        return undefined
      case 'systemTime':
        if ((low & reg.SYSTEM_TIME_RESERVED) !== 0) return false
        this.state.systemTime = [low, high]
        this.updateClock(0)
        return true
      case 'wallClock':
        this.state.wallClock = [low, high]
        this.writeWallClock()
        return true
      case 'stealTime':
        if ((low & reg.STEAL_TIME_RESERVED) !== 0) return false
        this.state.stealTime = [low, high]
        this.stolenTold = this.host.stolenNs()
        return true
      case 'pvEoi':
        if ((low & reg.PV_EOI_RESERVED) !== 0) return false
        this.eoi?.withdraw()
        this.state.pvEoi = [low, high]
        return true
      case 'pollControl':
        if ((low & ~reg.POLL_HOST_MAY_POLL) !== 0 || high !== 0) return false
        // A halted vCPU never makes this host poll: there is nothing to switch off.
        this.state.pollControl = low
        return true
    }
  }

  // ---- time -------------------------------------------------------------------------------------------------------------------------------

  /** System time is virtual time: it stands still with the TSC while the machine does, so what was written stays right until the guest sets its TSC. */
  private updateClock(flags: number): void {
    if (!isEnabled(this.state.systemTime)) return
    const { memory, time } = this.host
    const now = BigInt(time.now())
    const stable = this.features.has('clock-stable') ? reg.FLAG_TSC_STABLE : 0
    updateRecord(memory, addressIn(this.state.systemTime, RECORD_ALIGNMENT), reg.CLOCK_BYTES, reg.CLOCK_VERSION, (record) => {
      const kept = record.getUint8(reg.CLOCK_FLAGS) & reg.FLAG_GUEST_STOPPED
      record.setBigUint64(reg.CLOCK_TSC_TIMESTAMP, BigInt.asUintN(64, now + this.host.processor(0).tscOffset), true)
      record.setBigUint64(reg.CLOCK_SYSTEM_TIME, now, true)
      record.setUint32(reg.CLOCK_MULTIPLIER, reg.TSC_TO_NS_MULTIPLIER, true)
      record.setInt8(reg.CLOCK_SHIFT, reg.TSC_TO_NS_SHIFT)
      record.setUint8(reg.CLOCK_FLAGS, stable | kept | flags)
    })
    this.count('clockUpdates')
  }

  /** Nanoseconds since 1970 at virtual time 0. */
  private get epoch(): bigint {
    return BigInt(Math.round(this.state.epochAtZero)) * 1_000_000n
  }

  /** Real time that has passed, beyond what virtual time knows of, moves the wall clock. */
  private followEpoch(): number {
    const epochAtZero = this.host.epochMs() - this.host.time.now() / 1e6
    const lost = epochAtZero - this.state.epochAtZero
    // The two clocks are read one after the other, and the host's is set right by small steps.
    if (Math.abs(lost) >= STOPPED_MS) this.state.epochAtZero = epochAtZero
    return lost
  }

  private writeWallClock(): void {
    this.followEpoch()
    updateRecord(this.host.memory, addressIn(this.state.wallClock, RECORD_ALIGNMENT), reg.WALL_BYTES, 0, (record) => {
      record.setUint32(4, Number((this.epoch / NS) & 0xffffffffn), true)
      record.setUint32(8, Number(this.epoch % NS), true)
    })
    this.count('wallClockReads')
  }

  /** Between slices. */
  beforeSlice(): void {
    if (!isEnabled(this.state.stealTime)) return
    const now = this.host.time.now()
    if (now - this.stolenLookedAt < STEAL_INTERVAL_NS && now >= this.stolenLookedAt) return
    this.stolenLookedAt = now
    const stolen = this.host.stolenNs()
    const more = stolen - this.stolenTold
    if (more <= 0) return
    this.stolenTold = stolen
    updateRecord(this.host.memory, addressIn(this.state.stealTime, STEAL_ALIGNMENT), reg.STEAL_BYTES, reg.STEAL_VERSION, (record) => {
      record.setBigUint64(reg.STEAL_TIME, BigInt.asUintN(64, record.getBigUint64(reg.STEAL_TIME, true) + BigInt(more)), true)
      record.setUint8(reg.STEAL_PREEMPTED, 0)
    })
    this.count('stealTimeUpdates')
  }

  resumed(): void {
    if (this.followEpoch() < STOPPED_MS) return
    this.count('pauses')
    this.updateClock(reg.FLAG_GUEST_STOPPED)
  }

  // ---- hypercalls ---------------------------------------------------------------------------------------------------------------------------

  hypercall(index: number): HypercallAnswer {
    const processor = this.host.processor(index)
    const wide = processor.codeBits === 64
    const argument = (register: 'rax' | 'rbx' | 'rcx'): bigint => (wide ? processor.gpr(register) : BigInt(processor.gpr32(register)))
    const result = processor.cpl === 0 ? this.call(argument('rax'), argument, processor) : reg.ERROR_PERMISSION
    this.count('hypercalls')
    if (wide) processor.setGpr('rax', BigInt.asUintN(64, BigInt(result)))
    else processor.setGpr32('rax', result)
    return 'done'
  }

  private call(number: bigint, argument: (register: 'rbx' | 'rcx') => bigint, processor: CallingProcessor): number {
    switch (number) {
      case BigInt(reg.HC_VAPIC_POLL_IRQ):
        // Interrupts are looked for whenever the vCPU comes back from the host.
        return 0
      case BigInt(reg.HC_KICK_CPU):
      case BigInt(reg.HC_SCHED_YIELD):
        // For another processor of the machine; there is none, and the one that calls runs.
        return 0
      case BigInt(reg.HC_CLOCK_PAIRING):
        if (this.features.has('clock-pairing')) return this.pairClocks(argument('rbx'), argument('rcx'), processor)
        break
    }
    this.count('unknownHypercalls')
    return reg.ERROR_NO_CALL
  }

  /** The wall clock and the TSC of one moment: seconds, nanoseconds, TSC, flags. */
  private pairClocks(address: bigint, clock: bigint, processor: CallingProcessor): number {
    if (clock !== BigInt(reg.PAIRING_WALL_CLOCK)) return reg.ERROR_NOT_SUPPORTED
    const { memory, time } = this.host
    const place = address <= BigInt(Number.MAX_SAFE_INTEGER - reg.PAIRING_BYTES) ? gpa(Number(address)) : undefined
    if (place === undefined || memory.views(place, reg.PAIRING_BYTES) === undefined) return reg.ERROR_FAULT
    this.followEpoch()
    const now = BigInt(time.now())
    const wall = this.epoch + now
    const record = new DataView(new ArrayBuffer(reg.PAIRING_BYTES))
    record.setBigInt64(0, wall / NS, true)
    record.setBigInt64(8, wall % NS, true)
    record.setBigUint64(16, BigInt.asUintN(64, now + processor.tscOffset), true)
    memory.write(place, new Uint8Array(record.buffer))
    return 0
  }

  // ---- device -----------------------------------------------------------------------------------------------------------------------------

  private count(what: string): void {
    this.counters[what] = (this.counters[what] ?? 0) + 1
  }

  figures(): HypervisorFigures {
    const { state, eoi } = this
    const inUse: KvmFeature[] = []
    if (isEnabled(state.systemTime)) inUse.push('clock')
    if (isEnabled(state.stealTime)) inUse.push('steal-time')
    if (isEnabled(state.pvEoi)) inUse.push('pv-eoi')
    if (state.pollControl !== reg.POLL_HOST_MAY_POLL) inUse.push('poll-control')
    return {
      name: 'KVM',
      inUse,
      counters: { ...this.counters, eoisOffered: eoi?.offered ?? 0, eoisSaved: eoi?.ended ?? 0, eoisWithdrawn: eoi?.withdrawn ?? 0 },
      guest: {},
    }
  }

  reset(): void {
    Object.assign(this.state, initialState(), { epochAtZero: this.host.epochMs() - this.host.time.now() / 1e6 })
  }

  save(): KvmStateV1 {
    return { schema: ['kvm', 1], ...this.state }
  }

  load(saved: KvmStateV1): void {
    expectSchema(this.name, saved, ['kvm', 1])
    const { schema: _schema, ...state } = saved
    Object.assign(this.state, state)
    this.stolenTold = this.host.stolenNs()
    this.stolenLookedAt = 0
  }
}
