/**
 * Local APIC of one vCPU (xAPIC; x2APIC is not offered).
 * Source: Intel SDM volume 3, chapter 11.
 */

import * as apic from '../../irq/apic-bus'
import type { ApicAgent, ApicBus } from '../../irq/apic-bus'
import type { IrqLine } from '../../irq/line'
import type { VmTime } from '../../support/branded'
import type { TimerService } from '../../time/clock'
import { BAD_WIDTH, type Claim, type Device, type IoFault, type MmioHandler, type ResetKind, type Width } from '../device'
import { expectSchema } from '../saved-state'
import type { EoiShortcut } from './eoi-shortcut'
import { LapicTimer } from './lapic-timer'
import * as reg from './registers'
import type { LapicState, LapicStateV1 } from './state'
import { clearBit, highestBit, setBit, testBit } from './vector-set'

/** What a local APIC does to its processor. */
export interface LapicProcessor {
  /** The INTR request; the processor answers with `acknowledge()`. */
  setInterruptRequest(high: boolean): void
  nmi(): void
  init(): void
  startup(vector: number): void
}

export interface LapicOptions {
  readonly apicId: number
  /** The processor that starts by itself: its LINT0 is set to ExtINT from the start, as a PC's firmware leaves it. */
  readonly bootstrap: boolean
  readonly bus: ApicBus
  /** INTA cycles that go past the local APIC. */
  readonly pic: { acknowledge(): number }
  readonly processor: LapicProcessor
  /** Virtual time at which the guest's TSC reaches a value. */
  readonly tscToTime: (tsc: number) => VmTime
}

function initialState(options: LapicOptions): LapicState {
  const lvt = new Array<number>(reg.LVT_COUNT).fill(reg.LVT_MASKED)
  if (options.bootstrap) lvt[reg.LVT_LINT0] = apic.DELIVER_EXTINT << reg.LVT_MODE_SHIFT
  return {
    baseLow: reg.LAPIC_DEFAULT_BASE + reg.BASE_ENABLED + (options.bootstrap ? reg.BASE_BSP : 0),
    baseHigh: 0,
    id: options.apicId,
    tpr: 0,
    ldr: 0,
    dfr: 0xffffffff,
    svr: 0xff,
    isr: new Array<number>(8).fill(0),
    tmr: new Array<number>(8).fill(0),
    irr: new Array<number>(8).fill(0),
    esr: 0,
    errors: 0,
    icrLow: 0,
    icrHigh: 0,
    lvt,
    extIntPending: false,
    lint0: false,
    lint1: false,
  }
}

export class Lapic implements Device<LapicStateV1>, MmioHandler, ApicAgent {
  readonly name: string
  /** None: the page is where IA32_APIC_BASE says, for this vCPU only, so the vCPU's side routes it (`windowContains`). */
  readonly claims: readonly Claim[] = []

  // sub-units (hold volatile state)
  private readonly timer: LapicTimer

  // glue
  /** The 8259 pair's INTR, or another source on pin LINT0. */
  readonly lint0: IrqLine = { setLevel: (high: boolean): void => this.setLint(reg.LVT_LINT0, high) }
  /** NMI pin. */
  readonly lint1: IrqLine = { setLevel: (high: boolean): void => this.setLint(reg.LVT_LINT1, high) }

  /** Ends of interrupts by a flag in the guest's memory; undefined: every one is a write of the EOI register. */
  eoiShortcut: EoiShortcut | undefined

  /** A vector that goes past the local APIC as long as it is asked for: no priority, no end of interrupt. 0: none. */
  direct: () => number = () => 0

  // volatile state
  private state: LapicState

  constructor(
    time: TimerService,
    private readonly options: LapicOptions,
  ) {
    this.name = `lapic.${options.apicId}`
    this.state = initialState(options)
    this.timer = new LapicTimer(this.name, time, options.tscToTime, () => this.raiseLocal(reg.LVT_TIMER))
    options.bus.addAgent(this)
  }

  // ---- window and MSRs ---------------------------------------------------------------------------------------------------------------

  private get enabled(): boolean {
    return (this.state.baseLow & reg.BASE_ENABLED) !== 0
  }

  private get softwareEnabled(): boolean {
    return this.enabled && (this.state.svr & reg.SVR_ENABLED) !== 0
  }

