/**
 * ISO 9660 (ECMA-119) with Joliet and Rock Ridge names, as far as recognising a disc needs: volume descriptors, and files by their path. Paths are walked
 * downwards from the root for as many parts as they have, so that directories which contain themselves lead nowhere.
 */
import { Fields, type MediaFile } from './media-file'
import { Udf } from './udf'

export const SECTOR = 2048
const FIRST_DESCRIPTOR = 16
const MAX_DESCRIPTORS = 32
const MAX_DIRECTORY_BYTES = 1 << 19
const MAX_ENTRIES = 4096

const DESCRIPTOR_BOOT = 0
const DESCRIPTOR_PRIMARY = 1
const DESCRIPTOR_SUPPLEMENTARY = 2
const DESCRIPTOR_END = 255
const FLAG_DIRECTORY = 2
const FLAG_ASSOCIATED = 4

export interface IsoEntry {
  readonly name: string
  readonly directory: boolean
  readonly offset: number
  readonly bytes: number
}

export interface IsoVolume {
  readonly label: string
  readonly systemId: string
  readonly application: string
  /** As its descriptor says. */
  readonly bytes: number
  /** It has a UDF file system too: Windows' discs keep their files there. */
  readonly udf: boolean
  /** Sector of the El Torito boot catalogue. */
  readonly bootCatalogue: number | undefined
  /** The list of descriptors has no end. */
  readonly unterminated: boolean
}

interface Tree {
  readonly root: IsoEntry
  readonly joliet: boolean
}

export class Iso {
  private readonly listings = new Map<number, Promise<readonly IsoEntry[]>>()

  private constructor(
    private readonly file: MediaFile,
    readonly volume: IsoVolume,
    private readonly tree: Tree,
    private readonly udf: Udf | undefined,
  ) {}

  /** undefined: no ISO 9660 file system. */
  static async open(file: MediaFile): Promise<Iso | undefined> {
    let volume: Omit<IsoVolume, 'udf' | 'bootCatalogue' | 'unterminated'> | undefined
    let bootCatalogue: number | undefined
    let primary: Tree | undefined
    let joliet: Tree | undefined
    let unterminated = true
    let next = FIRST_DESCRIPTOR
    for (; next < FIRST_DESCRIPTOR + MAX_DESCRIPTORS; next++) {
      const sector = new Fields(await file.read(next * SECTOR, SECTOR))
      if (!sector.matches(1, 'CD001')) break
      const type = sector.u8(0)
      if (type === DESCRIPTOR_END) {
        unterminated = false
        next++
        break
      }
      if (type === DESCRIPTOR_BOOT && sector.matches(7, 'EL TORITO SPECIFICATION')) bootCatalogue ??= sector.u32(0x47)
      if (type === DESCRIPTOR_PRIMARY && !volume) {
        volume = { label: sector.text(40, 32).trim(), systemId: sector.text(8, 32).trim(), application: sector.text(574, 128).trim(), bytes: sector.u32(80) * SECTOR }
        primary = { root: record(sector, 156, false) ?? NOWHERE, joliet: false }
      }
      if (type === DESCRIPTOR_SUPPLEMENTARY && !joliet && isJoliet(sector)) joliet = { root: record(sector, 156, true) ?? NOWHERE, joliet: true }
    }
    if (!volume || !primary) return undefined
    const udf = await hasUdf(file, next)
    // Rock Ridge's names are the whole ones; Joliet's are as good where there are none.
    const rockRidge = await isRockRidge(file, primary.root)
    return new Iso(file, { ...volume, udf, bootCatalogue, unterminated }, rockRidge ? primary : (joliet ?? primary), udf ? await Udf.open(file) : undefined)
  }

  /** By a path such as "/boot/grub", in either file system; upper and lower case alike. */
  async find(path: string): Promise<IsoEntry | undefined> {
    const found = await this.findIso(path)
    const other = found ? undefined : await this.udf?.find(path)
    return found ?? (other && { name: path, ...other })
  }

  private async findIso(path: string): Promise<IsoEntry | undefined> {
    let at = this.tree.root
    for (const part of path.split('/').filter((name) => name !== '')) {
      if (!at.directory) return undefined
      const wanted = part.toLowerCase()
      const entries = await this.list(at)
      // Without long names, ".disk" is written "_DISK".
      const found = entries.find(({ name }) => name.toLowerCase() === wanted) ?? entries.find(({ name }) => name.toLowerCase() === wanted.replace(/^\./, '_'))
      if (!found) return undefined
      at = found
    }
    return at
  }

