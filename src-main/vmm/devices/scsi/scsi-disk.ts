/** The command set of a hard disk without its transport: SPC-4 (T10/1731-D) and SBC-3 (T10/1799-D). Commands become data to send, or work on blocks. */
import { ILLEGAL_OPCODE, INVALID_FIELD, LBA_OUT_OF_RANGE, NO_SENSE, senseData, type Sense } from './scsi-cd'

export const BLOCK_BYTES = 512
const WRITE_PROTECTED: Sense = { key: 7, code: 0x27, qualifier: 0 }
/** Of one command (VPD page B0h): what the transport moves at once. */
const MAX_TRANSFER_BLOCKS = 0x10000
const OPTIMAL_TRANSFER_BLOCKS = 0x100
/** 2^3 blocks to a page of the host's. */
const PHYSICAL_BLOCK_EXPONENT = 3
const MAX_ZEROED_BLOCKS = 0x2000
const MAX_LBA_32 = 0xffffffff

export type DiskAction =
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'read' | 'write'; readonly lba: number; readonly count: number; readonly durable: boolean }
  | { readonly kind: 'zeroes'; readonly lba: number; readonly count: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'done' }
  | { readonly kind: 'sense'; readonly sense: Sense }

export interface DiskUnit {
  readonly blocks: number
  readonly readOnly: boolean
  readonly serial: string
}

const DONE: DiskAction = { kind: 'done' }
const sense = (what: Sense): DiskAction => ({ kind: 'sense', sense: what })
const data = (bytes: ArrayLike<number>, limit: number): DiskAction => ({ kind: 'data', data: Uint8Array.from(bytes).subarray(0, limit) })

export function executeDisk(unit: DiskUnit, cdb: DataView): DiskAction {
  const opcode = cdb.getUint8(0)
  switch (opcode) {
    case 0x00: // TEST UNIT READY
    case 0x1b: // START STOP UNIT
    case 0x1e: // PREVENT ALLOW MEDIUM REMOVAL
    case 0x2f: // VERIFY (10), (16)
    case 0x8f:
      return DONE
    case 0x03: // REQUEST SENSE: senses go with the commands
      return data(senseData(NO_SENSE), cdb.getUint8(4))
    case 0x12:
      return inquiry(unit, cdb)
    case 0x1a: // MODE SENSE (6), (10)
      return modeSense(unit, cdb.getUint8(2), cdb.getUint8(4), 6)
    case 0x5a:
      return modeSense(unit, cdb.getUint8(2), cdb.getUint16(7), 10)
    case 0x25:
      return data([...be32(Math.min(unit.blocks - 1, MAX_LBA_32)), ...be32(BLOCK_BYTES)], 8)
    case 0x9e: // SERVICE ACTION IN (16): READ CAPACITY (16)
      return (cdb.getUint8(1) & 0x1f) === 0x10 ? data([...be64(unit.blocks - 1), ...be32(BLOCK_BYTES), 0, PHYSICAL_BLOCK_EXPONENT, ...zeros(18)], cdb.getUint32(10)) : sense(INVALID_FIELD)
    case 0x08: // READ and WRITE (6): 21 bits of address, 0 blocks are 256
    case 0x0a:
      return transfer(unit, opcode === 0x08, cdb.getUint32(0) & 0x1fffff, cdb.getUint8(4) || 256, false)
    case 0x28: // (10)
    case 0x2a:
      return transfer(unit, opcode === 0x28, cdb.getUint32(2), cdb.getUint16(7), forced(cdb))
    case 0xa8: // (12)
    case 0xaa:
      return transfer(unit, opcode === 0xa8, cdb.getUint32(2), cdb.getUint32(6), forced(cdb))
    case 0x88: // (16)
    case 0x8a:
      return transfer(unit, opcode === 0x88, Number(cdb.getBigUint64(2)), cdb.getUint32(10), forced(cdb))
    case 0x35: // SYNCHRONIZE CACHE (10), (16): all of it
    case 0x91:
      return { kind: 'flush' }
    case 0x93: // WRITE SAME (16)
      return writeSame(unit, cdb)
    default:
      return sense(ILLEGAL_OPCODE)
  }
}

