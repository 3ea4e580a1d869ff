/**
 * The command set of a CD-ROM drive without its transport: SCSI MMC-3 (T10/1363-D) and SPC-2. Commands become data to send, a read of sectors,
 * or a sense code.
 */
import { CD_SECTOR_BYTES } from '../ide/registers'

export interface Sense {
  readonly key: number
  readonly code: number
  readonly qualifier: number
}
export const NO_SENSE: Sense = { key: 0, code: 0, qualifier: 0 }
export const NOT_READY_NO_MEDIUM: Sense = { key: 2, code: 0x3a, qualifier: 0 }
export const UNIT_ATTENTION_MEDIUM_CHANGED: Sense = { key: 6, code: 0x28, qualifier: 0 }
export const MEDIUM_ERROR_READ: Sense = { key: 3, code: 0x11, qualifier: 0 }
export const ILLEGAL_OPCODE: Sense = { key: 5, code: 0x20, qualifier: 0 }
export const LBA_OUT_OF_RANGE: Sense = { key: 5, code: 0x21, qualifier: 0 }
export const INVALID_FIELD: Sense = { key: 5, code: 0x24, qualifier: 0 }
const REMOVAL_PREVENTED: Sense = { key: 5, code: 0x53, qualifier: 2 }

export type CdAction =
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'read'; readonly lba: number; readonly count: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'sense'; readonly sense: Sense }

/** What commands need to know of, and do to, the drive. */
export interface CdDrive {
  /** 2048-byte sectors of the medium; undefined: no medium. */
  readonly sectors: number | undefined
  readonly model: string
  locked: boolean
  /** Media event that GET EVENT STATUS NOTIFICATION reports once: 0 none, 2 new medium, 3 removed, 1 eject requested. */
  takeMediaEvent(): number
  /** Sense kept for REQUEST SENSE; reading it clears it. */
  takeSense(): Sense
  /** Medium changed since the last command that reports unit attention. */
  takeUnitAttention(): boolean
  openTray(): void
  closeTray(): void
  readonly trayOpen: boolean
}

const data = (bytes: Uint8Array, limit: number): CdAction => ({ kind: 'data', data: bytes.subarray(0, Math.min(bytes.length, limit)) })
const sense = (what: Sense): CdAction => ({ kind: 'sense', sense: what })
const DONE: CdAction = { kind: 'done' }

/** Commands that work without a medium and do not report unit attention. */
const ALWAYS_ALLOWED = new Set([0x03, 0x12, 0x46, 0x4a])

export function executeCd(drive: CdDrive, packet: Uint8Array): CdAction {
  const opcode = packet[0] ?? 0
  if (!ALWAYS_ALLOWED.has(opcode) && drive.takeUnitAttention()) return sense(UNIT_ATTENTION_MEDIUM_CHANGED)
  switch (opcode) {
    case 0x00: // TEST UNIT READY
      return drive.sectors === undefined ? sense(NOT_READY_NO_MEDIUM) : DONE
    case 0x03: // REQUEST SENSE
      return data(senseData(drive.takeSense()), packet[4] ?? 0)
    case 0x12: // INQUIRY
      return data(inquiry(drive.model), packet[4] ?? 0)
    case 0x1a: // MODE SENSE (6)
      return modeSense(drive, (packet[2] ?? 0) & 0x3f, packet[4] ?? 0, 6)
    case 0x5a: // MODE SENSE (10)
      return modeSense(drive, (packet[2] ?? 0) & 0x3f, be16(packet, 7), 10)
    case 0x1b: // START STOP UNIT
      return startStop(drive, packet[4] ?? 0)
    case 0x1e: // PREVENT ALLOW MEDIUM REMOVAL
      drive.locked = ((packet[4] ?? 0) & 1) !== 0
      return DONE
    case 0x46: // GET CONFIGURATION
      return data(configuration(drive), be16(packet, 7))
    case 0x4a: // GET EVENT STATUS NOTIFICATION
      return eventStatus(drive, packet)
    case 0xbb: // SET CD SPEED
      return DONE
    case 0xbd: // MECHANISM STATUS
      return data(Uint8Array.of(0, drive.trayOpen ? 0x10 : 0, 0, 0, 0, 1, 0, 0), be16(packet, 8))
    default:
      return drive.sectors === undefined ? withoutMedium(opcode) : withMedium(packet, opcode, drive.sectors)
  }
}

