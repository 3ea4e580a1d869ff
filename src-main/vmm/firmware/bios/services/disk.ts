/** INT 13h: disks. IBM PS/2 and PC BIOS Interface Technical Reference; BIOS Enhanced Disk Drive Specification 3.0 (T13 1386D); El Torito 1.0. */
import { gpa } from '../../../support/branded'
import * as bda from '../bda'
import type { BiosContext } from '../context'
import { linear } from '../context'
import type { BiosDisk, BiosOptions, BiosTask } from '../host'
import { flushDrive, readDrive, translatedGeometry, writeDrive } from './drives'
import type { Drive, Geometry } from './drives'
import { DISKETTE_GEOMETRY } from './el-torito'
import type { ElToritoEntry } from './el-torito'

const STATUS_OK = 0x00
const STATUS_BAD_COMMAND = 0x01
const STATUS_WRITE_PROTECTED = 0x03
const STATUS_NOT_FOUND = 0x04
const STATUS_CONTROLLER = 0x20
const STATUS_NO_MEDIUM = 0x31
const STATUS_TIMEOUT = 0x80
const STATUS_LOCKED = 0xb1
const STATUS_NOT_LOCKED = 0xb0
const STATUS_WRITE_FAULT = 0xcc

const FIRST_HARD_DISK = 0x80
export const FIRST_CD = 0xe0
/** INT 1Eh's table stands at a place that programs know. */
const DISKETTE_TYPE_1440K = 4

/** What was booted from a CD, as saved: media 0 without emulation; `disk` counts CD drives. */
export interface SavedEmulation {
  readonly media: number
  readonly disk: number
  readonly lba: number
  readonly loadSegment: number
  readonly sectorCount: number
  /** Of an emulated hard disk; 0: as other disks have it. */
  readonly heads: number
  readonly sectorsPerTrack: number
}

export interface DiskEmulation {
  readonly media: 1 | 2 | 3 | 4
  readonly disk: BiosDisk
  /** Drive number of the CD itself. */
  readonly cdDrive: number
  readonly entry: ElToritoEntry
  /** Sectors of 512 bytes. */
  readonly sectors: number
  /** Of a hard disk whose partition table tells it. */
  readonly shape?: { readonly heads: number; readonly sectors: number } | undefined
}

export class DiskService {
  private emulation: DiskEmulation | undefined
  /** What was booted without emulation: for INT 13h AX=4B01h. */
  private bootedCd: { readonly cdDrive: number; readonly entry: ElToritoEntry } | undefined
  /** Locked trays by CD number: how many times. */
  private readonly locks = new Map<number, number>()

  constructor(private readonly options: BiosOptions) {}

  reset(): void {
    this.emulation = undefined
    this.bootedCd = undefined
    this.locks.clear()
  }

  // ---- which drives there are --------------------------------------------------------------------------------------------------------

  get hardDisks(): readonly BiosDisk[] {
    return this.options.disks.filter((disk) => disk.kind === 'disk')
  }
  get cdDrives(): readonly BiosDisk[] {
    return this.options.disks.filter((disk) => disk.kind === 'cdrom')
  }

  emulate(emulation: DiskEmulation | undefined): void {
    this.emulation = emulation
    const { memory } = this.options
    const equipment = memory.readU16(gpa(bda.BDA_EQUIPMENT)) & ~0xc1
    memory.writeU16(gpa(bda.BDA_EQUIPMENT), equipment | (emulation !== undefined && emulation.media !== 4 ? 1 : 0))
    memory.writeU8(gpa(bda.BDA_DISK_COUNT), this.hardDiskCount)
  }
  noteBootedCd(cdDrive: number, entry: ElToritoEntry): void {
    this.bootedCd = { cdDrive, entry }
  }

  private get hardDiskCount(): number {
    return this.hardDisks.length + (this.emulation?.media === 4 ? 1 : 0)
  }
  private get floppyCount(): number {
    return this.emulation !== undefined && this.emulation.media !== 4 ? 1 : 0
  }

