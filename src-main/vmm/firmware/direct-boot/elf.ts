/** Just enough of ELF32/ELF64 (System V gABI, chapters 4 and 5) to load kernels. All numbers come from a hostile file. */
import { VmmError } from '../../errors/vmm-error'
import { dataView } from './boot-image'

export interface ElfSegment {
  readonly fileOffset: number
  readonly fileBytes: number
  readonly memoryBytes: number
  readonly physicalAddress: number
}
export interface ElfNote {
  readonly name: string
  readonly type: number
  readonly descriptor: Uint8Array
}
export interface ElfImage {
  readonly bits: 32 | 64
  readonly entry: number
  /** PT_LOAD segments with their bytes in bounds of the file. */
  readonly segments: readonly ElfSegment[]
  readonly notes: readonly ElfNote[]
}

const PT_LOAD = 1
const PT_NOTE = 4
const MAX_SEGMENTS = 128
const MAX_NOTES = 256

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 52 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
}

export function parseElf(bytes: Uint8Array, name: string): ElfImage {
  const bad = (what: string): VmmError => new VmmError('file/wrong-format', `kernel ${name}: ${what}; is the ELF file complete?`)
  const view = dataView(bytes)
  const bits = bytes[4] === 2 ? 64 : 32
  if (bytes[5] !== 1) throw bad('not little-endian')
  const word = (offset: number): number => {
    const value = bits === 64 ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true)
    if (!Number.isSafeInteger(value)) throw bad('has a number beyond any file or memory')
    return value
  }
  if (bits === 64 && bytes.length < 64) throw bad('its header is cut off')
  const entry = word(24)
  const tableOffset = bits === 64 ? word(32) : word(28)
  const entryBytes = view.getUint16(bits === 64 ? 54 : 42, true)
  const count = view.getUint16(bits === 64 ? 56 : 44, true)
  if (count === 0 || count > MAX_SEGMENTS || entryBytes < (bits === 64 ? 56 : 32)) throw bad('its program headers make no sense')
  if (tableOffset + count * entryBytes > bytes.length) throw bad('its program headers lie outside the file')

  const segments: ElfSegment[] = []
  const notes: ElfNote[] = []
  for (let i = 0; i < count; i++) {
    const at = tableOffset + i * entryBytes
    const type = view.getUint32(at, true)
    if (type !== PT_LOAD && type !== PT_NOTE) continue
    const [fileOffset, physicalAddress, fileBytes, memoryBytes] =
      bits === 64
        ? [word(at + 8), word(at + 24), word(at + 32), word(at + 40)]
        : [view.getUint32(at + 4, true), view.getUint32(at + 12, true), view.getUint32(at + 16, true), view.getUint32(at + 20, true)]
    if (fileOffset + fileBytes > bytes.length) throw bad('a segment lies outside the file')
    if (type === PT_NOTE) notes.push(...parseNotes(bytes.subarray(fileOffset, fileOffset + fileBytes)))
    else if (memoryBytes > 0) {
      if (memoryBytes < fileBytes) throw bad('a segment is larger in the file than in memory')
      segments.push({ fileOffset, fileBytes, memoryBytes, physicalAddress })
    }
  }
  return { bits, entry, segments, notes }
}

function parseNotes(bytes: Uint8Array): ElfNote[] {
  const notes: ElfNote[] = []
  const view = dataView(bytes)
  for (let at = 0; at + 12 <= bytes.length && notes.length < MAX_NOTES; ) {
    const nameBytes = view.getUint32(at, true)
    const descriptorBytes = view.getUint32(at + 4, true)
    const type = view.getUint32(at + 8, true)
    const nameAt = at + 12
    const descriptorAt = nameAt + ((nameBytes + 3) & ~3)
    const next = descriptorAt + ((descriptorBytes + 3) & ~3)
    if (nameBytes > bytes.length || descriptorBytes > bytes.length || descriptorAt + descriptorBytes > bytes.length) break
    const name = new TextDecoder().decode(bytes.subarray(nameAt, nameAt + Math.max(0, nameBytes - 1)))
    notes.push({ name, type, descriptor: bytes.subarray(descriptorAt, descriptorAt + descriptorBytes) })
    at = next
  }
  return notes
}