const NEEDS_MEDIUM = new Set([0x25, 0x28, 0xa8, 0x2b, 0x42, 0x43, 0x51, 0xbe, 0xb9, 0x2f])

function withoutMedium(opcode: number): CdAction {
  return sense(NEEDS_MEDIUM.has(opcode) ? NOT_READY_NO_MEDIUM : ILLEGAL_OPCODE)
}

function withMedium(packet: Uint8Array, opcode: number, sectors: number): CdAction {
  switch (opcode) {
    case 0x25: {
      const out = new Uint8Array(8)
      putBe32(out, 0, sectors - 1)
      putBe32(out, 4, CD_SECTOR_BYTES)
      return data(out, 8)
    }
    case 0x28: // READ (10)
      return read(be32(packet, 2), be16(packet, 7), sectors)
    case 0xa8: // READ (12)
      return read(be32(packet, 2), be32(packet, 6), sectors)
    case 0xbe: // READ CD: user data of mode 1 sectors only
      if (((packet[9] ?? 0) & 0xf8) === 0) return DONE
      return ((packet[9] ?? 0) & 0xf8) === 0x10 ? read(be32(packet, 2), be32(packet, 5) & 0xffffff, sectors) : sense(INVALID_FIELD)
    case 0x2b: // SEEK
      return be32(packet, 2) < sectors ? DONE : sense(LBA_OUT_OF_RANGE)
    case 0x2f: // VERIFY
      return DONE
    case 0x42: // READ SUB-CHANNEL: no audio
      return data(Uint8Array.of(0, 0x15, 0, 0), be16(packet, 7))
    case 0x43:
      return toc(packet, sectors)
    case 0x51: {
      // READ DISC INFORMATION: complete, one session, one track
      const out = new Uint8Array(34)
      out.set([0, 32, 0x0e, 1, 1, 1, 1, 0x20])
      return data(out, be16(packet, 7))
    }
    default:
      return sense(ILLEGAL_OPCODE)
  }
}

function read(lba: number, count: number, sectors: number): CdAction {
  if (lba + count > sectors) return sense(LBA_OUT_OF_RANGE)
  return count === 0 ? DONE : { kind: 'read', lba, count }
}

function startStop(drive: CdDrive, flags: number): CdAction {
  if ((flags & 2) === 0) return DONE
  if (flags & 1) drive.closeTray()
  else if (drive.locked) return sense(REMOVAL_PREVENTED)
  else drive.openTray()
  return DONE
}

export function senseData({ key, code, qualifier }: Sense): Uint8Array {
  const out = new Uint8Array(18)
  out[0] = 0x70
  out[2] = key
  out[7] = 10
  out[12] = code
  out[13] = qualifier
  return out
}

function inquiry(model: string): Uint8Array {
  const out = new Uint8Array(36)
  out.set([0x05, 0x80, 0x00, 0x21, 31])
  ascii(out, 8, 8, 'VITRINE')
  ascii(out, 16, 16, model)
  ascii(out, 32, 4, '1.0')
  return out
}

function modeSense(drive: CdDrive, page: number, limit: number, form: 6 | 10): CdAction {
  const pages: Record<number, number[]> = {
    0x01: [0x01, 6, 0, 5, 0, 0, 0, 0],
    0x0d: [0x0d, 6, 0, 0, 0, 60, 0, 75],
    0x0e: [0x0e, 14, 4, 0, 0, 0, 0, 75, 1, 255, 2, 255, 0, 0, 0, 0],
    // Capabilities: reads CD-R(W), DVD; tray loader, lock and eject; speed 64 x 176 kB/s
    0x2a: [0x2a, 18, 0x3b, 0, 0x71, 0x60, 0x29 | (drive.locked ? 2 : 0), 0, 0x2c, 0, 0, 2, 2, 0, 0x2c, 0, 0, 0, 0, 0],
  }
  const wanted = page === 0x3f ? Object.values(pages) : [pages[page]]
  if (wanted.some((p) => p === undefined)) return sense(INVALID_FIELD)
  const body = wanted.flatMap((p) => p ?? [])
  const header = form === 6 ? [body.length + 3, mediumType(drive), 0, 0] : [(body.length + 6) >> 8, (body.length + 6) & 0xff, mediumType(drive), 0, 0, 0, 0, 0]
  return data(Uint8Array.from([...header, ...body]), limit)
}

