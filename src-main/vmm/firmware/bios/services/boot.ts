/** INT 18h, INT 19h, the sign-on and the boot menu. BIOS Boot Specification 1.01; El Torito 1.0, section 3. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import type { BiosDisk, BiosOptions, BiosTask } from '../host'
import { emulatedSectors, FIRST_CD } from './disk'
import type { DiskService } from './disk'
import { readDrive, readToBuffer } from './drives'
import { BOOT_RECORD_LBA, bootCatalogueLba, CD_SECTOR_BYTES, parseBootCatalogue, partitionGeometry } from './el-torito'
import type { ElToritoEntry } from './el-torito'
import type { KeyboardService } from './keyboard'
import type { VideoService } from './video'

const BOOT_ADDRESS = 0x7c00
const KEY_F12 = 0x8600
const KEY_ESC = 0x011b
const DEFAULT_MENU_DELAY = 400
const NS_PER_MS = 1_000_000

interface Target {
  /** Position in options.disks: what a choice is remembered by. */
  readonly index: number
  readonly disk: BiosDisk
  readonly drive: number
}

export class BootService {
  /** Chosen in the menu: index of the disk, or -1. */
  target = -1

  constructor(
    private readonly options: BiosOptions,
    private readonly video: VideoService,
    private readonly keyboard: KeyboardService,
    private readonly disk: DiskService,
  ) {}

  reset(): void {
    this.target = -1
  }

  private print(text: string): void {
    for (const character of text.replaceAll('\n', '\r\n')) this.video.screen.teletype(0, character.charCodeAt(0) & 0xff, undefined)
  }

  private get targets(): readonly Target[] {
    let hardDisk = 0x80
    let cd = FIRST_CD
    return this.options.disks.map((disk, index) => ({ index, disk, drive: disk.kind === 'cdrom' ? cd++ : hardDisk++ }))
  }

  /** In the order in which they are tried. */
  private get order(): readonly Target[] {
    const { targets } = this
    const chosen = targets.find((target) => target.index === this.target)
    if (chosen !== undefined) return [chosen]
    return this.options.bootOrder.flatMap((kind) => targets.filter((target) => target.disk.kind === kind))
  }

  /** After POST: says who we are, and offers the menu. */
  *menu(_context: BiosContext): BiosTask {
    if (this.options.directBoot !== undefined) {
      this.options.directBoot()
      for (;;) yield 'poll'
    }
    const { memory, now, menuDelayMilliseconds = DEFAULT_MENU_DELAY } = this.options
    const mebibytes = Math.floor(memory.ramBytes / 0x100000)
    this.print(`Vitrine BIOS\n${mebibytes} MiB memory, ${this.options.cpus} processor${this.options.cpus === 1 ? '' : 's'}\n`)
    for (const { disk } of this.targets) this.print(`${disk.kind === 'cdrom' ? 'CD-ROM' : 'Disk  '} ${disk.model}\n`)
    if (this.options.disks.length > 0) this.print('\nF12 or Esc: boot menu\n')
    const { showMenu } = this.options
    let isWanted = typeof showMenu === 'function' ? showMenu() : showMenu === true
    const end = now() + menuDelayMilliseconds * NS_PER_MS
    while (!isWanted && now() < end && this.options.disks.length > 0) {
      const key = this.keyboard.take()
      if (key === KEY_F12 || key === KEY_ESC) isWanted = true
      // A guest can make its key buffer endless: other keys are no reason to stay here.
      else yield key === undefined ? 'halt' : 'poll'
    }
    if (isWanted) yield* this.showMenu()
    this.print('\n')
  }

  private *showMenu(): BiosTask {
    const { targets } = this
    this.print('\nBoot from:\n')
    targets.slice(0, 9).forEach(({ disk }, i) => this.print(`  ${i + 1}. ${disk.kind === 'cdrom' ? 'CD-ROM' : 'Disk'}  ${disk.model}${disk.sectors === 0 ? ' (empty)' : ''}\n`))
    this.print('  Esc: as configured\n')
    for (;;) {
      const key = this.keyboard.take()
      if (key === undefined) {
        yield 'halt'
        continue
      }
      if (key === KEY_ESC) return
      const target = targets[(key & 0xff) - 0x31]
      if (target !== undefined) {
        this.target = target.index
        return
      }
      yield 'poll'
    }
  }

  *bootstrap(context: BiosContext): BiosTask {
    const { order } = this
    if (this.options.disks.length === 0) this.print('There is no disk or CD in this machine.\n')
    for (const target of order) {
      this.disk.emulate(undefined)
      const reason = target.disk.kind === 'cdrom' ? yield* this.bootCd(context, target) : yield* this.bootDisk(context, target)
      if (reason === undefined) return
      this.print(`${target.disk.kind === 'cdrom' ? 'CD-ROM' : 'Disk'} ${target.disk.model}: ${reason}\n`)
    }
    this.printNothingBootable()
    yield* this.waitForRestart()
  }

