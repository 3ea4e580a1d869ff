/**
 * The PC: a 440FX/PIIX3-class board (design.md, "The PC"). Which chip sits where, and who is wired to whom, is said here and nowhere else.
 * PCI slots as on QEMU's `pc`: 0 host bridge, 1.0 ISA bridge, 1.1 IDE, 1.3 power management, 2 VGA.
 */
import type { CharBackend } from '../../backends/chardev/char-backend'
import { NullCharBackend } from '../../backends/chardev/char-backend'
import type { CompletionGate } from '../../backends/completion-gate'
import type { DisplayBackend } from '../../backends/display/display-backend'
import type { Frame } from '../../backends/display/frame'
import { attachClaims } from '../../bus/attach'
import { assertNoConflicts } from '../../bus/claim-conflict'
import type { MmioBus } from '../../bus/mmio-bus'
import type { PioBus } from '../../bus/pio-bus'
import { HostBridge, type ShadowedRom } from '../../bus/pci/host-bridge'
import { IsaBridge } from '../../bus/pci/isa-bridge'
import { PciBus } from '../../bus/pci/pci-bus'
import type { PciFunction } from '../../bus/pci/pci-function'
import { AcpiPm } from '../../devices/acpi-pm/acpi-pm'
import type { ControllerView } from '../../devices/controller-view'
import { CoprocessorError } from '../../devices/coprocessor-error/coprocessor-error'
import { DebugConsole } from '../../devices/debug-console/debug-console'
import { DebugExit } from '../../devices/debug-exit/debug-exit'
import type { Device, ResetKind, SavedState } from '../../devices/device'
import { FwCfg } from '../../devices/fw-cfg/fw-cfg'
import { KEY_CPUS, KEY_MAX_CPUS, KEY_RAM_SIZE } from '../../devices/fw-cfg/registers'
import { Hpet } from '../../devices/hpet/hpet'
import { I8042 } from '../../devices/i8042/i8042'
import { AtaDisk } from '../../devices/ide/ata-disk'
import { AtapiCdrom } from '../../devices/ide/atapi-cdrom'
import { IdeController } from '../../devices/ide/ide-controller'
import { IoApic } from '../../devices/ioapic/ioapic'
import { ioApicView } from '../../devices/ioapic/view'
import { Lapic, type LapicProcessor } from '../../devices/lapic/lapic'
import { lapicView } from '../../devices/lapic/view'
import { Pic8259 } from '../../devices/pic-8259/pic'
import { picView } from '../../devices/pic-8259/view'
import { Pit8254 } from '../../devices/pit-8254/pit'
import { Port92 } from '../../devices/port-92/port-92'
import { setUpCmos } from '../../devices/rtc-mc146818/cmos-setup'
import { RtcMc146818 } from '../../devices/rtc-mc146818/rtc'
import { Uart16550 } from '../../devices/uart-16550/uart'
import { VirtioPci } from '../../devices/virtio/transport/virtio-pci'
import type { VirtioDevice } from '../../devices/virtio/virtio-device'
import { Vga } from '../../devices/vga/vga'
import { VmmError } from '../../errors/vmm-error'
import { ApicBus } from '../../irq/apic-bus'
import { GsiRouting } from '../../irq/gsi-routing'
import { MsiRouter } from '../../irq/msi'
import type { IrqLine } from '../../irq/line'
import { fanOut } from '../../irq/shared-line'
import { gpa, type VmTime } from '../../support/branded'
import type { GuestMemoryImpl, MappedRange } from '../../memory/guest-memory-impl'
import type { MemoryBlock } from '../../memory/guest-memory'
import type { Clock } from '../../time/clock'
import type { DeadlineQueue } from '../../time/deadline-queue'
import type { MachineEnd } from '../config'
import type { DriveFigures } from '../metered-drive'
import type { KeyEvent } from '../key-typist'
import type { ProcessorBus } from '../machine-io'
import type { Board } from './board'
import type { DriveBay } from './drive-bay'
import { processorBusOf } from './processor-bus'

/** What the board needs besides RAM: video memory, and firmware and option ROMs, rounded up generously. */
export function pcExtraBytes(videoMemoryBytes: number): number {
  return videoMemoryBytes + 0x800000
}