  /** Guest-physical address of the register page. */
  get base(): number {
    return (this.state.baseHigh & reg.BASE_HIGH_MASK) * 0x100000000 + ((this.state.baseLow & reg.BASE_ADDRESS) >>> 0)
  }

  /** Whether an access of this vCPU goes to its local APIC. */
  windowContains(address: number): boolean {
    if (!this.enabled) return false
    const offset = address - this.base
    return offset >= 0 && offset < reg.LAPIC_BYTES
  }

  /** [low, high], or undefined when the MSR is not the local APIC's. */
  readMsr(index: number): readonly [low: number, high: number] | undefined {
    const s = this.state
    if (index === reg.MSR_APIC_BASE) return [s.baseLow >>> 0, s.baseHigh >>> 0]
    if (index === reg.MSR_TSC_DEADLINE) return this.timer.readTscDeadline()
    return undefined
  }

  /** Whether the MSR is the local APIC's and the value is allowed. */
  writeMsr(index: number, low: number, high: number): boolean {
    if (index === reg.MSR_TSC_DEADLINE) {
      if (this.enabled) this.timer.writeTscDeadline(low, high)
      return true
    }
    if (index !== reg.MSR_APIC_BASE) return false
    // Reserved bits, and x2APIC mode, which CPUID does not offer.
    if ((low & 0x6ff) !== 0 || (high & ~reg.BASE_HIGH_MASK) !== 0) return false
    const s = this.state
    const wasEnabled = this.enabled
    s.baseLow = ((low & (reg.BASE_ADDRESS | reg.BASE_ENABLED)) | (s.baseLow & reg.BASE_BSP)) >>> 0
    s.baseHigh = high
    // Switching the APIC off returns it to its power-up state (11.4.3).
    if (wasEnabled && !this.enabled) {
      const { baseLow, baseHigh, lint0, lint1 } = s
      this.state = { ...initialState(this.options), baseLow, baseHigh, lint0, lint1 }
      this.timer.reset()
    }
    this.update()
    return true
  }

  // ---- the processor's side ------------------------------------------------------------------------------------------------------------

  /** LINT0 or an I/O APIC passes the 8259 pair's request through. */
  private get extInt(): boolean {
    const { lint0, lvt, extIntPending } = this.state
    if (!this.enabled) return lint0
    if (extIntPending) return true
    const entry = lvt[reg.LVT_LINT0] ?? reg.LVT_MASKED
    return lint0 && (entry & reg.LVT_MASKED) === 0 && ((entry >> reg.LVT_MODE_SHIFT) & 7) === apic.DELIVER_EXTINT
  }

  /** Vector that may interrupt now by its priority, or -1. */
  private deliverable(): number {
    if (!this.softwareEnabled) return -1
    const vector = highestBit(this.state.irr)
    return vector >= 0 && vector >> 4 > this.processorPriority >> 4 ? vector : -1
  }

  /** Before anything looks at interrupts in service, or at new ones that depend on them. */
  private takeShortcut(): void {
    if (this.eoiShortcut?.taken() !== true) return
    const vector = highestBit(this.state.isr)
    if (vector >= 0) clearBit(this.state.isr, vector)
  }

  /** Something waits for the end of the interrupt in service: the guest must tell. */
  private withdrawShortcut(): void {
    this.takeShortcut()
    this.eoiShortcut?.withdraw()
  }

  /** For the interrupt that has just been delivered, if nothing waits for its end: no other request, no I/O APIC, no pin. */
  private offerShortcut(vector: number): void {
    const { irr, tmr } = this.state
    if (this.eoiShortcut === undefined || highestBit(irr) >= 0 || testBit(tmr, vector) || this.isLintVector(vector)) return
    this.eoiShortcut.offer()
  }

  private isLintVector(vector: number): boolean {
    return [reg.LVT_LINT0, reg.LVT_LINT1].some((index) => ((this.state.lvt[index] ?? 0) & reg.LVT_VECTOR) === vector)
  }

  get hasInterrupt(): boolean {
    return this.direct() > 0 || this.deliverable() >= 0 || this.extInt
  }

