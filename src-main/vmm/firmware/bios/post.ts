/** Power-on: brings the chips and the data areas into the state that boot loaders and operating systems expect. */
import { gpa } from '../../support/branded'
import { placeTables } from '../tables'
import * as bda from './bda'
import type { BiosContext } from './context'
import type { BiosOptions } from './host'
import { setShadowRam, setUpPci } from './pci-setup'
import { BIOS_ROM_ADDRESS, BIOS_SEGMENT } from './rom'
import type { BiosRom } from './rom'
import { ROM_FONT_8X8_HIGH, ROM_TABLES } from './rom-source'
import type { DiskService } from './services/disk'
import type { VideoService } from './services/video'

const LAPIC = 0xfee00000
const LAPIC_SPURIOUS = 0xf0
const LAPIC_LINT0 = 0x350
const LAPIC_LINT1 = 0x360

/** CMOS registers. Index 80h keeps NMI off while we look. */
const CMOS_SHUTDOWN = 0x0f
const SHUTDOWN_JUMP_WITH_EOI = 0x05
const SHUTDOWN_JUMP = 0x0a

export class Post {
  rsdp = 0

  constructor(
    private readonly options: BiosOptions,
    private readonly rom: BiosRom,
    private readonly video: VideoService,
    private readonly disk: DiskService,
  ) {}

  private get symbol(): (name: string) => number {
    return (name) => this.rom.symbols.get(name) ?? 0
  }

  run(context: BiosContext): void {
    const { io, memory } = this.options
    const shutdown = this.cmosRead(CMOS_SHUTDOWN)
    this.cmosWrite(CMOS_SHUTDOWN, 0)
    if (shutdown === SHUTDOWN_JUMP || shutdown === SHUTDOWN_JUMP_WITH_EOI) {
      // A program reset the processor to get out of protected mode and waits for us to jump.
      if (shutdown === SHUTDOWN_JUMP_WITH_EOI) io.pioWrite(0x20, 1, 0x20)
      context.returnTo(memory.readU16(gpa(bda.BDA_RESET_VECTOR + 2)), memory.readU16(gpa(bda.BDA_RESET_VECTOR)))
      return
    }
    io.pioWrite(0x92, 1, 2)
    setUpPci(io)
    setShadowRam(io, true)
    memory.write(gpa(BIOS_ROM_ADDRESS), this.rom.bytes)
    this.setUpInterruptControllers()
    this.setUpTimer()
    this.setUpKeyboardController()
    this.setUpVectors()
    this.setUpDataArea()
    this.setUpLocalApic()
    this.setUpClock()
    this.disk.setUpTables()
    this.video.initialize()
    this.setUpTables()
    setShadowRam(io, false)
  }

  private cmosRead(register: number): number {
    this.options.io.pioWrite(0x70, 1, register | 0x80)
    return this.options.io.pioRead(0x71, 1)
  }
  private cmosWrite(register: number, value: number): void {
    this.options.io.pioWrite(0x70, 1, register | 0x80)
    this.options.io.pioWrite(0x71, 1, value)
  }

  /** 8259 pair: vectors 08h and 70h, edge-triggered, cascade on IRQ 2. Timer, keyboard, cascade and disks are let through. */
  private setUpInterruptControllers(): void {
    const { io } = this.options
    for (const [port, value] of [
      [0x20, 0x11], [0xa0, 0x11],
      [0x21, 0x08], [0xa1, 0x70],
      [0x21, 0x04], [0xa1, 0x02],
      [0x21, 0x01], [0xa1, 0x01],
      [0x21, 0xb8], [0xa1, 0x8e],
    ] as const) {
      io.pioWrite(port, 1, value)
    }
  }

  /** 8254: counter 0 at 18.2 Hz, counter 1 as the refresh of old, counter 2 ready for the speaker. */
  private setUpTimer(): void {
    const { io } = this.options
    for (const [port, value] of [[0x43, 0x34], [0x40, 0], [0x40, 0], [0x43, 0x54], [0x41, 0x12], [0x43, 0xb6], [0x42, 0x33], [0x42, 0x05]] as const) {
      io.pioWrite(port, 1, value)
    }
  }