const COM_PORTS = [0x3f8, 0x2f8, 0x3e8, 0x2e8] as const
const COM_GSI = [4, 3, 4, 3] as const
/** PCI slots for devices that the configuration adds. */
const FIRST_FREE_SLOT = 3
const LAST_SLOT = 31
const GSI_KEYBOARD = 1
const GSI_RTC = 8
const GSI_SCI = 9
const GSI_MOUSE = 12
const GSI_COPROCESSOR = 13
const GSI_IDE = [14, 15] as const

/** A firmware image: its last 128 KiB show below 1 MiB, all of it below 4 GiB. */
export interface FirmwareImages {
  readonly bios: Uint8Array
  readonly vgaBios?: Uint8Array
}

export interface PcOptions {
  readonly pio: PioBus
  readonly mmio: MmioBus
  readonly memory: GuestMemoryImpl
  readonly clock: Clock
  readonly deadlines: DeadlineQueue
  readonly gate: CompletionGate
  readonly processor: LapicProcessor
  /** Bit 20 of physical addresses: passes (true) or is held at 0. */
  readonly setA20: (enabled: boolean) => void
  /** IGNNE#. */
  readonly ignoreFloatErrors: () => void
  readonly tscToTime: (tsc: number) => VmTime
  readonly requestReset: () => void
  readonly end: (end: MachineEnd) => void
  readonly drives: DriveBay
  /** Sit on PCI from slot 3 on, in this order. */
  readonly virtio: readonly VirtioDevice[]
  readonly serial: readonly CharBackend[]
  readonly debugConsole: CharBackend
  readonly debugExit: boolean
  readonly startEpochMs: number
  readonly firmware: FirmwareImages
  readonly bootOrder: readonly ('disk' | 'cdrom')[]
  /** A power of two. */
  readonly videoMemoryBytes: number
}

export class Pc440fx implements Board {
  readonly devices: readonly Device[]
  readonly lapic: Lapic
  private readonly pic: Pic8259
  private readonly ioApic: IoApic
  readonly pci: PciBus
  readonly rtc: RtcMc146818
  readonly vga: Vga
  readonly i8042: I8042
  readonly acpiPm: AcpiPm
  private readonly coprocessorError: CoprocessorError
  private readonly extraDevices: Device[] = []
  private readonly restoreEnds: { readonly first: readonly Device[]; readonly last: readonly Device[] }

