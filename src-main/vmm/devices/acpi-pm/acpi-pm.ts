/**
 * Power management function of the PIIX4: ACPI fixed hardware, general-purpose events, APM control ports.
 * Sources: ACPI 6.5, 4.8; Intel 82371AB (PIIX4) data sheet (290562), 7.0, 7.2; the place of GPE0 and the meaning of APMC values as on QEMU's `pc`.
 */

import type { DynamicRange } from '../../bus/claim-conflict'
import type { PciDevice, PciIdentity } from '../../bus/pci/pci-device'
import type { IrqLine } from '../../irq/line'
import { vmTime } from '../../support/branded'
import { nsFromTicks, ticksFromNs } from '../../support/rational'
import type { Timer, TimerService } from '../../time/clock'
import type { Claim, Device, IoFault, PioHandler, ResetKind, Width } from '../device'
import { expectSchema, restoreDeadline, savedDeadline } from '../saved-state'
import * as reg from './registers'
import type { AcpiPmState, AcpiPmStateV1 } from './state'

export interface AcpiPmOptions {
  /** System control interrupt: GSI 9, level-triggered. */
  readonly sci: IrqLine
  readonly requestPowerOff: () => void
  /** The guest moves the register block: routes it until removed. */
  readonly mapPorts: (name: string, first: number, bytes: number, handler: PioHandler) => DynamicRange
  /** Width of the PM timer, as the FADT says (TMR_VAL_EXT). */
  readonly timerBits: 24 | 32
}

function initialState(): AcpiPmState {
  return { pm1Status: 0, pm1Enable: 0, pm1Control: 0, gpeStatus: 0, gpeEnable: 0, apmControl: 0, apmStatus: 0, overflowTick: 0 }
}

export class AcpiPm implements Device<AcpiPmStateV1>, PciDevice, PioHandler {
  readonly name = 'acpi-pm'
  readonly claims: readonly Claim[] = [
    { kind: 'pio', name: 'gpe0', first: reg.GPE0_BASE, last: reg.GPE0_BASE + reg.GPE0_BYTES - 1, handler: this, split: 'bytes' },
    { kind: 'pio', name: 'apm', first: reg.PORT_APMC, last: reg.PORT_APMS, handler: this, split: 'bytes' },
  ]

  readonly pciIdentity: PciIdentity = {
    vendorId: 0x8086,
    deviceId: 0x7113,
    classCode: 0x068000,
    revision: 3,
    interruptPin: 1,
    subsystemVendorId: 0x1af4,
    subsystemId: 0x1100,
  }
  readonly pciBars: readonly [] = []
  readonly pciConfig: NonNullable<PciDevice['pciConfig']> = [
    { offset: reg.CONFIG_PMBA, initial: 0x01, writable: 0xc0 },
    { offset: reg.CONFIG_PMBA + 1, initial: reg.PM_DEFAULT_BASE >> 8, writable: 0xff },
    { offset: reg.CONFIG_DEVACTB, initial: reg.DEVACTB_APMC_EN, writable: 0xff },
    { offset: reg.CONFIG_PMREGMISC, initial: reg.PMREGMISC_ENABLE, writable: 0x01 },
  ]

  // glue
  private readonly timer: Timer
  private readonly half: number
  private range: DynamicRange | undefined = undefined
  /** The block at PMBA; ports relative to it. For the conformance tests, too. */
  readonly pmPorts: PioHandler = {
    pioRead: (port, width) => this.readBlock(port, width),
    pioWrite: (port, width, value) => this.writeBlock(port, width, value),
  }

  // state derived from config space
  private pmba: number = reg.PM_DEFAULT_BASE
  private decoding = true

  // volatile state
  private state: AcpiPmState = initialState()

  constructor(
    private readonly time: TimerService,
    private readonly options: AcpiPmOptions,
  ) {
    this.timer = time.createTimer(this.name, () => this.timerExpired())
    this.half = 2 ** (options.timerBits - 1)
    this.state.overflowTick = this.half
    this.mapBlock()
  }

  // ---- place ------------------------------------------------------------------------------------------------------------------------------

  /** First port of the register block, or undefined while it is not decoded. */
  get base(): number | undefined {
    return this.decoding && this.pmba !== 0 ? this.pmba : undefined
  }

  private mapBlock(): void {
    this.range?.remove()
    const base = this.base
    this.range = base === undefined ? undefined : this.options.mapPorts(`${this.name}/pm`, base, reg.PM_BYTES, this.pmPorts)
  }

  pciConfigChanged(offset: number, value: number): void {
    const old = this.base
    if (offset === reg.CONFIG_PMBA) this.pmba = (this.pmba & 0xff00) | (value & 0xc0)
    else if (offset === reg.CONFIG_PMBA + 1) this.pmba = (this.pmba & 0x00ff) | (value << 8)
    else if (offset === reg.CONFIG_PMREGMISC) this.decoding = (value & reg.PMREGMISC_ENABLE) !== 0
    if (this.base !== old) this.mapBlock()
  }

  // ---- events -----------------------------------------------------------------------------------------------------------------------------

  /** The user pressed the power button: a fixed event for a guest that listens. */
  pressPowerButton(): void {
    this.state.pm1Status |= reg.PM1_POWER_BUTTON
    this.update()
  }

  /** A general-purpose event (0..15), for hot-plug and the like. */
  raiseGpe(event: number): void {
    this.state.gpeStatus |= (1 << event) & 0xffff
    this.update()
  }

  private tick(): number {
    return ticksFromNs(this.time.now(), reg.PM_TIMER_HZ)
  }