  /** The first of these paths that is there. */
  async first(paths: readonly string[]): Promise<string | undefined> {
    for (const path of paths) if (await this.find(path)) return path
    return undefined
  }

  /** The beginning of a file; undefined: it is not there. */
  async head(path: string, most: number): Promise<Uint8Array | undefined> {
    const entry = await this.find(path)
    return entry && !entry.directory ? this.file.read(entry.offset, Math.min(entry.bytes, most)) : undefined
  }

  async text(path: string, most: number): Promise<string | undefined> {
    const bytes = await this.head(path, most)
    return bytes && new TextDecoder().decode(bytes)
  }

  private async list(directory: IsoEntry): Promise<readonly IsoEntry[]> {
    const known = this.listings.get(directory.offset)
    if (known) return known
    const listing = this.file.read(directory.offset, Math.min(directory.bytes, MAX_DIRECTORY_BYTES)).then((bytes) => entriesOf(bytes, this.tree.joliet))
    this.listings.set(directory.offset, listing)
    return listing
  }
}

const NOWHERE: IsoEntry = { name: '', directory: true, offset: Infinity, bytes: 0 }

function isJoliet(descriptor: Fields): boolean {
  return ['%/@', '%/C', '%/E'].includes(descriptor.text(88, 3))
}

async function isRockRidge(file: MediaFile, root: IsoEntry): Promise<boolean> {
  const bytes = await file.read(root.offset, 256)
  const length = bytes[0] ?? 0
  // The system use field of the root's own entry begins with SUSP's indicator.
  return new Fields(bytes.subarray(0, length)).matches(34, 'SP')
}

async function hasUdf(file: MediaFile, next: number): Promise<boolean> {
  const sectors = new Fields(await file.read(next * SECTOR, 4 * SECTOR))
  return [0, 1, 2, 3].some((i) => sectors.matches(i * SECTOR + 1, 'NSR02') || sectors.matches(i * SECTOR + 1, 'NSR03'))
}

function entriesOf(bytes: Uint8Array, joliet: boolean): readonly IsoEntry[] {
  const fields = new Fields(bytes)
  const entries: IsoEntry[] = []
  for (let at = 0; at < bytes.length && entries.length < MAX_ENTRIES; ) {
    const length = fields.u8(at)
    if (length === 0) {
      at = (Math.floor(at / SECTOR) + 1) * SECTOR // entries do not cross sectors
      continue
    }
    const entry = record(fields, at, joliet)
    if (entry && entry.name !== '') entries.push(entry)
    at += length
  }
  return entries
}

/** undefined: it makes no sense, or is an associated file (a resource fork). The root and "..", whose names are a single byte 0 or 1, get an empty name. */
function record(fields: Fields, at: number, joliet: boolean): IsoEntry | undefined {
  const length = fields.u8(at)
  const nameLength = fields.u8(at + 32)
  if (length < 34 || nameLength === 0 || 33 + nameLength > length) return undefined
  const flags = fields.u8(at + 25)
  if (flags & FLAG_ASSOCIATED) return undefined
  const raw = fields.bytes.subarray(at + 33, at + 33 + nameLength)
  const special = nameLength === 1 && (raw[0] ?? 0) <= 1
  const start = at + 33 + nameLength + (nameLength % 2 === 0 ? 1 : 0)
  const plain = joliet ? ucs2(raw) : Buffer.from(raw).toString('latin1')
  const name = special ? '' : ((joliet ? undefined : rockRidgeName(fields, start, at + length)) ?? plain.replace(/;\d+$/, '').replace(/\.$/, ''))
  return { name, directory: (flags & FLAG_DIRECTORY) !== 0, offset: (fields.u32(at + 2) + fields.u8(at + 1)) * SECTOR, bytes: fields.u32(at + 10) }
}

function ucs2(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0))
  return text
}

/** SUSP entries of a record: two letters, length, version, data. */
function rockRidgeName(fields: Fields, start: number, end: number): string | undefined {
  let name: string | undefined
  for (let at = start; at + 4 <= end; ) {
    const length = fields.u8(at + 2)
    if (length < 4 || at + length > end) break
    // Flags 2 and 4: "." and "..".
    if (fields.matches(at, 'NM') && length > 5 && (fields.u8(at + 4) & 6) === 0) name = (name ?? '') + new TextDecoder().decode(fields.bytes.subarray(at + 5, at + length))
    at += length
  }
  return name
}