  /** INTA cycle: the vector, or -1 when there is no request any more. */
  acknowledge(): number {
    const s = this.state
    const direct = this.direct()
    if (direct > 0) return direct
    this.takeShortcut()
    const vector = this.deliverable()
    if (vector >= 0) {
      this.withdrawShortcut()
      clearBit(s.irr, vector)
      setBit(s.isr, vector)
      this.offerShortcut(vector)
      this.update()
      return vector
    }
    if (!this.extInt) {
      this.update()
      return -1
    }
    s.extIntPending = false
    const external = this.options.pic.acknowledge()
    this.update()
    return external
  }

  get processorPriority(): number {
    const inService = highestBit(this.state.isr)
    const tpr = this.state.tpr
    return inService >= 0 && inService >> 4 > tpr >> 4 ? inService & 0xf0 : tpr
  }

  /** CR8. */
  get taskPriority(): number {
    return this.state.tpr >> 4
  }

  set taskPriority(value: number) {
    this.takeShortcut()
    this.state.tpr = (value & 15) << 4
    this.update()
  }

  /** `direct` has something else to say. */
  directChanged(): void {
    this.update()
  }

  private update(): void {
    this.options.processor.setInterruptRequest(this.hasInterrupt)
  }

  // ---- accepting interrupts --------------------------------------------------------------------------------------------------------------

  get apicId(): number {
    return this.state.id
  }

  matchesLogical(destination: number): boolean {
    const { ldr, dfr } = this.state
    const mine = ldr >>> 24
    if (dfr >>> 28 === 15) return (mine & destination) !== 0
    const cluster = destination >> 4
    return (cluster === 15 || cluster === mine >> 4) && (mine & destination & 15) !== 0
  }

  accept(mode: number, vector: number, level: boolean): void {
    switch (mode) {
      case apic.DELIVER_FIXED:
      case apic.DELIVER_LOWEST_PRIORITY:
        this.raise(vector, level)
        break
      case apic.DELIVER_NMI:
        this.options.processor.nmi()
        break
      case apic.DELIVER_INIT:
        this.options.processor.init()
        break
      case apic.DELIVER_STARTUP:
        this.options.processor.startup(vector)
        break
      case apic.DELIVER_EXTINT:
        this.state.extIntPending = true
        this.update()
        break
      // SMI: this board has no system management mode. Mode 3 is reserved.
    }
  }

  private raise(vector: number, level: boolean): void {
    if (!this.softwareEnabled) return
    if (vector < 16) {
      this.error(reg.ESR_RECEIVE_ILLEGAL)
      return
    }
    this.withdrawShortcut()
    const { irr, tmr } = this.state
    setBit(irr, vector)
    if (level) setBit(tmr, vector)
    else clearBit(tmr, vector)
    this.update()
  }

  private error(bit: number): void {
    const s = this.state
    const isNew = (s.errors & bit) === 0
    s.errors |= bit
    if (isNew) this.raiseLocal(reg.LVT_ERROR)
  }

  private raiseLocal(index: number): void {
    const entry = this.state.lvt[index] ?? reg.LVT_MASKED
    if ((entry & reg.LVT_MASKED) !== 0) return
    const vector = entry & reg.LVT_VECTOR
    // An illegal vector in the error entry itself must not report itself for ever.
    if (index === reg.LVT_ERROR && vector < 16) return
    const mode = index === reg.LVT_TIMER || index === reg.LVT_ERROR ? apic.DELIVER_FIXED : (entry >> reg.LVT_MODE_SHIFT) & 7
    const lint = index === reg.LVT_LINT0 || index === reg.LVT_LINT1
    this.accept(mode, vector, lint && mode === apic.DELIVER_FIXED && (entry & reg.LVT_LEVEL) !== 0)
  }

  private setLint(index: number, high: boolean): void {
    const s = this.state
    const was = index === reg.LVT_LINT0 ? s.lint0 : s.lint1
    if (was === high) return
    if (index === reg.LVT_LINT0) s.lint0 = high
    else s.lint1 = high
    if (high) this.lintRose(index)
    this.update()
  }

  private lintRose(index: number): void {
    if (!this.enabled) {
      if (index === reg.LVT_LINT1) this.options.processor.nmi()
      return
    }
    const entry = this.state.lvt[index] ?? reg.LVT_MASKED
    // ExtINT on LINT0 follows the level (see extInt), everything else its rise.
    if (((entry >> reg.LVT_MODE_SHIFT) & 7) !== apic.DELIVER_EXTINT) this.raiseLocal(index)
  }