function mediumType(drive: CdDrive): number {
  return drive.trayOpen ? 0x71 : drive.sectors === undefined ? 0x70 : 0x01
}

function configuration(drive: CdDrive): Uint8Array {
  const profile = drive.sectors === undefined ? 0 : 0x0008
  const features = [
    [0, 0, 3, 4, 0, 8, drive.sectors === undefined ? 0 : 1, 0], // profile list: CD-ROM
    [0, 1, 3, 8, 0, 0, 0, 2, 1, 0, 0, 0], // core: ATAPI
    [0, 3, 3, 4, 0x29, 0, 0, 0], // removable medium: tray, eject, lock
    [0, 0x10, 1, 8, 0, 0, 8, 0, 0, 1, 0, 0], // random readable, 2048-byte blocks
    [0, 0x1e, 1, 4, 0, 0, 0, 0], // CD read
  ].flat()
  const out = new Uint8Array(8 + features.length)
  putBe32(out, 0, 4 + features.length)
  out[6] = profile >> 8
  out[7] = profile & 0xff
  out.set(features, 8)
  return out
}

function eventStatus(drive: CdDrive, packet: Uint8Array): CdAction {
  if (((packet[1] ?? 0) & 1) === 0) return sense(INVALID_FIELD) // asynchronous operation
  const limit = be16(packet, 7)
  if (((packet[4] ?? 0) & 0x10) === 0) return data(Uint8Array.of(0, 2, 0x80, 0x10), limit) // no event of a wanted class
  const state = (drive.trayOpen ? 1 : 0) | (drive.sectors === undefined ? 0 : 2)
  return data(Uint8Array.of(0, 6, 0x04, 0x10, drive.takeMediaEvent(), state, 0, 0), limit)
}

/** READ TOC/PMA/ATIP: one data track and the lead-out. */
function toc(packet: Uint8Array, sectors: number): CdAction {
  const msf = ((packet[1] ?? 0) & 2) !== 0
  const format = ((packet[2] ?? 0) & 0x0f) || (packet[9] ?? 0) >> 6
  const track = packet[6] ?? 0
  const limit = be16(packet, 7)
  const address = (lba: number): number[] => {
    if (!msf) return [(lba >>> 24) & 0xff, (lba >>> 16) & 0xff, (lba >>> 8) & 0xff, lba & 0xff]
    const frames = lba + 150
    return [0, Math.floor(frames / 4500), Math.floor(frames / 75) % 60, frames % 75]
  }
  if (format === 0) {
    if (track > 1 && track !== 0xaa) return sense(INVALID_FIELD)
    const first = track <= 1 ? [0, 0x14, 1, 0, ...address(0)] : []
    const body = [1, 1, ...first, 0, 0x14, 0xaa, 0, ...address(sectors)]
    return data(Uint8Array.from([0, body.length, ...body]), limit)
  }
  if (format === 1) return data(Uint8Array.from([0, 10, 1, 1, 0, 0x14, 1, 0, ...address(0)]), limit)
  if (format === 2) {
    const point = (number: number, where: number[]): number[] => [1, 0x14, 0, number, 0, 0, 0, ...where]
    const end = address(sectors)
    const body = [1, 1, ...point(0xa0, [0, 1, 0, 0]), ...point(0xa1, [0, 1, 0, 0]), ...point(0xa2, end), ...point(1, address(0))]
    return data(Uint8Array.from([0, body.length, ...body]), limit)
  }
  return sense(INVALID_FIELD)
}

function be16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function be32(bytes: Uint8Array, at: number): number {
  return be16(bytes, at) * 0x10000 + be16(bytes, at + 2)
}

function putBe32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = (value >>> (24 - 8 * i)) & 0xff
}

function ascii(bytes: Uint8Array, at: number, length: number, text: string): void {
  for (let i = 0; i < length; i++) bytes[at + i] = i < text.length ? text.charCodeAt(i) & 0x7f : 0x20
}