  /** PM1 status with the timer's bit as of now: set when the top bit of the timer changed. */
  private status(): number {
    if (this.tick() >= this.state.overflowTick) this.state.pm1Status |= reg.PM1_TIMER
    return this.state.pm1Status
  }

  private update(): void {
    const s = this.state
    const status = this.status()
    const event = (status & s.pm1Enable & reg.PM1_EVENTS) !== 0 || (s.gpeStatus & s.gpeEnable) !== 0
    // Without SCI_EN the events would raise SMIs, which this board does not have.
    this.options.sci.setLevel(event && (s.pm1Control & reg.CONTROL_SCI_EN) !== 0)
    if ((s.pm1Enable & reg.PM1_TIMER) !== 0 && (status & reg.PM1_TIMER) === 0) {
      this.timer.arm(vmTime(nsFromTicks(s.overflowTick, reg.PM_TIMER_HZ)))
    } else {
      this.timer.cancel()
    }
  }

  private timerExpired(): void {
    this.update()
  }

  // ---- the block at PMBA --------------------------------------------------------------------------------------------------------------------

  private readBlock(port: number, width: Width): number {
    // Registers are dwords here; narrower reads take their part, so that the timer is never torn.
    const dword = this.readDword(port & ~3)
    const shift = (port & 3) * 8
    const wide = shift + width * 8 > 32 ? this.readDword((port & ~3) + 4) : 0
    const value = shift === 0 ? dword : (dword >>> shift) | (wide << (32 - shift))
    return width === 4 ? value >>> 0 : value & (width === 2 ? 0xffff : 0xff)
  }

  private readDword(offset: number): number {
    const s = this.state
    switch (offset) {
      case reg.PM1_STATUS:
        return this.status() | (s.pm1Enable << 16)
      case reg.PM1_CONTROL:
        return s.pm1Control
      case reg.PM_TIMER:
        return this.options.timerBits === 24 ? this.tick() % 0x1000000 : this.tick() % 0x100000000
      default:
        // Processor control, global status and the device monitors of the PIIX4: not there, read as 0.
        return 0
    }
  }

  private writeBlock(port: number, width: Width, value: number): IoFault | undefined {
    for (let i = 0; i < width; i++) this.writeByte(port + i, (value >>> (8 * i)) & 0xff)
    this.update()
    return undefined
  }

  private writeByte(offset: number, byte: number): void {
    const s = this.state
    const shift = (offset & 1) * 8
    const merge = (old: number): number => (old & ~(0xff << shift)) | (byte << shift)
    switch (offset & ~1) {
      case reg.PM1_STATUS:
        this.clearStatus((byte << shift) & reg.PM1_STATUS_CLEARABLE)
        break
      case reg.PM1_ENABLE:
        s.pm1Enable = merge(s.pm1Enable) & reg.PM1_EVENTS
        break
      case reg.PM1_CONTROL:
        this.writeControl(merge(s.pm1Control))
        break
    }
  }

  private clearStatus(bits: number): void {
    const s = this.state
    if ((bits & reg.PM1_TIMER) !== 0) s.overflowTick = (Math.floor(this.tick() / this.half) + 1) * this.half
    s.pm1Status &= ~bits
  }

  private writeControl(value: number): void {
    this.state.pm1Control = value & reg.CONTROL_STORED
    if ((value & reg.CONTROL_SLEEP_ENABLE) === 0) return
    const type = (value >> reg.CONTROL_SLEEP_TYPE_SHIFT) & 7
    // Hibernation ends in power-off, too. S1 and S3 are not offered: such a request has no effect.
    if (type === reg.SLEEP_TYPE_S5 || type === reg.SLEEP_TYPE_S4) this.options.requestPowerOff()
  }

  // ---- fixed ports ----------------------------------------------------------------------------------------------------------------------------

  pioRead(port: number): number {
    const s = this.state
    if (port === reg.PORT_APMC) return s.apmControl
    if (port === reg.PORT_APMS) return s.apmStatus
    const offset = port - reg.GPE0_BASE
    const register = offset < 2 ? s.gpeStatus : s.gpeEnable
    return (register >> ((offset & 1) * 8)) & 0xff
  }

  pioWrite(port: number, _width: number, value: number): IoFault | undefined {
    const s = this.state
    const shift = (port & 1) * 8
    switch (port) {
      case reg.PORT_APMC:
        s.apmControl = value
        if (value === reg.ACPI_ENABLE) s.pm1Control |= reg.CONTROL_SCI_EN
        else if (value === reg.ACPI_DISABLE) s.pm1Control &= ~reg.CONTROL_SCI_EN
        break
      case reg.PORT_APMS:
        s.apmStatus = value
        break
      case reg.GPE0_BASE:
      case reg.GPE0_BASE + 1:
        s.gpeStatus &= ~(value << shift)
        break
      default:
        s.gpeEnable = (s.gpeEnable & ~(0xff << shift)) | (value << shift)
    }
    this.update()
    return undefined
  }

  // ---- device ---------------------------------------------------------------------------------------------------------------------------------

  reset(_kind: ResetKind): void {
    this.state = initialState()
    this.state.overflowTick = (Math.floor(this.tick() / this.half) + 1) * this.half
    this.update()
  }

  save(): AcpiPmStateV1 {
    return { schema: ['acpi-pm', 1], ...this.state, deadline: savedDeadline(this.timer) }
  }

  load(saved: AcpiPmStateV1): void {
    expectSchema(this.name, saved, ['acpi-pm', 1])
    const { schema: _schema, deadline, ...state } = saved
    this.state = state
    this.update()
    restoreDeadline(this.timer, deadline)
  }
}