  /** INT 18h: a boot sector gave up. */
  *bootFailed(_context: BiosContext): BiosTask {
    this.printNothingBootable()
    yield* this.waitForRestart()
  }

  private printNothingBootable(): void {
    this.print('\nNothing to boot from. Insert a bootable disk or CD, then press a key to restart.\n')
  }
  private *waitForRestart(): BiosTask {
    while (this.keyboard.take() === undefined) yield 'halt'
    this.options.io.pioWrite(0x64, 1, 0xfe)
    for (;;) yield 'halt'
  }

  /** Undefined: booting. Else why not. */
  private *bootDisk(context: BiosContext, target: Target): BiosTask<string | undefined> {
    const { memory } = this.options
    const drive = this.disk.drive(target.drive)
    if (drive === undefined || drive.sectors === 0) return 'no medium'
    if (!(yield* readDrive(this.options, drive, 0, 1, BOOT_ADDRESS))) return 'read error'
    if (memory.readU16(gpa(BOOT_ADDRESS + 510)) !== 0xaa55) return 'not bootable (no boot signature)'
    this.print('Booting from disk...\n')
    this.start(context, 0, BOOT_ADDRESS, target.drive)
    return undefined
  }

  private *bootCd(context: BiosContext, target: Target): BiosTask<string | undefined> {
    const { disk } = target
    if (disk.sectors === 0) return 'no medium'
    const sector = new Uint8Array(CD_SECTOR_BYTES)
    if (!(yield* readToBuffer(disk, BOOT_RECORD_LBA, sector))) return 'read error'
    const catalogue = bootCatalogueLba(sector)
    if (catalogue === undefined) return 'not bootable (no El Torito boot record)'
    if (!(yield* readToBuffer(disk, catalogue, sector))) return 'read error in the boot catalogue'
    const entry = parseBootCatalogue(sector)
    if (entry === undefined) return 'not bootable (no entry for a PC in the boot catalogue)'
    return yield* this.bootEntry(context, target, entry)
  }

  private *bootEntry(context: BiosContext, target: Target, entry: ElToritoEntry): BiosTask<string | undefined> {
    const { memory } = this.options
    const { disk } = target
    const { media } = entry
    const address = entry.loadSegment * 16
    if (media === 0) {
      const drive = this.disk.drive(target.drive)
      if (drive === undefined) return 'no medium'
      const bytes = Math.max(1, entry.sectorCount) * 512
      const sectors = Math.ceil(bytes / CD_SECTOR_BYTES)
      if (entry.lba + sectors > drive.sectors || address + sectors * CD_SECTOR_BYTES > 0xa0000) return 'the boot image lies outside of the medium'
      if (!(yield* readDrive(this.options, drive, entry.lba, sectors, address))) return 'read error in the boot image'
      this.disk.noteBootedCd(target.drive, entry)
      this.print('Booting from CD-ROM...\n')
      this.start(context, entry.loadSegment, 0, target.drive)
      return undefined
    }
    this.disk.emulate({ media, disk, cdDrive: target.drive, entry, sectors: emulatedSectors(media, disk, entry.lba) })
    const number = media === 4 ? 0x80 : 0
    const drive = this.disk.drive(number)
    if (drive === undefined || !(yield* readDrive(this.options, drive, 0, 1, address))) {
      this.disk.emulate(undefined)
      return 'read error in the boot image'
    }
    if (media === 4 && memory.readU16(gpa(address + 510)) !== 0xaa55) {
      this.disk.emulate(undefined)
      return 'the hard disk image has no boot signature'
    }
    if (media === 4) {
      const sector = new Uint8Array(512)
      memory.read(gpa(address), sector)
      this.disk.emulate({ media, disk, cdDrive: target.drive, entry, sectors: emulatedSectors(media, disk, entry.lba), shape: partitionGeometry(sector) })
    }
    this.print(`Booting from CD-ROM (${media === 4 ? 'hard disk' : 'diskette'} emulation)...\n`)
    if (entry.loadSegment === 0x7c0) this.start(context, 0, BOOT_ADDRESS, number)
    else this.start(context, entry.loadSegment, 0, number)
    return undefined
  }

  private start(context: BiosContext, segment: number, offset: number, drive: number): void {
    const { memory } = this.options
    memory.writeU16(gpa(bda.BDA_RESET_FLAG), 0)
    context.eax = 0xaa55
    context.ebx = 0
    context.ecx = 0
    context.edx = drive
    context.ds = 0
    context.es = 0
    context.returnTo(segment, offset)
    context.enableInterrupts()
  }
}
