/**
 * The built-in BIOS's host side: answers the calls that the ROM's entry points make through port B4h (rom-source.ts). References: IBM
 * PS/2 and PC BIOS Interface Technical Reference; Ralf Brown's Interrupt List; BIOS Enhanced Disk Drive Specification 3.0; El Torito
 * 1.0; VBE Core Functions 3.0; PCI BIOS 2.1; ACPI 6.3, section 15 (E820).
 *
 * What is under way lives in guest memory (BDA, EBDA, the frames on the stack), so that little is left to save: services that wait are
 * generators, and one that waited when a state was saved is carried out anew after load. Services change nothing before they finish waiting
 * except what may be done twice (disk reads and writes of the same sectors).
 */
import type { Claim, Device, IoFault, PioHandler, SavedState } from '../../devices/device'
import { BAD_WIDTH } from '../../devices/device'
import { expectSchema } from '../../devices/saved-state'
import type { Width } from '../../bus/width'
import { memoryMap } from '../memory-map'
import type { MemoryMapEntry } from '../memory-map'
import { BiosContext } from './context'
import type { BiosOptions, BiosTask } from './host'
import { BIOS_CALL_PORT, SERVICE_BOOT_MENU, SERVICE_KEY, SERVICE_POST, SERVICE_RTC_INTERRUPT } from './rom-source'
import { buildBiosRom } from './rom'
import type { BiosRom } from './rom'
import { Post } from './post'
import { BootService } from './services/boot'
import { DiskService } from './services/disk'
import type { SavedEmulation } from './services/disk'
import { KeyboardService } from './services/keyboard'
import { PciBiosService } from './services/pci-bios'
import { PeripheralService } from './services/peripheral'
import { SystemService } from './services/system'
import { TimeService } from './services/time'
import { VideoService } from './services/video'

const MAY_HALT = 0x8000
/** Interrupts nest, but not without end: a guest that leaves frames behind loses the oldest. */
const MAXIMUM_TASKS = 16

export interface BiosState extends SavedState {
  readonly schema: readonly ['builtin-bios', 1]
  readonly rsdp: number
  readonly emulation: SavedEmulation | null
  readonly cdLocks: readonly number[]
  readonly bootTarget: number
}

interface RunningTask {
  readonly id: number
  readonly task: BiosTask
}

export class Bios implements Device<BiosState>, PioHandler {
  readonly name: string = 'builtin-bios'
  readonly claims: readonly Claim[]
  readonly rom: BiosRom
  readonly video: VideoService
  readonly disk: DiskService

  private readonly tasks = new Map<number, RunningTask>()
  private nextTask = 1
  private calledBy = -1
  private readonly services: ReadonlyMap<number, (context: BiosContext) => BiosTask | void>
  private readonly boot: BootService
  private readonly post: Post

  constructor(private readonly options: BiosOptions) {
    this.claims = [{ kind: 'pio', name: 'bios-call', first: BIOS_CALL_PORT, last: BIOS_CALL_PORT + 3, handler: this }]
    this.rom = buildBiosRom(options.fonts)
    const symbol = (name: string): number => this.rom.symbols.get(name) ?? 0
    const video = new VideoService(options, symbol)
    const keyboard = new KeyboardService(options)
    const disk = new DiskService(options)
    const time = new TimeService(options)
    const system = new SystemService(options, symbol)
    const pci = new PciBiosService(options, symbol)
    const peripheral = new PeripheralService(options)
    const boot = new BootService(options, video, keyboard, disk)
    const post = new Post(options, this.rom, video, disk)
    this.video = video
    this.disk = disk
    this.boot = boot
    this.post = post
    this.services = new Map<number, (context: BiosContext) => BiosTask | void>([
      [0x10, (context) => video.handle(context)],
      [0x11, (context) => system.equipment(context)],
      [0x12, (context) => system.baseMemory(context)],
      [0x13, (context) => disk.handle(context)],
      [0x14, (context) => peripheral.serial(context)],
      [0x15, (context) => system.handle(context)],
      [0x16, (context) => keyboard.handle(context)],
      [0x17, (context) => peripheral.printer(context)],
      [0x18, (context) => boot.bootFailed(context)],
      [0x19, (context) => boot.bootstrap(context)],
      [0x1a, (context) => (context.ah === 0xb1 ? pci.handle(context) : time.handle(context))],
      [SERVICE_POST, (context) => post.run(context)],
      [SERVICE_BOOT_MENU, (context) => boot.menu(context)],
      [SERVICE_KEY, (context) => keyboard.scanCode(context)],
      [SERVICE_RTC_INTERRUPT, (context) => time.interrupt(context)],
    ])
  }

  reset(): void {
    this.tasks.clear()
    this.calledBy = -1
    this.nextTask = 1
    this.disk.reset()
    this.post.rsdp = 0
    this.boot.reset()
  }

  /** Where the RSDP is, once power-on is through; 0 before. */
  get rsdp(): number {
    return this.post.rsdp
  }
  /** The map that E820h tells. */
  memoryMap(): readonly MemoryMapEntry[] {
    return memoryMap(this.options.memory)
  }

  pioRead(_port: number, width: Width): number | IoFault {
    return width === 4 ? 0 : BAD_WIDTH
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    if (width !== 4 || port !== BIOS_CALL_PORT) return BAD_WIDTH
    const instruction = this.options.instruction?.() ?? -1
    if (instruction >= 0 && instruction === this.calledBy) return undefined
    this.calledBy = instruction
    // SS:SP of the frame; whatever a guest writes here reaches only its own memory.
    const frame = (((value >>> 16) << 4) + (value & 0xffff)) >>> 0
    this.call(new BiosContext(this.options.memory, frame))
    return undefined
  }

  private call(context: BiosContext): void {
    const progress = context.progress & ~MAY_HALT
    const running = this.tasks.get(context.frame)
    if (running !== undefined && running.id === progress) {
      this.advance(context, running)
      return
    }
    this.tasks.delete(context.frame)
    const service = this.services.get(context.service)
    if (service === undefined) {
      context.progress = 0
      return
    }
    const task = service(context)
    if (!task) {
      context.progress = 0
      return
    }
    const id = this.nextTask
    this.nextTask = (this.nextTask % 0x7fff) + 1
    const started: RunningTask = { id, task }
    this.tasks.set(context.frame, started)
    if (this.tasks.size > MAXIMUM_TASKS) {
      const [oldest] = this.tasks.keys()
      if (oldest !== undefined) this.tasks.delete(oldest)
    }
    this.advance(context, started)
  }

  private advance(context: BiosContext, running: RunningTask): void {
    const step = running.task.next()
    if (step.done === true) {
      this.tasks.delete(context.frame)
      context.progress = 0
      return
    }
    context.progress = running.id | (step.value === 'halt' ? MAY_HALT : 0)
    if (step.value === 'poll') this.options.onPoll?.()
  }

  save(): BiosState {
    return {
      schema: ['builtin-bios', 1],
      rsdp: this.post.rsdp,
      emulation: this.disk.saveEmulation(),
      cdLocks: this.disk.saveLocks(),
      bootTarget: this.boot.target,
    }
  }

  load(state: BiosState): void {
    expectSchema(this.name, state, ['builtin-bios', 1])
    this.tasks.clear()
    this.calledBy = -1
    this.post.rsdp = state.rsdp
    this.disk.loadEmulation(state.emulation)
    this.disk.loadLocks(state.cdLocks)
    this.boot.target = state.bootTarget
  }
}
