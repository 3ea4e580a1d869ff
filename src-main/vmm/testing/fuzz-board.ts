/**
 * Hammers a whole board as a hostile guest could: every claimed port and memory-mapped range, PCI configuration space, the BIOS's call port and the
 * disks' command registers, with any value and width, between steps of virtual time, over guest memory full of nonsense. Seeded: the same seed
 * does the same. What it looks for are exceptions out of devices, accesses that take too long, and queues that grow.
 */
import { RETIRED } from '../cpu/layout'
import { BIOS_CALL_PORT } from '../firmware/bios/rom-source'
import type { Machine } from '../machine/machine'
import { gpa, vmTime } from '../support/branded'
import type { Width } from '../bus/width'
import type { Random } from './random'

export interface BoardFuzzReport {
  readonly accesses: number
  /** The longest single access in milliseconds, and what it was. */
  readonly slowest: { readonly ms: number; readonly what: string }
  /** The most host requests and armed timers seen at a time. */
  readonly mostPending: number
  readonly mostTimers: number
}

interface Range {
  readonly owner: string
  readonly first: number
  readonly last: number
}

const WIDTHS: readonly Width[] = [1, 1, 1, 2, 4]
const PORT_CONFIG_ADDRESS = 0xcf8
const PORT_CONFIG_DATA = 0xcfc
const PCI_SLOTS = 3
const IDE_COMMANDS = [0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x90, 0x91, 0x08, 0xa0, 0xa1, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xe7, 0xec, 0xef] as const
const BIOS_SERVICES = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x100, 0x101, 0x109, 0x170] as const
/** The frame's place of the service's number (firmware/bios/context.ts), and of AX, where most services look. */
const FRAME_SERVICE = 38
const FRAME_EAX = 34
const VIDEO_WINDOW = 0xa0000
const LAPIC = 0xfee00000
const HOST_TURN_STEPS = 64

export class BoardFuzzer {
  private accesses = 0
  private slowest = { ms: 0, what: '' }
  private mostPending = 0
  private mostTimers = 0

  constructor(
    private readonly machine: Machine,
    private readonly random: Random,
  ) {}

  /** Runs until `steps` steps are done or `until` says stop. */
  async run(steps: number, until: () => boolean = () => false): Promise<BoardFuzzReport> {
    const { gate } = this.machine.parts
    for (let i = 0; i < steps && !until(); i++) {
      this.step()
      if (i % HOST_TURN_STEPS === 0) await new Promise((resolve) => setImmediate(resolve))
      this.mostPending = Math.max(this.mostPending, gate.pending)
      this.mostTimers = Math.max(this.mostTimers, this.machine.parts.deadlines.pending().length)
    }
    const { accesses, slowest, mostPending, mostTimers } = this
    return { accesses, slowest, mostPending, mostTimers }
  }

  private step(): void {
    const kind = this.random.below(100)
    if (kind < 35) this.port()
    else if (kind < 55) this.memory()
    else if (kind < 62) this.pci()
    else if (kind < 72) this.ide()
    else if (kind < 80) this.bios()
    else if (kind < 88) this.nonsense()
    else if (kind < 97) this.time()
    else if (kind < 99) this.timed('draw', () => void this.machine.screenshot())
    else if (this.random.below(8) === 0) this.timed('reset', () => this.machine.parts.board.reset('hard'))
    else this.timed('screen text', () => void this.machine.screenText())
  }

  // ---- accesses ----------------------------------------------------------------------------------------------------------------------