  /** Sends to the i8042 without waiting for the chip longer than it ever takes: ours answers at once. */
  private keyboardWrite(port: 0x60 | 0x64, value: number): void {
    const { io } = this.options
    for (let i = 0; i < 100 && (io.pioRead(0x64, 1) & 2) !== 0; i++) continue
    io.pioWrite(port, 1, value)
  }
  private drainKeyboard(): void {
    const { io } = this.options
    for (let i = 0; i < 64 && (io.pioRead(0x64, 1) & 1) !== 0; i++) io.pioRead(0x60, 1)
  }

  private setUpKeyboardController(): void {
    this.drainKeyboard()
    this.keyboardWrite(0x64, 0xaa)
    this.drainKeyboard()
    this.keyboardWrite(0x64, 0xae)
    this.keyboardWrite(0x60, 0xf4)
    this.drainKeyboard()
    // Interrupt on, translation to set 1, system flag; the mouse stays off until somebody asks.
    this.keyboardWrite(0x64, 0x60)
    this.keyboardWrite(0x60, 0x65)
    this.drainKeyboard()
  }

  private setVector(vector: number, segment: number, offset: number): void {
    const { memory } = this.options
    memory.writeU16(gpa(vector * 4), offset)
    memory.writeU16(gpa(vector * 4 + 2), segment)
  }

  private setUpVectors(): void {
    const { symbol } = this
    for (let vector = 0; vector < 0x78; vector++) this.setVector(vector, BIOS_SEGMENT, symbol('dummy'))
    for (let vector = 0x78; vector < 0x100; vector++) this.setVector(vector, 0, 0)
    // 60h..67h are for programs, which take a zero for "free".
    for (let vector = 0x60; vector < 0x68; vector++) this.setVector(vector, 0, 0)
    for (let vector = 0x0a; vector < 0x10; vector++) this.setVector(vector, BIOS_SEGMENT, symbol('irq_master'))
    for (let vector = 0x70; vector < 0x78; vector++) this.setVector(vector, BIOS_SEGMENT, symbol('irq_slave'))
    for (const vector of [0x02, 0x08, 0x09, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x70, 0x71, 0x75, 0x76]) {
      this.setVector(vector, BIOS_SEGMENT, symbol(`int_${vector.toString(16).padStart(2, '0')}`))
    }
    this.setVector(0x77, BIOS_SEGMENT, symbol('int_76'))
    this.setVector(0x1d, BIOS_SEGMENT, symbol('video_parameters'))
    this.setVector(0x1e, BIOS_SEGMENT, symbol('diskette_parameters'))
    this.setVector(0x1f, BIOS_SEGMENT, ROM_FONT_8X8_HIGH)
    this.setVector(0x40, BIOS_SEGMENT, symbol('int_13'))
    this.setVector(0x42, BIOS_SEGMENT, symbol('int_10'))
    this.setVector(0x41, bda.EBDA_SEGMENT, bda.EBDA_DISK_TABLE_0 - bda.EBDA_ADDRESS)
    this.setVector(0x46, bda.EBDA_SEGMENT, bda.EBDA_DISK_TABLE_1 - bda.EBDA_ADDRESS)
  }

