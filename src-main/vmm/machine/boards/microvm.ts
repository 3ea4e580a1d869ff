/**
 * A board for guests that know they are virtual: no PCI, no BIOS, no VGA, no 8259 pair, no i8042. Local APIC, I/O APIC, serial ports, virtio by
 * MMIO, hardware-reduced ACPI. A guest without a paravirtual clock gets a PIT to measure its TSC by, and an RTC. Addresses of virtio as on QEMU's `microvm`.
 */
import type { CharBackend } from '../../backends/chardev/char-backend'
import { NullCharBackend } from '../../backends/chardev/char-backend'
import type { DisplayBackend } from '../../backends/display/display-backend'
import { createFrame, type Frame } from '../../backends/display/frame'
import { attachClaims } from '../../bus/attach'
import { assertNoConflicts } from '../../bus/claim-conflict'
import type { MmioBus } from '../../bus/mmio-bus'
import type { PciFunction } from '../../bus/pci/pci-function'
import type { PioBus } from '../../bus/pio-bus'
import { AcpiGed } from '../../devices/acpi-ged/acpi-ged'
import { EVENT_POWER_BUTTON, GED_BASE, REG_EVENTS, REG_RESET, REG_SLEEP_CONTROL, REG_SLEEP_STATUS, RESET_VALUE } from '../../devices/acpi-ged/registers'
import type { ControllerView } from '../../devices/controller-view'
import { DebugConsole } from '../../devices/debug-console/debug-console'
import { DebugExit } from '../../devices/debug-exit/debug-exit'
import type { Device, ResetKind } from '../../devices/device'
import { IoApic } from '../../devices/ioapic/ioapic'
import { ioApicView } from '../../devices/ioapic/view'
import { Lapic, type LapicProcessor } from '../../devices/lapic/lapic'
import { lapicView } from '../../devices/lapic/view'
import { Pit8254 } from '../../devices/pit-8254/pit'
import { RtcMc146818 } from '../../devices/rtc-mc146818/rtc'
import { Uart16550 } from '../../devices/uart-16550/uart'
import { VirtioMmio } from '../../devices/virtio/transport/virtio-mmio'
import type { VirtioDevice } from '../../devices/virtio/virtio-device'
import { VmmError } from '../../errors/vmm-error'
import type { MicrovmAcpiOptions } from '../../firmware/acpi/microvm-tables'
import { ApicBus } from '../../irq/apic-bus'
import { fanOut, SharedLine } from '../../irq/shared-line'
import type { IrqLine } from '../../irq/line'
import type { MemoryBlock } from '../../memory/guest-memory'
import type { GuestMemoryImpl, MappedRange } from '../../memory/guest-memory-impl'
import { gpa, type VmTime } from '../../support/branded'
import type { DeadlineQueue } from '../../time/deadline-queue'
import type { MachineEnd } from '../config'
import type { KeyEvent } from '../key-typist'
import type { ProcessorBus } from '../machine-io'
import type { DriveFigures } from '../metered-drive'
import type { Board } from './board'
import type { DriveBay } from './drive-bay'
import { processorBusOf } from './processor-bus'

const COM_PORTS = [0x3f8, 0x2f8] as const
const COM_GSI = [4, 3] as const
const GSI_RTC = 8
const GSI_EVENTS = 9
const GSI_TIMER = 2
const VIRTIO_BASE = 0xfeb00000
const VIRTIO_BYTES = 0x200
/** Virtio devices share these, level-triggered. */
const FIRST_VIRTIO_GSI = 16
const VIRTIO_GSIS = 8
const GSIS = 24
export const MAX_MICROVM_DEVICES = 32
/** Where a PC has video memory and ROMs. */
const HOLE = { address: 0xa0000, bytes: 0x50000 } as const

export interface MicrovmOptions {
  readonly pio: PioBus
  readonly mmio: MmioBus
  readonly memory: GuestMemoryImpl
  readonly deadlines: DeadlineQueue
  readonly processor: LapicProcessor
  readonly tscToTime: (tsc: number) => VmTime
  readonly requestReset: () => void
  readonly end: (end: MachineEnd) => void
  readonly drives: DriveBay
  readonly virtio: readonly VirtioDevice[]
  readonly serial: readonly CharBackend[]
  readonly debugConsole: CharBackend
  readonly debugExit: boolean
  readonly startEpochMs: number
  /** The guest has no paravirtual clock. */
  readonly legacyClocks: boolean
}

export class Microvm implements Board {
  readonly processorBus: ProcessorBus
  /** Interrupt controllers first. */
  readonly allDevices: Device[]
  /** Interrupt controllers last: what devices do to their lines while they are restored makes no edge. */
  readonly loadOrder: Device[]
  /** For the tables that direct boot leaves. */
  readonly acpi: Omit<MicrovmAcpiOptions, 'cpus'>
  private readonly lapic: Lapic
  private readonly ioApic: IoApic
  private readonly events: AcpiGed
  private readonly noPicture: Frame = createFrame(720, 400)