  drive(number: number): Drive | undefined {
    const { emulation } = this
    if (number < FIRST_HARD_DISK) return number === 0 && emulation !== undefined && emulation.media !== 4 ? this.emulatedDrive(emulation) : undefined
    if (number >= FIRST_CD) {
      const disk = this.cdDrives[number - FIRST_CD]
      if (disk === undefined) return undefined
      const geometry = translatedGeometry(disk.sectors)
      return { disk, sectorBytes: 2048, sectors: disk.sectors, geometry, isFloppy: false, readOnly: true, imageLba: undefined }
    }
    const isEmulated = emulation?.media === 4
    if (isEmulated && number === FIRST_HARD_DISK) return this.emulatedDrive(emulation)
    const disk = this.hardDisks[number - FIRST_HARD_DISK - (isEmulated ? 1 : 0)]
    if (disk === undefined) return undefined
    const geometry = translatedGeometry(disk.sectors)
    return { disk, sectorBytes: 512, sectors: disk.sectors, geometry, isFloppy: false, readOnly: disk.readOnly, imageLba: undefined }
  }

  private emulatedDrive(emulation: DiskEmulation): Drive {
    const { disk, sectors, media, entry } = emulation
    const shape = media === 4 ? undefined : DISKETTE_GEOMETRY[media]
    const geometry = shape === undefined ? hardDiskGeometry(emulation) : { cylinders: shape[0], heads: shape[1], sectors: shape[2] }
    return { disk, sectorBytes: 512, sectors, geometry, isFloppy: media !== 4, readOnly: true, imageLba: entry.lba }
  }

  /** At power-on: number of disks, and the parameter tables that INT 41h and 46h point to. */
  setUpTables(): void {
    const { memory } = this.options
    memory.writeU8(gpa(bda.BDA_DISK_COUNT), this.hardDiskCount)
    ;[bda.EBDA_DISK_TABLE_0, bda.EBDA_DISK_TABLE_1].forEach((address, i) => {
      const disk = this.hardDisks[i]
      memory.fill(gpa(address), 16, 0)
      if (disk === undefined) return
      const { cylinders, heads, sectors } = translatedGeometry(disk.sectors)
      memory.writeU16(gpa(address), cylinders)
      memory.writeU8(gpa(address + 2), heads)
      memory.writeU16(gpa(address + 5), 0xffff)
      memory.writeU8(gpa(address + 8), heads > 8 ? 0xc8 : 0xc0)
      memory.writeU16(gpa(address + 12), cylinders)
      memory.writeU8(gpa(address + 14), sectors)
    })
  }

  // ---- INT 13h --------------------------------------------------------------------------------------------------------------------------

  handle(context: BiosContext): BiosTask | undefined {
    const number = context.dl
    const drive = this.drive(number)
    if (context.ah === 0x01) {
      const status = this.options.memory.readU8(gpa(this.statusAddress(number)))
      this.finish(context, number, status)
      return undefined
    }
    if (context.ah === 0x4b) {
      this.emulationControl(context)
      return undefined
    }
    if (context.ah === 0x08) {
      this.parameters(context, drive)
      return undefined
    }
    if (context.ah === 0x15) {
      this.driveType(context, drive)
      return undefined
    }
    if (drive === undefined) {
      this.finish(context, number, number < FIRST_HARD_DISK ? STATUS_TIMEOUT : STATUS_BAD_COMMAND)
      return undefined
    }
    switch (context.ah) {
      case 0x00:
      case 0x0d:
      case 0x09:
      case 0x10:
      case 0x11:
      case 0x14:
        this.finish(context, number, STATUS_OK)
        return undefined
      case 0x16:
        // The medium of an emulated diskette does not change.
        this.finish(context, number, drive.isFloppy ? STATUS_OK : STATUS_BAD_COMMAND)
        return undefined
      case 0x0c:
        this.finish(context, number, this.chsToLba(context, drive) === undefined ? STATUS_NOT_FOUND : STATUS_OK)
        return undefined
      case 0x02:
      case 0x03:
      case 0x04:
        if (number >= FIRST_CD) break
        return this.transferChs(context, drive, context.ah)
      case 0x41:
        this.extensionsPresent(context, drive)
        return undefined
      case 0x42:
      case 0x43:
      case 0x44:
      case 0x47:
        if (drive.isFloppy) break
        return this.transferLba(context, drive, context.ah)
      case 0x45:
        this.lock(context)
        return undefined
      case 0x46:
      case 0x49:
        this.mediumControl(context, drive)
        return undefined
      case 0x48:
        this.extendedParameters(context, drive)
        return undefined
    }
    this.options.unsupported?.(`INT 13h AH=${context.ah.toString(16)}h DL=${number.toString(16)}h`)
    this.finish(context, number, STATUS_BAD_COMMAND)
    return undefined
  }

  private statusAddress(number: number): number {
    return number < FIRST_HARD_DISK ? bda.BDA_FLOPPY_STATUS : bda.BDA_DISK_STATUS
  }
  private finish(context: BiosContext, number: number, status: number): void {
    this.options.memory.writeU8(gpa(this.statusAddress(number)), status)
    context.ah = status
    context.carry = status !== STATUS_OK
  }