  private setUpDataArea(): void {
    const { memory, serialPorts = [0x3f8, 0x2f8, 0x3e8, 0x2e8] } = this.options
    memory.fill(gpa(0x400), 0x100, 0)
    memory.fill(gpa(bda.EBDA_ADDRESS), 0x400, 0)
    memory.writeU8(gpa(bda.EBDA_ADDRESS), 1)
    serialPorts.slice(0, 4).forEach((port, i) => {
      memory.writeU16(gpa(bda.BDA_COM_PORTS + i * 2), port)
      memory.writeU8(gpa(bda.BDA_COM_TIMEOUTS + i), 10)
      memory.writeU8(gpa(bda.BDA_LPT_TIMEOUTS + i), 20)
    })
    memory.writeU16(gpa(bda.BDA_EBDA_SEGMENT), bda.EBDA_SEGMENT)
    // Coprocessor, 80x25 colour, PS/2 mouse, number of serial ports.
    memory.writeU16(gpa(bda.BDA_EQUIPMENT), 0x26 | (Math.min(serialPorts.length, 4) << 9))
    memory.writeU16(gpa(bda.BDA_BASE_MEMORY_KIB), 639)
    memory.writeU16(gpa(bda.BDA_KEY_HEAD), bda.BDA_KEY_BUFFER - 0x400)
    memory.writeU16(gpa(bda.BDA_KEY_TAIL), bda.BDA_KEY_BUFFER - 0x400)
    memory.writeU16(gpa(bda.BDA_KEY_BUFFER_START), bda.BDA_KEY_BUFFER - 0x400)
    memory.writeU16(gpa(bda.BDA_KEY_BUFFER_END), bda.BDA_KEY_BUFFER - 0x400 + 32)
    memory.writeU8(gpa(bda.BDA_KEYBOARD_FLAGS_3), 0x10)
  }

  /** Virtual wire mode: the 8259's interrupts come in as ExtINT on LINT0. MultiProcessor Specification 1.4, section 3.6.2.2. */
  private setUpLocalApic(): void {
    const { io } = this.options
    io.memoryWrite(LAPIC + LAPIC_SPURIOUS, 4, 0x10f)
    io.memoryWrite(LAPIC + LAPIC_LINT0, 4, 0x8700)
    io.memoryWrite(LAPIC + LAPIC_LINT1, 4, 0x8400)
  }

  /** The tick count of the day from the RTC. */
  private setUpClock(): void {
    const { memory } = this.options
    const fromBcd = (n: number): number => (n >> 4) * 10 + (n & 15)
    this.cmosWrite(0x0a, 0x26)
    this.cmosWrite(0x0b, 0x02)
    this.cmosRead(0x0c)
    this.cmosRead(0x0d)
    const seconds = fromBcd(this.cmosRead(0)) + fromBcd(this.cmosRead(2)) * 60 + fromBcd(this.cmosRead(4)) * 3600
    memory.writeU32(gpa(bda.BDA_TICKS), Math.floor((seconds * 1193182) / 65536) % 0x1800b0)
    // Memory sizes where programs look for them.
    const extendedKib = Math.min(0xffff, Math.floor((memory.lowRamBytes - 0x100000) / 1024))
    const above16 = Math.min(0xffff, Math.max(0, Math.floor((memory.lowRamBytes - 0x1000000) / 0x10000)))
    const above4g = Math.floor((memory.ramBytes - memory.lowRamBytes) / 0x10000)
    for (const [register, value] of [
      [0x15, 639 & 0xff], [0x16, 639 >> 8],
      [0x17, extendedKib & 0xff], [0x18, extendedKib >> 8],
      [0x30, extendedKib & 0xff], [0x31, extendedKib >> 8],
      [0x34, above16 & 0xff], [0x35, above16 >> 8],
      [0x5b, above4g & 0xff], [0x5c, (above4g >> 8) & 0xff], [0x5d, (above4g >> 16) & 0xff],
    ] as const) {
      this.cmosWrite(register, value)
    }
  }

  private setUpTables(): void {
    const { memory, cpus, uuid, serialPorts = [0x3f8, 0x2f8, 0x3e8, 0x2e8] } = this.options
    const probe = gpa(BIOS_ROM_ADDRESS + ROM_TABLES)
    memory.writeU32(probe, 0x12345678)
    const isWritable = memory.readU32(probe) === 0x12345678
    memory.writeU32(probe, 0xffffffff)
    const { rsdp } = placeTables(memory, { cpus, serialPorts: serialPorts.length, ...(uuid === undefined ? {} : { uuid }), anchorsAt: isWritable ? BIOS_ROM_ADDRESS + ROM_TABLES : bda.EBDA_RSDP })
    this.rsdp = rsdp
  }
}