  constructor(private readonly options: PcOptions) {
    const { pio, mmio, memory, deadlines, gate, requestReset } = options
    const roms = this.placeRoms()

    // Interrupts: GSIs to the 8259 pair and the I/O APIC, these to the local APIC.
    const apicBus = new ApicBus()
    const picOutput: { target: IrqLine | undefined } = { target: undefined }
    const pic = new Pic8259({ setLevel: (high) => picOutput.target?.setLevel(high) })
    this.lapic = new Lapic(deadlines, { apicId: 0, bootstrap: true, bus: apicBus, pic, processor: options.processor, tscToTime: options.tscToTime })
    const ioApic = new IoApic(apicBus)
    this.pic = pic
    this.ioApic = ioApic
    // The 8259 pair reaches the processor through LINT0, or, when the guest wires it so, as ExtINT through the I/O APIC's pin 0 (MP table).
    picOutput.target = fanOut(this.lapic.lint0, ioApic.pin(0))
    const gsi = new GsiRouting({ picPin: (pin) => pic.pin(pin), ioApicPin: (pin) => ioApic.pin(pin) })
    const line = (number: number): IrqLine => gsi.line(number)

    // PCI, then what sits on it.
    const hostBridge = new HostBridge({ memory, ram: memory.ram, roms })
    const isaBridge = new IsaBridge({ gsiLine: line, requestReset })
    this.pci = new PciBus({ pio, mmio, memory, pirq: isaBridge.pirq, resetControl: isaBridge })
    const ide = new IdeController(memory, [line(GSI_IDE[0]), line(GSI_IDE[1])])
    const vram = memory.allocateBlock('vram', options.videoMemoryBytes, 'ram')
    this.vga = new Vga({ clock: options.clock, vramBlock: vram, vram: memory.blockBytes(vram), takeDirty: () => memory.takeDirty(vram) })
    this.acpiPm = new AcpiPm(deadlines, {
      sci: line(GSI_SCI),
      requestPowerOff: () => options.end({ kind: 'power-off' }),
      mapPorts: (name, first, bytes, handler) => pio.mapDynamic(name, first, bytes, handler),
      timerBits: 24,
    })
    this.pci.attach('host bridge', 0, 0, hostBridge)
    this.pci.attach('isa bridge', 1, 0, isaBridge)
    this.pci.attach('ide', 1, 1, ide)
    this.pci.attach('power management', 1, 3, this.acpiPm)
    this.pci.attach('vga', 2, 0, this.vga)
    const msi = new MsiRouter(apicBus)
    if (options.virtio.length > LAST_SLOT - FIRST_FREE_SLOT + 1) throw new VmmError('config/contradiction', `a PC has room for ${LAST_SLOT - FIRST_FREE_SLOT + 1} virtio devices, not for ${options.virtio.length}; take some out`)
    const virtio = options.virtio.map((device, i) => {
      const slot = FIRST_FREE_SLOT + i
      const transport = new VirtioPci(device, { memory, intx: this.pci.intx(slot, 0, 1), msi })
      this.pci.attach(device.name, slot, 0, transport)
      return transport
    })

    // Timers. In its legacy mode the HPET takes the place of PIT and RTC on their lines.
    const pitGate = new GatedLine(line(0))
    const rtcGate = new GatedLine(line(GSI_RTC))
    const pit = new Pit8254(deadlines, pitGate)
    this.rtc = new RtcMc146818(deadlines, rtcGate, { startEpochMs: options.startEpochMs })
    const hpet = new Hpet(deadlines, {
      gsiLine: line,
      legacyTimer: line(0),
      legacyRtc: line(GSI_RTC),
      onLegacy: (on) => {
        pitGate.setOpen(!on)
        rtcGate.setOpen(!on)
      },
    })

    // A20 has two gates; the one written last decides.
    this.i8042 = new I8042({ timers: deadlines, keyboardIrq: line(GSI_KEYBOARD), mouseIrq: line(GSI_MOUSE), requestReset, setA20: options.setA20 })
    const port92 = new Port92({ a20: { setLevel: options.setA20 }, requestReset })

    const uarts = COM_PORTS.map((basePort, index) => new Uart16550(deadlines, line(COM_GSI[index] ?? 4), options.serial[index] ?? new NullCharBackend(), { index, basePort }))
    this.coprocessorError = new CoprocessorError({ irq: line(GSI_COPROCESSOR), ignoreErrors: options.ignoreFloatErrors })
    const fwCfg = this.describeBoard()
    const debugConsole = new DebugConsole(options.debugConsole)
    const debugExit = options.debugExit ? [new DebugExit((status) => options.end({ kind: 'debug-exit', status }))] : []

    for (const [index, drive] of options.drives.on('ide').entries()) {
      ide.channels[index < 2 ? 0 : 1].attach(index % 2 === 0 ? 0 : 1, (host) => {
        if (drive.kind === 'disk') return new AtaDisk(host, drive.medium, gate, { model: 'Vitrine hard disk', serial: drive.serial })
        const cdrom = new AtapiCdrom(host, drive.medium, gate, drive.serial)
        options.drives.isCdDrive(drive.position, cdrom)
        return cdrom
      })
    }

    const latches = new LatchState(pitGate, rtcGate)
    this.devices = [pic, ioApic, this.lapic, pit, this.rtc, hpet, port92, this.coprocessorError, this.i8042, ...uarts, fwCfg, debugConsole, ...debugExit, hostBridge, isaBridge, ide, this.acpiPm, this.vga, ...virtio, this.pci, latches]
    this.restoreEnds = { first: [latches], last: [pic, ioApic, this.lapic] }
    for (const device of this.devices) attachClaims(pio, mmio, device)
    assertNoConflicts(pio, mmio)
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

  /** What the vCPU's accesses and interrupts go through. */
  get processorBus(): ProcessorBus {
    return processorBusOf(this.lapic, () => {
      this.coprocessorError.raise()
      return true
    })
  }

  /** A device that is not on every PC (the built-in BIOS's call port). Before the first reset. */
  add(device: Device): void {
    attachClaims(this.pio, this.mmio, device)
    assertNoConflicts(this.pio, this.mmio)
    this.extraDevices.push(device)
  }

  get allDevices(): readonly Device[] {
    return [...this.devices, ...this.extraDevices]
  }

  /**
   * The board's own latches first; the interrupt controllers last, so that what devices do to their lines while they are restored makes no edge that
   * was not there when the machine was saved.
   */
  get loadOrder(): readonly Device[] {
    const { first, last } = this.restoreEnds
    return [...first, ...this.allDevices.filter((device) => !first.includes(device) && !last.includes(device)), ...last]
  }

  reset(kind: ResetKind): void {
    for (const device of this.allDevices) device.reset(kind)
  }

  pressPowerButton(): void {
    this.acpiPm.pressPowerButton()
  }

  key(event: KeyEvent): void {
    this.i8042.keyboard.key(event.code, event.pressed)
  }

  mouse(dx: number, dy: number, dz: number, buttons: number): void {
    this.i8042.mouse.move(dx, dy, dz, buttons)
  }

  connectDisplay(display: DisplayBackend | undefined): void {
    this.vga.connectDisplay(display)
  }

  refreshDisplay(): void {
    this.vga.refresh()
  }

  screenshot(): Frame {
    return this.vga.screenshot()
  }

  screenText(): readonly string[] {
    return this.vga.textScreen()
  }

  controllers(): readonly ControllerView[] {
    return [lapicView(this.lapic.save()), ioApicView(this.ioApic.save()), picView(this.pic.save())]
  }

  pciFunctions(): readonly PciFunction[] {
    return this.pci.functions()
  }

  memoryRanges(): readonly MappedRange[] {
    return this.options.memory.ranges()
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

  async close(): Promise<void> {
    await this.options.drives.close()
  }

  /** What a firmware image reads about the board: CMOS and fw_cfg. */
  private describeBoard(): FwCfg {
    const { memory, bootOrder, firmware } = this.options
    setUpCmos(this.rtc, { lowRamBytes: memory.lowRamBytes, highRamBytes: memory.ramBytes - memory.lowRamBytes, cpus: 1, bootOrder })
    const fwCfg = new FwCfg(memory)
    const number = (value: number, bytes: 2 | 8): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff)
    fwCfg.addItem(KEY_RAM_SIZE, number(memory.ramBytes, 8))
    fwCfg.addItem(KEY_CPUS, number(1, 2))
    fwCfg.addItem(KEY_MAX_CPUS, number(1, 2))
    // SeaBIOS clears the ROM area before it looks for ROMs; this is how it gets the VGA function's.
    if (firmware.vgaBios) fwCfg.addFile('pci1234,1111.rom', firmware.vgaBios)
    return fwCfg
  }

  /** The firmware image ends at 4 GiB; its last 128 KiB and the VGA BIOS show below 1 MiB. */
  private placeRoms(): readonly ShadowedRom[] {
    const { memory, firmware } = this.options
    const bios = this.rom('firmware', firmware.bios, true)
    const low = Math.min(bios.bytes, 0x20000)
    memory.map(gpa(0x100000000 - bios.bytes), bios, 0, bios.bytes)
    const roms: ShadowedRom[] = [{ first: 0x100000 - low, block: bios, offset: bios.bytes - low, bytes: low }]
    if (firmware.vgaBios) {
      const vgaBios = this.rom('vga bios', firmware.vgaBios, false)
      roms.push({ first: 0xc0000, block: vgaBios, offset: 0, bytes: vgaBios.bytes })
    }
    return roms
  }

  private rom(name: string, image: Uint8Array, atEnd: boolean): MemoryBlock {
    const block = this.options.memory.allocateBlock(name, image.length, 'rom')
    const bytes = this.options.memory.blockBytes(block)
    bytes.fill(0xff)
    bytes.set(image, atEnd ? block.bytes - image.length : 0)
    return block
  }
}

/** A line that can be cut: while it is, the target stays low. */
class GatedLine implements IrqLine {
  private level = false
  open = true

  constructor(private readonly target: IrqLine) {}

  setLevel(high: boolean): void {
    this.level = high
    if (this.open) this.target.setLevel(high)
  }

  setOpen(open: boolean): void {
    this.open = open
    this.target.setLevel(open && this.level)
  }
}

/** The board's own volatile state: whether the HPET has cut PIT and RTC off.  */
class LatchState implements Device<SavedState & { readonly open: readonly boolean[] }> {
  readonly name = 'pc-440fx'
  readonly claims = []

  constructor(...gates: readonly GatedLine[]) {
    this.gates = gates
  }

  private readonly gates: readonly GatedLine[]

  reset(): void {
    for (const gate of this.gates) gate.setOpen(true)
  }

  save(): SavedState & { readonly open: readonly boolean[] } {
    return { schema: ['pc-440fx', 1], open: this.gates.map((gate) => gate.open) }
  }

  load(state: SavedState & { readonly open: readonly boolean[] }): void {
    state.open.forEach((open, i) => this.gates[i]?.setOpen(open))
  }
}