  private chsToLba(context: BiosContext, drive: Drive): number | undefined {
    const { geometry } = drive
    const cylinder = context.ch | ((context.cl & 0xc0) << 2)
    const sector = context.cl & 0x3f
    const head = context.dh
    if (sector === 0 || sector > geometry.sectors || head >= geometry.heads) return undefined
    const lba = (cylinder * geometry.heads + head) * geometry.sectors + sector - 1
    return lba < drive.sectors ? lba : undefined
  }

  private *transferChs(context: BiosContext, drive: Drive, command: number): BiosTask {
    const number = context.dl
    const count = context.al
    const lba = this.chsToLba(context, drive)
    if (count === 0 || count > 128 || lba === undefined || lba + count > drive.sectors) {
      context.al = 0
      this.finish(context, number, count === 0 || count > 128 ? STATUS_BAD_COMMAND : STATUS_NOT_FOUND)
      return
    }
    const status = yield* this.transfer(drive, command, lba, count, linear(context.es, context.bx))
    if (status !== STATUS_OK) context.al = 0
    this.finish(context, number, status)
  }

  /** 2 reads, 3 writes, 4 verifies. */
  private *transfer(drive: Drive, command: number, lba: number, count: number, address: number): BiosTask<number> {
    if (command === 4) return STATUS_OK
    if (command === 3) {
      if (drive.readOnly) return STATUS_WRITE_PROTECTED
      const isWritten = yield* writeDrive(this.options, drive, lba, count, address)
      return isWritten ? STATUS_OK : STATUS_WRITE_FAULT
    }
    const isRead = yield* readDrive(this.options, drive, lba, count, address)
    return isRead ? STATUS_OK : STATUS_CONTROLLER
  }

  private parameters(context: BiosContext, drive: Drive | undefined): void {
    const number = context.dl
    const isFloppy = number < FIRST_HARD_DISK
    const count = isFloppy ? this.floppyCount : this.hardDiskCount
    if (drive === undefined || number >= FIRST_CD) {
      if (isFloppy && count === 0) {
        // No diskette drives: said by zeroes, not by an error.
        context.ax = 0
        context.bx = 0
        context.cx = 0
        context.dx = 0
        this.finish(context, number, STATUS_OK)
        return
      }
      this.finish(context, number, isFloppy ? STATUS_BAD_COMMAND : 0x07)
      return
    }
    const { cylinders, heads, sectors } = drive.geometry
    // The last cylinder of a hard disk was for tests, but what loaders expect today is all of them.
    const last = cylinders - 1
    context.al = 0
    context.ch = last
    context.cl = sectors | ((last >> 2) & 0xc0)
    context.dh = heads - 1
    context.dl = count
    if (isFloppy) {
      context.bx = this.emulation?.media === 1 ? 2 : this.emulation?.media === 3 ? 6 : DISKETTE_TYPE_1440K
      const { memory } = this.options
      context.es = memory.readU16(gpa(0x1e * 4 + 2))
      context.di = memory.readU16(gpa(0x1e * 4))
    }
    this.finish(context, number, STATUS_OK)
  }

  private driveType(context: BiosContext, drive: Drive | undefined): void {
    const number = context.dl
    context.carry = false
    if (drive === undefined || number >= FIRST_CD) {
      context.ah = 0
      context.carry = number >= FIRST_HARD_DISK
      return
    }
    if (drive.isFloppy) {
      context.ah = 1
      return
    }
    context.ah = 3
    const sectors = Math.min(drive.sectors, drive.geometry.cylinders * drive.geometry.heads * drive.geometry.sectors)
    context.cx = sectors >>> 16
    context.dx = sectors & 0xffff
    this.options.memory.writeU8(gpa(bda.BDA_DISK_STATUS), 0)
  }

  // ---- extensions -------------------------------------------------------------------------------------------------------------------------

  private extensionsPresent(context: BiosContext, drive: Drive): void {
    if (context.bx !== 0x55aa || drive.isFloppy) {
      this.finish(context, context.dl, STATUS_BAD_COMMAND)
      return
    }
    context.bx = 0xaa55
    // Extended access and EDD; removable media functions on CDs.
    context.cx = context.dl >= FIRST_CD ? 0x0007 : 0x0005
    this.options.memory.writeU8(gpa(bda.BDA_DISK_STATUS), 0)
    context.ah = 0x30
    context.carry = false
  }

