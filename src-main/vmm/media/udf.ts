/**
 * UDF 1.02 (ECMA-167) as far as finding files by their path needs: Windows' discs keep their files there, and their ISO 9660 part says only so. One
 * partition, allocation by short or long descriptors or inside of the file entry; what is otherwise is not found.
 */
import { Fields, type MediaFile } from './media-file'

const SECTOR = 2048
const ANCHOR = 256
const TAG_ANCHOR = 2
const TAG_PARTITION = 5
const TAG_LOGICAL_VOLUME = 6
const TAG_TERMINATOR = 8
const TAG_FILE_SET = 256
const TAG_FILE_IDENTIFIER = 257
const TAG_FILE_ENTRY = 261
const TAG_EXTENDED_FILE_ENTRY = 266
const MAX_DESCRIPTORS = 32
const MAX_EXTENTS = 64
const MAX_DIRECTORY_BYTES = 1 << 19
const MAX_ENTRIES = 4096
const TYPE_DIRECTORY = 4

const CHARACTERISTIC_DELETED = 4
const CHARACTERISTIC_PARENT = 8

interface Extent {
  readonly offset: number
  readonly bytes: number
}

export interface UdfEntry {
  readonly directory: boolean
  readonly bytes: number
  /** The first of its extents: enough for a file's head. */
  readonly offset: number
}

interface FileEntry extends UdfEntry {
  readonly extents: readonly Extent[]
}

export class Udf {
  private constructor(
    private readonly file: MediaFile,
    /** In bytes. */
    private readonly partition: number,
    private readonly root: number,
  ) {}

  static async open(file: MediaFile): Promise<Udf | undefined> {
    const anchor = new Fields(await file.read(ANCHOR * SECTOR, SECTOR))
    if (anchor.u16(0) !== TAG_ANCHOR) return undefined
    const first = anchor.u32(20)
    const count = Math.min(MAX_DESCRIPTORS, Math.ceil(anchor.u32(16) / SECTOR))
    let partition: number | undefined
    let fileSet: number | undefined
    for (let i = 0; i < count; i++) {
      const descriptor = new Fields(await file.read((first + i) * SECTOR, SECTOR))
      const tag = descriptor.u16(0)
      if (tag === TAG_TERMINATOR) break
      if (tag === TAG_PARTITION) partition ??= descriptor.u32(188) * SECTOR
      if (tag === TAG_LOGICAL_VOLUME && descriptor.u32(212) === SECTOR) fileSet ??= descriptor.u32(252)
    }
    if (partition === undefined || fileSet === undefined) return undefined
    const set = new Fields(await file.read(partition + fileSet * SECTOR, SECTOR))
    return set.u16(0) === TAG_FILE_SET ? new Udf(file, partition, set.u32(404)) : undefined
  }

  /** Walks downwards for as many parts as the path has. */
  async find(path: string): Promise<UdfEntry | undefined> {
    let at = await this.entry(this.root)
    for (const part of path.split('/').filter((name) => name !== '')) {
      if (!at?.directory) return undefined
      const block = await this.lookUp(at, part.toLowerCase())
      if (block === undefined) return undefined
      at = await this.entry(block)
    }
    return at
  }

  private async entry(block: number): Promise<FileEntry | undefined> {
    const place = this.partition + block * SECTOR
    const fields = new Fields(await this.file.read(place, SECTOR))
    const tag = fields.u16(0)
    if (tag !== TAG_FILE_ENTRY && tag !== TAG_EXTENDED_FILE_ENTRY) return undefined
    const lengths = tag === TAG_FILE_ENTRY ? 168 : 208
    const data = lengths + 8 + fields.u32(lengths)
    const dataBytes = fields.u32(lengths + 4)
    if (data + dataBytes > SECTOR) return undefined
    const bytes = fields.u64(56)
    const extents = this.extents(fields, data, dataBytes, place)
    return { directory: fields.u8(27) === TYPE_DIRECTORY, bytes, extents, offset: extents[0]?.offset ?? Infinity }
  }

  private extents(fields: Fields, data: number, dataBytes: number, place: number): readonly Extent[] {
    const kind = fields.u16(34) & 7
    if (kind === 3) return [{ offset: place + data, bytes: dataBytes }]
    const size = kind === 0 ? 8 : 16
    if (kind > 1) return []
    const extents: Extent[] = []
    for (let at = data; at + size <= data + dataBytes && extents.length < MAX_EXTENTS; at += size) {
      // The two highest bits say whether it is recorded.
      const length = fields.u32(at)
      if (length === 0) break
      if (length >>> 30 === 0) extents.push({ offset: this.partition + fields.u32(at + 4) * SECTOR, bytes: length })
    }
    return extents
  }

  /** The block of the file entry of that name. */
  private async lookUp(directory: FileEntry, wanted: string): Promise<number | undefined> {
    const bytes = new Uint8Array(Math.min(directory.bytes, MAX_DIRECTORY_BYTES))
    let filled = 0
    for (const extent of directory.extents) {
      const piece = await this.file.read(extent.offset, Math.min(extent.bytes, bytes.length - filled))
      bytes.set(piece, filled)
      filled += piece.length
      if (filled >= bytes.length || piece.length === 0) break
    }
    const fields = new Fields(bytes.subarray(0, filled))
    for (let at = 0, count = 0; at + 38 <= filled && count < MAX_ENTRIES; count++) {
      if (fields.u16(at) !== TAG_FILE_IDENTIFIER) return undefined
      const characteristics = fields.u8(at + 18)
      const nameBytes = fields.u8(at + 19)
      const name = at + 38 + fields.u16(at + 36)
      if ((characteristics & (CHARACTERISTIC_DELETED | CHARACTERISTIC_PARENT)) === 0 && nameOf(fields, name, nameBytes) === wanted) return fields.u32(at + 24)
      at = Math.ceil((name + nameBytes) / 4) * 4
    }
    return undefined
  }
}

/** OSTA compressed Unicode: a byte that says how wide the characters are, and the characters. In lower case. */
function nameOf(fields: Fields, at: number, length: number): string {
  if (length < 1) return ''
  const bytes = fields.bytes.subarray(at + 1, at + length)
  if (fields.u8(at) === 8) return Buffer.from(bytes).toString('latin1').toLowerCase()
  let text = ''
  for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0))
  return text.toLowerCase()
}