  private endOfInterrupt(): void {
    this.withdrawShortcut()
    const { isr, tmr } = this.state
    const vector = highestBit(isr)
    if (vector < 0) return
    clearBit(isr, vector)
    if (testBit(tmr, vector)) this.options.bus.endOfInterrupt(vector)
    this.relevelLints(vector)
    this.update()
  }

  /** A level-triggered LINT pin that is still high requests again. */
  private relevelLints(vector: number): void {
    const s = this.state
    for (const index of [reg.LVT_LINT0, reg.LVT_LINT1]) {
      const entry = s.lvt[index] ?? reg.LVT_MASKED
      const high = index === reg.LVT_LINT0 ? s.lint0 : s.lint1
      const fixed = ((entry >> reg.LVT_MODE_SHIFT) & 7) === apic.DELIVER_FIXED
      if (high && fixed && (entry & reg.LVT_LEVEL) !== 0 && (entry & reg.LVT_VECTOR) === vector) this.raiseLocal(index)
    }
  }

  // ---- sending -------------------------------------------------------------------------------------------------------------------------

  private sendCommand(): void {
    const { icrLow, icrHigh } = this.state
    const mode = (icrLow >> reg.ICR_MODE_SHIFT) & 7
    const vector = icrLow & 0xff
    const level = (icrLow & reg.ICR_LEVEL) !== 0
    // INIT level de-assert only synchronizes arbitration of old serial buses.
    if (mode === apic.DELIVER_INIT && level && (icrLow & reg.ICR_ASSERT) === 0) return
    if ((mode === apic.DELIVER_FIXED || mode === apic.DELIVER_LOWEST_PRIORITY) && vector < 16) {
      this.error(reg.ESR_SEND_ILLEGAL)
      return
    }
    const logical = (icrLow & reg.ICR_LOGICAL) !== 0
    const message = { destination: icrHigh >>> 24, logical, mode, vector, level: false }
    const shorthand = icrLow >>> reg.ICR_SHORTHAND_SHIFT
    if (shorthand === reg.SHORTHAND_NONE) this.options.bus.send(message)
    else if (shorthand === reg.SHORTHAND_SELF) this.accept(mode, vector, false)
    else this.options.bus.sendToAll(message, shorthand === reg.SHORTHAND_ALL ? undefined : this)
  }

  // ---- registers -----------------------------------------------------------------------------------------------------------------------

  mmioRead(offset: number, width: Width): number | IoFault {
    this.takeShortcut()
    // Each register is the first dword of 16 bytes; the rest reads 0.
    const value = (offset & 15) < 4 ? this.readRegister(offset & 0xff0) : 0
    if (width === 4 && (offset & 3) === 0) return value
    return (value >>> ((offset & 3) * 8)) & (width === 1 ? 0xff : width === 2 ? 0xffff : 0xffffffff)
  }

  private readRegister(offset: number): number {
    const s = this.state
    if (offset >= reg.APIC_ISR && offset < reg.APIC_ESR) {
      const set = offset < reg.APIC_TMR ? s.isr : offset < reg.APIC_IRR ? s.tmr : s.irr
      return (set[(offset >> 4) & 7] ?? 0) >>> 0
    }
    if (offset >= reg.APIC_LVT_TIMER && offset <= reg.APIC_LVT_ERROR) return (s.lvt[(offset - reg.APIC_LVT_TIMER) >> 4] ?? 0) >>> 0
    switch (offset) {
      case reg.APIC_ID:
        return (s.id << 24) >>> 0
      case reg.APIC_VERSION:
        return reg.VERSION
      case reg.APIC_TPR:
        return s.tpr
      case reg.APIC_APR:
      case reg.APIC_RRD:
      case reg.APIC_EOI:
        return 0
      case reg.APIC_PPR:
        return this.processorPriority
      case reg.APIC_LDR:
        return s.ldr >>> 0
      case reg.APIC_DFR:
        return s.dfr >>> 0
      case reg.APIC_SVR:
        return s.svr
      case reg.APIC_ESR:
        return s.esr
      case reg.APIC_ICR_LOW:
        return s.icrLow
      case reg.APIC_ICR_HIGH:
        return s.icrHigh >>> 0
      case reg.APIC_TIMER_INITIAL:
        return this.timer.initial
      case reg.APIC_TIMER_CURRENT:
        return this.timer.current()
      case reg.APIC_TIMER_DIVIDE:
        return this.timer.divide
      default:
        this.error(reg.ESR_ILLEGAL_REGISTER)
        return 0
    }
  }

  mmioWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (width !== 4 || (offset & 15) !== 0) return BAD_WIDTH
    this.takeShortcut()
    this.writeRegister(offset, value)
    return undefined
  }

  private writeRegister(offset: number, value: number): void {
    const s = this.state
    if (offset >= reg.APIC_LVT_TIMER && offset <= reg.APIC_LVT_ERROR) {
      this.writeLvt((offset - reg.APIC_LVT_TIMER) >> 4, value)
      return
    }
    switch (offset) {
      case reg.APIC_ID:
        s.id = value >>> 24
        break
      case reg.APIC_TPR:
        s.tpr = value & 0xff
        this.update()
        break
      case reg.APIC_EOI:
        this.endOfInterrupt()
        break
      case reg.APIC_LDR:
        s.ldr = (value & 0xff000000) >>> 0
        break
      case reg.APIC_DFR:
        s.dfr = (value | 0x0fffffff) >>> 0
        break
      case reg.APIC_SVR:
        this.writeSvr(value & reg.SVR_WRITABLE)
        break
      case reg.APIC_ESR:
        // Writing makes the errors since the last write readable (11.5.3).
        s.esr = s.errors
        s.errors = 0
        break
      case reg.APIC_ICR_LOW:
        s.icrLow = value & reg.ICR_WRITABLE
        this.sendCommand()
        break
      case reg.APIC_ICR_HIGH:
        s.icrHigh = (value & 0xff000000) >>> 0
        break
      case reg.APIC_TIMER_INITIAL:
        this.timer.writeInitial(value)
        break
      case reg.APIC_TIMER_DIVIDE:
        this.timer.writeDivide(value & 0x0b)
        break
      case reg.APIC_VERSION:
      case reg.APIC_APR:
      case reg.APIC_PPR:
      case reg.APIC_RRD:
      case reg.APIC_TIMER_CURRENT:
        break
      default:
        if (offset < reg.APIC_ISR || offset >= reg.APIC_ESR) this.error(reg.ESR_ILLEGAL_REGISTER)
    }
  }

  private writeSvr(value: number): void {
    const s = this.state
    s.svr = value
    // Software-disabled: all local entries are masked (11.4.7.2).
    if ((value & reg.SVR_ENABLED) === 0) s.lvt = s.lvt.map((entry) => entry | reg.LVT_MASKED)
    this.update()
  }

  private writeLvt(index: number, value: number): void {
    const s = this.state
    const masked = (s.svr & reg.SVR_ENABLED) === 0 ? reg.LVT_MASKED : 0
    s.lvt[index] = (value & (reg.LVT_WRITABLE[index] ?? 0)) | masked
    if (index === reg.LVT_TIMER) this.timer.setMode(value & reg.LVT_TIMER_MODE)
    this.update()
  }

  // ---- device --------------------------------------------------------------------------------------------------------------------------

  reset(kind: ResetKind): void {
    const { lint0, lint1 } = this.state
    this.state = initialState(this.options)
    if (kind === 'hard') {
      this.state.lint0 = lint0
      this.state.lint1 = lint1
    }
    this.timer.reset()
    this.update()
  }

  /** INIT: as reset, but the APIC base and the APIC ID stay (11.4.7.3). */
  init(): void {
    const { baseLow, baseHigh, id, lint0, lint1 } = this.state
    this.state = { ...initialState(this.options), baseLow, baseHigh, id, lint0, lint1 }
    this.timer.reset()
    this.update()
  }

  save(): LapicStateV1 {
    const { isr, tmr, irr, lvt, ...registers } = this.state
    const { state: timer, deadline } = this.timer.save()
    return {
      schema: ['lapic', 1],
      ...registers,
      isr: [...isr],
      tmr: [...tmr],
      irr: [...irr],
      lvt: [...lvt],
      timer,
      deadline,
    }
  }

  load(saved: LapicStateV1): void {
    expectSchema(this.name, saved, ['lapic', 1])
    const { schema: _schema, timer, deadline, ...state } = saved
    this.state = { ...state, isr: [...state.isr], tmr: [...state.tmr], irr: [...state.irr], lvt: [...state.lvt] }
    this.timer.load(timer, deadline)
    this.update()
  }
}