  private *transferLba(context: BiosContext, drive: Drive, command: number): BiosTask {
    const number = context.dl
    const packet = { segment: context.ds, offset: context.si }
    const size = context.read8(packet.segment, packet.offset)
    if (size < 0x10) {
      this.finish(context, number, STATUS_BAD_COMMAND)
      return
    }
    let count = context.read16(packet.segment, packet.offset + 2)
    const pointer = context.read32(packet.segment, packet.offset + 4)
    const lba = context.read32(packet.segment, packet.offset + 8) + context.read32(packet.segment, packet.offset + 12) * 0x100000000
    let address = linear(pointer >>> 16, pointer & 0xffff)
    if (pointer === 0xffffffff && size >= 0x18) {
      address = context.read32(packet.segment, packet.offset + 16) + context.read32(packet.segment, packet.offset + 20) * 0x100000000
      if (size >= 0x20 && count === 0xffff) count = 0
    }
    if (drive.sectors === 0) {
      this.finish(context, number, STATUS_NO_MEDIUM)
      return
    }
    if (!(lba + count <= drive.sectors) || address > Number.MAX_SAFE_INTEGER / 2) {
      context.write16(packet.segment, packet.offset + 2, 0)
      this.finish(context, number, STATUS_BAD_COMMAND)
      return
    }
    if (command === 0x47 || count === 0) {
      this.finish(context, number, STATUS_OK)
      return
    }
    const status = yield* this.transfer(drive, command - 0x40, lba, count, address)
    if (command === 0x43 && status === STATUS_OK && context.al !== 0) yield* flushDrive(drive)
    if (status !== STATUS_OK) context.write16(packet.segment, packet.offset + 2, 0)
    this.finish(context, number, status)
  }

  private extendedParameters(context: BiosContext, drive: Drive): void {
    const { ds, si } = context
    const room = context.read16(ds, si)
    if (room < 0x1a || drive.isFloppy) {
      this.finish(context, context.dl, STATUS_BAD_COMMAND)
      return
    }
    const isCd = context.dl >= FIRST_CD
    const block = new Uint8Array(0x1e)
    const view = new DataView(block.buffer)
    const { cylinders, heads, sectors } = drive.geometry
    const bytes = room >= 0x1e ? 0x1e : 0x1a
    view.setUint16(0, bytes, true)
    // Geometry is valid; a CD is removable, reports no change, can be locked.
    view.setUint16(2, isCd ? 0x74 : 0x02, true)
    view.setUint32(4, isCd ? 0xffffffff : cylinders, true)
    view.setUint32(8, isCd ? 0xffffffff : heads, true)
    view.setUint32(12, isCd ? 0xffffffff : sectors, true)
    view.setUint32(16, isCd ? 0xffffffff : drive.sectors % 0x100000000, true)
    view.setUint32(20, isCd ? 0xffffffff : Math.floor(drive.sectors / 0x100000000), true)
    view.setUint16(24, drive.sectorBytes, true)
    // No table of device parameters.
    view.setUint32(26, 0xffffffff, true)
    context.writeBytes(ds, si, block.subarray(0, bytes))
    this.finish(context, context.dl, STATUS_OK)
  }

  private lock(context: BiosContext): void {
    const number = context.dl
    if (number < FIRST_CD) {
      this.finish(context, number, STATUS_BAD_COMMAND)
      return
    }
    const locks = this.locks.get(number) ?? 0
    let status = STATUS_OK
    if (context.al === 0) {
      if (locks >= 0xff) status = 0xb4
      else this.locks.set(number, locks + 1)
    } else if (context.al === 1) {
      if (locks === 0) status = STATUS_NOT_LOCKED
      else this.locks.set(number, locks - 1)
    } else if (context.al !== 2) status = STATUS_BAD_COMMAND
    context.al = (this.locks.get(number) ?? 0) > 0 ? 1 : 0
    this.finish(context, number, status)
  }

  /** 46h ejects (the tray is the host's: nothing moves), 49h asks whether the medium changed. */
  private mediumControl(context: BiosContext, drive: Drive): void {
    const number = context.dl
    if (number < FIRST_CD) {
      this.finish(context, number, STATUS_BAD_COMMAND)
      return
    }
    if (context.ah === 0x49) this.finish(context, number, drive.sectors === 0 ? STATUS_NO_MEDIUM : STATUS_OK)
    else this.finish(context, number, (this.locks.get(number) ?? 0) > 0 ? STATUS_LOCKED : 0xb2)
  }