  private timed(what: string, work: () => void): void {
    this.accesses++
    const begin = performance.now()
    try {
      work()
    } catch (error) {
      throw new Error(`access ${this.accesses}, ${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, { cause: error })
    }
    const ms = performance.now() - begin
    if (ms > this.slowest.ms) this.slowest = { ms, what }
  }

  private in(port: number, width: Width): void {
    this.timed(`in ${port.toString(16)} width ${width}`, () => void this.machine.parts.io.pioRead(port, width))
  }

  private out(port: number, width: Width, value: number): void {
    this.timed(`out ${port.toString(16)} width ${width} value ${value.toString(16)}`, () => this.machine.parts.io.pioWrite(port, width, value))
  }

  private width(): Width {
    return WIDTHS[this.random.below(WIDTHS.length)] ?? 1
  }

  /** Edges more often than chance would have them. */
  private value(width: Width): number {
    const limit = 2 ** (8 * width)
    const kind = this.random.below(6)
    if (kind === 0) return 0
    if (kind === 1) return limit - 1
    if (kind === 2) return 2 ** this.random.below(8 * width)
    if (kind === 3) return this.random.below(16)
    return this.random.below(limit)
  }

  private within(ranges: readonly Range[]): number {
    const range = ranges[this.random.below(ranges.length)]
    if (range === undefined) return 0
    const spread = range.last - range.first + 1
    // The first registers of large ranges are where the device is.
    return range.first + this.random.below(this.random.below(2) === 0 ? spread : Math.min(spread, 0x400))
  }

  private port(): void {
    const port = this.within(this.machine.parts.board.pio.routesInUse())
    if (port >= BIOS_CALL_PORT && port < BIOS_CALL_PORT + 4) return
    const width = this.width()
    if (this.random.below(3) === 0) this.in(port, width)
    else this.out(port, width, this.value(width))
  }

  private memory(): void {
    const ranges = [...this.machine.parts.board.mmio.routesInUse(), { owner: 'lapic', first: LAPIC, last: LAPIC + 0xfff }]
    const width = this.width()
    const address = Math.floor((this.random.below(8) === 0 ? VIDEO_WINDOW + this.random.below(0x20000) : this.within(ranges)) / width) * width
    const { io } = this.machine.parts
    const what = `${address.toString(16)} width ${width}`
    if (this.random.below(3) === 0) this.timed(`read ${what}`, () => void io.mmioRead(gpa(address), width))
    else {
      const value = this.value(width)
      this.timed(`write ${what} value ${value.toString(16)}`, () => io.mmioWrite(gpa(address), width, value))
    }
  }

  private pci(): void {
    const slot = this.random.below(PCI_SLOTS)
    const fn = this.random.below(8)
    const register = this.random.below(4) === 0 ? 0x10 + this.random.below(6) * 4 : this.random.below(64) * 4
    this.out(PORT_CONFIG_ADDRESS, 4, 0x80000000 + slot * 0x800 + fn * 0x100 + register)
    const width = this.width()
    const port = PORT_CONFIG_DATA + this.random.below(4)
    if (this.random.below(3) === 0) this.in(port, width)
    else this.out(port, width, this.value(width))
    // Command register: without decoding nothing of the rest has an effect.
    this.out(PORT_CONFIG_ADDRESS, 4, 0x80000000 + slot * 0x800 + fn * 0x100 + 4)
    this.out(PORT_CONFIG_DATA, 2, 7)
  }

  private ide(): void {
    const base = this.random.below(2) === 0 ? 0x1f0 : 0x170
    for (let register = 1; register < 7; register++) {
      // Small addresses and counts most of the time, so that commands are carried out.
      const small = this.random.below(4) !== 0
      this.out(base + register, 1, register === 6 ? 0x40 | (this.random.below(2) << 4) : small ? this.random.below(4) : this.value(1))
    }
    if (this.random.below(4) === 0) this.out(base + 0x206, 1, this.value(1) & 6)
    this.out(base + 7, 1, this.random.below(3) === 0 ? this.value(1) : (IDE_COMMANDS[this.random.below(IDE_COMMANDS.length)] ?? 0xec))
    const words = this.random.below(3) === 0 ? 256 : 6
    for (let i = 0; i < words; i++) {
      if (this.random.below(2) === 0) this.in(base, 2)
      else this.out(base, 2, this.value(2))
    }
  }

  private bios(): void {
    const { view } = this
    const segment = 0x1000 + this.random.below(0x7000)
    const frame = segment * 16
    for (let i = 0; i < 48; i++) view.setUint8(frame + i, this.value(1))
    view.setUint16(frame, 0, true)
    view.setUint16(frame + FRAME_SERVICE, BIOS_SERVICES[this.random.below(BIOS_SERVICES.length)] ?? 0x10, true)
    view.setUint8(frame + FRAME_EAX + 1, this.random.below(3) === 0 ? this.value(1) : this.random.below(0x20))
    const times = 1 + this.random.below(4)
    for (let i = 0; i < times; i++) {
      this.nextInstruction()
      this.out(BIOS_CALL_PORT, 4, segment * 0x10000)
    }
  }

  /** As if the guest had gone on: the BIOS answers one call of an instruction. */
  private nextInstruction(): void {
    const { memory, vcpuBase } = this.machine.parts
    const view = new DataView(memory.buffer)
    view.setBigUint64(vcpuBase + RETIRED, view.getBigUint64(vcpuBase + RETIRED, true) + 1n, true)
  }

  /** Guest memory: descriptor tables, the BIOS's data area and everything else a device or service looks at. */
  private nonsense(): void {
    const at = this.random.below(3) === 0 ? 0x400 + this.random.below(0x100) : this.random.below(0x90000)
    for (let i = 0; i < 32; i++) this.view.setUint8(at + i, this.value(1))
  }

  private time(): void {
    const { clock, deadlines, gate, wakeable } = this.machine.parts
    const next = deadlines.next()
    const far = this.random.below(10) === 0 ? 10 ** (6 + this.random.below(8)) : this.random.below(5_000_000)
    void clock.idle(this.random.below(2) === 0 && next !== undefined ? next : vmTime(clock.now() + far), wakeable)
    this.timed('timers', () => void deadlines.runDue(clock.now()))
    this.timed('completions', () => gate.deliver())
  }

  private get view(): DataView {
    const { memory, board } = this.machine.parts
    const ram = board.blocks.find((block) => block.kind === 'ram')
    return new DataView(memory.buffer, ram?.hostOffset ?? 0)
  }
}