/** Force unit access. */
const forced = (cdb: DataView): boolean => (cdb.getUint8(1) & 8) !== 0

function transfer(unit: DiskUnit, reads: boolean, lba: number, count: number, durable: boolean): DiskAction {
  if (!reads && unit.readOnly) return sense(WRITE_PROTECTED)
  if (lba + count > unit.blocks) return sense(LBA_OUT_OF_RANGE)
  if (count > MAX_TRANSFER_BLOCKS) return sense(INVALID_FIELD)
  return count === 0 ? DONE : { kind: reads ? 'read' : 'write', lba, count, durable }
}

/** Only of zeroes, without a buffer (NDOB, SBC-4 5.44), and without giving blocks back. */
function writeSame(unit: DiskUnit, cdb: DataView): DiskAction {
  const lba = Number(cdb.getBigUint64(2))
  const count = cdb.getUint32(10)
  if (unit.readOnly) return sense(WRITE_PROTECTED)
  if ((cdb.getUint8(1) & 0xf9) !== 1 || count === 0 || count > MAX_ZEROED_BLOCKS) return sense(INVALID_FIELD)
  return lba + count > unit.blocks ? sense(LBA_OUT_OF_RANGE) : { kind: 'zeroes', lba, count }
}

function inquiry(unit: DiskUnit, cdb: DataView): DiskAction {
  const limit = cdb.getUint16(3)
  const page = cdb.getUint8(2)
  if ((cdb.getUint8(1) & 1) === 0) {
    if (page !== 0) return sense(INVALID_FIELD)
    // SPC-3, HiSup, response format 2, command queuing
    return data([0, 0, 5, 0x12, 31, 0, 0, 2, ...text('VITRINE', 8), ...text('Hard disk', 16), ...text('1.0', 4)], limit)
  }
  const pages: Readonly<Record<number, readonly number[]>> = {
    0x00: [0x00, 0x80, 0x83, 0xb0, 0xb1],
    0x80: text(unit.serial, unit.serial.length),
    // T10 vendor ID based designator, ASCII
    0x83: [2, 1, 0, 8 + unit.serial.length, ...text('VITRINE', 8), ...text(unit.serial, unit.serial.length)],
    // Block limits: granularity, maximum and optimum of a transfer; nothing to unmap
    0xb0: [0, 0, 0, 1 << PHYSICAL_BLOCK_EXPONENT, ...be32(MAX_TRANSFER_BLOCKS), ...be32(OPTIMAL_TRANSFER_BLOCKS), ...zeros(20), ...be64(MAX_ZEROED_BLOCKS), ...zeros(20)],
    // Does not turn
    0xb1: [0, 1, ...zeros(58)],
  }
  const body = pages[page]
  return body ? data([0, page, body.length >> 8, body.length & 0xff, ...body], limit) : sense(INVALID_FIELD)
}

/** Page control and code in one byte: nothing can be changed, defaults and saved values are the current ones. */
function modeSense(unit: DiskUnit, wanted: number, limit: number, form: 6 | 10): DiskAction {
  const changeable = wanted >> 6 === 1
  const caching = [0x08, 18, changeable ? 0 : 4, ...zeros(17)] // write cache on
  const control = [0x0a, 10, ...zeros(10)]
  const page = wanted & 0x3f
  const body = page === 0x3f ? [...caching, ...control] : page === 0x08 ? caching : page === 0x0a ? control : undefined
  if (!body) return sense(INVALID_FIELD)
  // Write protection; FUA is understood
  const specific = (unit.readOnly ? 0x80 : 0) | 0x10
  const header = form === 6 ? [body.length + 3, 0, specific, 0] : [0, body.length + 6, 0, specific, 0, 0, 0, 0]
  return data([...header, ...body], limit)
}

const zeros = (count: number): readonly number[] => new Array<number>(count).fill(0)
const be32 = (value: number): readonly number[] => [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
const be64 = (value: number): readonly number[] => [...be32(Math.floor(value / 0x100000000)), ...be32(value % 0x100000000)]
const text = (letters: string, length: number): readonly number[] => Array.from({ length }, (_, i) => (i < letters.length ? letters.charCodeAt(i) & 0x7f : 0x20))