  constructor(private readonly options: MicrovmOptions) {
    const { pio, mmio, memory, deadlines, virtio } = options
    if (virtio.length > MAX_MICROVM_DEVICES) throw new VmmError('config/contradiction', `a microvm has room for ${MAX_MICROVM_DEVICES} virtio devices, not for ${virtio.length}; take some out`)
    memory.unmap(gpa(HOLE.address), HOLE.bytes)
    const apicBus = new ApicBus()
    const noPic = { acknowledge: (): number => -1 }
    this.lapic = new Lapic(deadlines, { apicId: 0, bootstrap: true, bus: apicBus, pic: noPic, processor: options.processor, tscToTime: options.tscToTime })
    this.ioApic = new IoApic(apicBus)
    const pins = Array.from({ length: GSIS }, (_, pin) => new SharedLine(fanOut(this.ioApic.pin(pin))))
    const line = (gsi: number): IrqLine => (pins[gsi] ?? bug()).source()

    this.events = new AcpiGed({ irq: line(GSI_EVENTS), requestReset: options.requestReset, requestPowerOff: () => options.end({ kind: 'power-off' }) })
    const uarts = COM_PORTS.map((basePort, index) => new Uart16550(deadlines, line(COM_GSI[index] ?? GSI_EVENTS), options.serial[index] ?? new NullCharBackend(), { index, basePort }))
    const places = virtio.map((_, i) => ({ address: VIRTIO_BASE + i * VIRTIO_BYTES, bytes: VIRTIO_BYTES, gsi: FIRST_VIRTIO_GSI + (i % VIRTIO_GSIS) }))
    const transports = virtio.map((device, i) => new VirtioMmio(device, { memory, base: places[i]?.address ?? bug(), irq: line(places[i]?.gsi ?? bug()) }))
    const clocks = options.legacyClocks ? [new Pit8254(deadlines, line(GSI_TIMER)), new RtcMc146818(deadlines, line(GSI_RTC), { startEpochMs: options.startEpochMs })] : []
    const debugExit = options.debugExit ? [new DebugExit((status) => options.end({ kind: 'debug-exit', status }))] : []

    const interruptControllers = [this.ioApic, this.lapic]
    const others = [...clocks, ...uarts, this.events, new DebugConsole(options.debugConsole), ...debugExit, ...transports]
    this.allDevices = [...interruptControllers, ...others]
    this.loadOrder = [...others, ...interruptControllers]
    this.processorBus = processorBusOf(this.lapic, () => false)
    this.acpi = {
      virtio: places,
      serialPorts: COM_PORTS.map((port, i) => ({ port, gsi: COM_GSI[i] ?? bug() })),
      events: { address: GED_BASE + REG_EVENTS, gsi: GSI_EVENTS, powerButton: EVENT_POWER_BUTTON },
      sleepControl: GED_BASE + REG_SLEEP_CONTROL,
      sleepStatus: GED_BASE + REG_SLEEP_STATUS,
      reset: { address: GED_BASE + REG_RESET, value: RESET_VALUE },
    }
    for (const device of this.allDevices) attachClaims(pio, mmio, device)
    assertNoConflicts(pio, mmio)
  }

  add(device: Device): void {
    attachClaims(this.pio, this.mmio, device)
    assertNoConflicts(this.pio, this.mmio)
    this.allDevices.push(device)
    this.loadOrder.unshift(device)
  }

  get pio(): PioBus {
    return this.options.pio
  }

  get mmio(): MmioBus {
    return this.options.mmio
  }

  get blocks(): readonly MemoryBlock[] {
    return this.options.memory.allBlocks()
  }

  reset(kind: ResetKind): void {
    for (const device of this.allDevices) device.reset(kind)
  }

  pressPowerButton(): void {
    this.events.pressPowerButton()
  }

  /** There is no keyboard and no mouse but those that the guest is given as virtio devices. */
  key(_event: KeyEvent): void {
    return undefined
  }

  mouse(): void {
    return undefined
  }

  connectDisplay(display: DisplayBackend | undefined): void {
    display?.resize(this.noPicture.width, this.noPicture.height)
    display?.update([{ x: 0, y: 0, width: this.noPicture.width, height: this.noPicture.height }], this.noPicture)
  }

  refreshDisplay(): void {
    return undefined
  }

  screenshot(): Frame {
    return this.noPicture
  }

  screenText(): readonly string[] {
    return []
  }

  async changeCdrom(drive: number, path: string | undefined): Promise<void> {
    await this.options.drives.changeCdrom(drive, path)
  }

  isCdromLocked(drive: number): boolean {
    return this.options.drives.isCdromLocked(drive)
  }

  driveFigures(): readonly DriveFigures[] {
    return this.options.drives.figures
  }

  memoryUse(): { readonly touchedBytes: number; readonly bytes: number } {
    const { touchedBytes, ramBytes: bytes } = this.options.memory
    return { touchedBytes, bytes }
  }

  markTouched(offset: number, bytes: number): void {
    this.options.memory.markTouched(offset, bytes)
  }

  controllers(): readonly ControllerView[] {
    return [lapicView(this.lapic.save()), ioApicView(this.ioApic.save())]
  }

  pciFunctions(): readonly PciFunction[] {
    return []
  }

  memoryRanges(): readonly MappedRange[] {
    return this.options.memory.ranges()
  }

  async close(): Promise<void> {
    await this.options.drives.close()
  }
}

function bug(): never {
  throw new VmmError('internal/bug', 'microvm: a number is out of range')
}