  /** AH=4Bh: the El Torito specification packet, section 4.1; AL=00h ends the emulation. */
  private emulationControl(context: BiosContext): void {
    const number = context.dl
    const { emulation } = this
    const isEmulated = emulation !== undefined && (number === (emulation.media === 4 ? 0x80 : 0) || number === 0x7f)
    const isBooted = this.bootedCd !== undefined && (number === this.bootedCd.cdDrive || number === 0x7f)
    if ((context.al !== 0 && context.al !== 1) || (!isEmulated && !isBooted)) {
      this.finish(context, number, STATUS_BAD_COMMAND)
      return
    }
    const entry = isEmulated ? emulation.entry : this.bootedCd?.entry
    const cdDrive = isEmulated ? emulation.cdDrive : (this.bootedCd?.cdDrive ?? 0)
    if (entry === undefined) {
      this.finish(context, number, STATUS_BAD_COMMAND)
      return
    }
    const packet = new Uint8Array(0x13)
    const view = new DataView(packet.buffer)
    packet[0] = 0x13
    packet[1] = entry.media
    packet[2] = isEmulated ? (entry.media === 4 ? 0x80 : 0) : cdDrive
    packet[3] = 0
    view.setUint32(4, entry.lba, true)
    view.setUint16(8, cdDrive - FIRST_CD, true)
    view.setUint16(12, entry.loadSegment, true)
    view.setUint16(14, entry.sectorCount, true)
    if (isEmulated) {
      const { cylinders, heads, sectors } = this.emulatedDrive(emulation).geometry
      packet[16] = (cylinders - 1) & 0xff
      packet[17] = sectors | (((cylinders - 1) >> 2) & 0xc0)
      packet[18] = heads - 1
    }
    context.writeBytes(context.ds, context.si, packet)
    if (context.al === 0 && isEmulated) {
      this.noteBootedCd(cdDrive, entry)
      this.emulate(undefined)
    }
    this.finish(context, number, STATUS_OK)
  }

  // ---- saved state -------------------------------------------------------------------------------------------------------------------------

  saveEmulation(): SavedEmulation | null {
    const source = this.emulation ?? this.bootedCd
    if (source === undefined) return null
    const { entry, cdDrive } = source
    const shape = this.emulation?.shape
    return { media: this.emulation === undefined ? 0 : entry.media, disk: cdDrive - FIRST_CD, lba: entry.lba, loadSegment: entry.loadSegment, sectorCount: entry.sectorCount, heads: shape?.heads ?? 0, sectorsPerTrack: shape?.sectors ?? 0 }
  }
  saveLocks(): number[] {
    return this.cdDrives.map((_, i) => this.locks.get(FIRST_CD + i) ?? 0)
  }
  loadLocks(locks: readonly number[]): void {
    this.locks.clear()
    locks.forEach((count, i) => this.locks.set(FIRST_CD + i, count))
  }
  loadEmulation(state: SavedEmulation | null): void {
    this.emulation = undefined
    this.bootedCd = undefined
    if (state === null) return
    const disk = this.cdDrives[state.disk]
    const { media } = state
    if (disk === undefined || (media !== 0 && media !== 1 && media !== 2 && media !== 3 && media !== 4)) return
    const entry: ElToritoEntry = { media, loadSegment: state.loadSegment, sectorCount: state.sectorCount, lba: state.lba }
    if (media === 0) this.bootedCd = { cdDrive: FIRST_CD + state.disk, entry }
    else {
      const { heads, sectorsPerTrack: sectors } = state
      const isShape = heads >= 1 && heads <= 255 && sectors >= 1 && sectors <= 63
      this.emulation = { media, disk, cdDrive: FIRST_CD + state.disk, entry, sectors: emulatedSectors(media, disk, state.lba), ...(isShape ? { shape: { heads, sectors } } : {}) }
    }
  }
}

function hardDiskGeometry({ sectors, shape }: DiskEmulation): Geometry {
  if (shape === undefined) return translatedGeometry(sectors)
  return { cylinders: Math.min(1024, Math.max(1, Math.floor(sectors / (shape.heads * shape.sectors)))), ...shape }
}

/** How many sectors of 512 bytes an emulated drive has. */
export function emulatedSectors(media: 1 | 2 | 3 | 4, disk: BiosDisk, lba: number): number {
  if (media === 4) return Math.max(0, (disk.sectors - lba) * 4)
  const [cylinders, heads, sectors] = DISKETTE_GEOMETRY[media]
  return cylinders * heads * sectors
}

