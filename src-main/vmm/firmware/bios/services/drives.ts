/** Reading and writing drives from services: tasks that wait for the host. */
import { gpa } from '../../../support/branded'
import type { BiosDisk, BiosDiskRequest, BiosOptions, BiosTask } from '../host'

export interface Geometry {
  readonly cylinders: number
  readonly heads: number
  readonly sectors: number
}

/** LBA-assisted translation as BIOSes have done it since 1994: 63 sectors, as few heads as reach the end within 1024 cylinders. */
export function translatedGeometry(sectorsInAll: number): Geometry {
  const sectors = 63
  const heads = [16, 32, 64, 128].find((n) => sectorsInAll <= 1024 * n * sectors) ?? 255
  return { cylinders: Math.min(1024, Math.max(1, Math.floor(sectorsInAll / (heads * sectors)))), heads, sectors }
}

/** What a drive number stands for: a whole disk, or a part of a CD that plays a diskette or hard disk. */
export interface Drive {
  readonly disk: BiosDisk
  readonly sectorBytes: 512 | 2048
  readonly sectors: number
  readonly geometry: Geometry
  readonly isFloppy: boolean
  readonly readOnly: boolean
  /** Set for emulated drives: first CD sector of the image. */
  readonly imageLba: number | undefined
}

/** The most that one request moves when it cannot go straight to RAM. */
const BOUNCE_BYTES = 0x10000

function* finish(request: BiosDiskRequest): BiosTask<boolean> {
  while (request.state === 'pending') yield 'poll'
  return request.state === 'done'
}

/** Bytes of an image that starts at a sector of the medium, read through a buffer. */
function* readImage(disk: BiosDisk, imageLba: number, offset: number, target: Uint8Array): BiosTask<boolean> {
  const first = Math.floor(offset / disk.sectorBytes)
  const last = Math.floor((offset + target.length - 1) / disk.sectorBytes)
  if (imageLba + last >= disk.sectors) return false
  const buffer = new Uint8Array((last - first + 1) * disk.sectorBytes)
  if (!(yield* finish(disk.read(imageLba + first, [buffer])))) return false
  const start = offset - first * disk.sectorBytes
  target.set(buffer.subarray(start, start + target.length))
  return true
}

/** Sectors of the medium into a buffer of the host. */
export function* readToBuffer(disk: BiosDisk, lba: number, target: Uint8Array): BiosTask<boolean> {
  if (lba + target.length / disk.sectorBytes > disk.sectors) return false
  return yield* finish(disk.read(lba, [target]))
}

/** Sectors [lba, lba + count) of the drive to guest memory at `address`. False: an error of the medium. The caller checks the range. */
export function* readDrive(options: BiosOptions, drive: Drive, lba: number, count: number, address: number): BiosTask<boolean> {
  const { memory } = options
  const { disk, sectorBytes, imageLba } = drive
  const bytes = count * sectorBytes
  if (imageLba === undefined) {
    const views = memory.views(gpa(address), bytes)
    if (views !== undefined) {
      if (!(yield* finish(disk.read(lba, views)))) return false
      memory.finishWrite(gpa(address), bytes)
      return true
    }
  }
  for (let done = 0; done < bytes; ) {
    const piece = new Uint8Array(Math.min(BOUNCE_BYTES, bytes - done))
    const isRead =
      imageLba === undefined
        ? yield* finish(disk.read(lba + done / sectorBytes, [piece]))
        : yield* readImage(disk, imageLba, lba * sectorBytes + done, piece)
    if (!isRead) return false
    storeBytes(options, address + done, piece)
    done += piece.length
  }
  return true
}

/** Into RAM, or what else is there (a program may read a picture straight to the screen). */
function storeBytes(options: BiosOptions, address: number, bytes: Uint8Array): void {
  const { memory, io } = options
  if (memory.views(gpa(address), bytes.length) !== undefined) {
    memory.write(gpa(address), bytes)
    return
  }
  bytes.forEach((byte, i) => io.memoryWrite(address + i, 1, byte))
}

export function* writeDrive(options: BiosOptions, drive: Drive, lba: number, count: number, address: number): BiosTask<boolean> {
  const { memory } = options
  const bytes = count * drive.sectorBytes
  const views = memory.views(gpa(address), bytes)
  if (views !== undefined) return yield* finish(drive.disk.write(lba, views))
  for (let done = 0; done < bytes; ) {
    const piece = new Uint8Array(Math.min(BOUNCE_BYTES, bytes - done))
    memory.read(gpa(address + done), piece)
    if (!(yield* finish(drive.disk.write(lba + done / drive.sectorBytes, [piece])))) return false
    done += piece.length
  }
  return true
}

export function* flushDrive(drive: Drive): BiosTask<boolean> {
  const request = drive.disk.flush?.()
  return request === undefined ? true : yield* finish(request)
}
