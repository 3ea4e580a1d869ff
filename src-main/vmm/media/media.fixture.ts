/** Small discs and disks, made by hand: what must be recognised, and what hostile ones are bent from. */

export const SECTOR = 2048

export interface IsoOptions {
  readonly label?: string
  /** Paths and contents; folders are made of the paths. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly names?: 'plain' | 'rock-ridge' | 'joliet'
  /** Platform ids of boot entries, in order; undefined: no boot catalogue. */
  readonly boot?: readonly number[]
  readonly volumeSectors?: number
}

interface Node {
  readonly name: string
  readonly children: Map<string, Node>
  content: Uint8Array | undefined
  sector: number
  bytes: number
}

const node = (name: string): Node => ({ name, children: new Map(), content: undefined, sector: 0, bytes: SECTOR })

/** An ISO 9660 image. The root's directory is in sector 24. */
export function iso({ label = 'TEST', files = {}, names = 'plain', boot, volumeSectors }: IsoOptions = {}): Uint8Array {
  const root = node('')
  for (const [path, content] of Object.entries(files)) {
    let at = root
    for (const part of path.split('/').filter((name) => name !== '')) {
      const next = at.children.get(part) ?? node(part)
      at.children.set(part, next)
      at = next
    }
    at.content = typeof content === 'string' ? new TextEncoder().encode(content) : content
    at.bytes = at.content.length
  }
  let sector = 24
  const all: Node[] = []
  const place = (one: Node): void => {
    one.sector = sector
    sector += Math.max(1, Math.ceil(one.bytes / SECTOR))
    all.push(one)
    for (const child of one.children.values()) place(child)
  }
  place(root)
  const image = new Uint8Array(sector * SECTOR)
  const view = new DataView(image.buffer)
  const text = (at: number, value: string, length: number): void => image.set(new TextEncoder().encode(value.padEnd(length).slice(0, length)), at)
  const descriptor = (at: number, type: number): number => {
    image[at * SECTOR] = type
    text(at * SECTOR + 1, 'CD001', 5)
    image[at * SECTOR + 6] = 1
    return at * SECTOR
  }
  const rootRecord = record(root, '\0', names)
  const primary = descriptor(16, 1)
  text(primary + 40, label, 32)
  view.setUint32(primary + 80, volumeSectors ?? sector, true)
  image.set(rootRecord.subarray(0, 34), primary + 156)
  image[primary + 156] = 34
  let next = 17
  if (boot) {
    const at = descriptor(next++, 0)
    text(at + 7, 'EL TORITO SPECIFICATION', 23)
    view.setUint32(at + 0x47, 22, true)
    image.set(catalogue(boot), 22 * SECTOR)
  }
  if (names === 'joliet') {
    const at = descriptor(next++, 2)
    text(at + 88, '%/E', 3)
    image.set(rootRecord.subarray(0, 34), at + 156)
    image[at + 156] = 34
  }
  descriptor(next, 255)
  for (const one of all) {
    if (one.content) image.set(one.content, one.sector * SECTOR)
    else {
      const entries = [record(one, '\0', names), record(one, '\x01', names), ...[...one.children.values()].map((child) => record(child, child.name, names))]
      let at = one.sector * SECTOR
      for (const entry of entries) {
        image.set(entry, at)
        at += entry.length
      }
    }
  }
  return image
}

/** A directory record; the name is "\0" for the directory itself. */
export function record(one: { readonly sector: number; readonly bytes: number; readonly content?: Uint8Array | undefined }, name: string, names: 'plain' | 'rock-ridge' | 'joliet' = 'plain'): Uint8Array {
  const special = name === '\0' || name === '\x01'
  const short = name.toUpperCase().replace(/^\./, '_').slice(0, 30)
  const raw = special ? Uint8Array.of(name.charCodeAt(0)) : names === 'joliet' ? Uint8Array.from([...name].flatMap((c) => [0, c.charCodeAt(0)])) : new TextEncoder().encode(one.content ? `${short};1` : short)
  const use = names !== 'rock-ridge' ? [] : special ? (name === '\0' ? [0x53, 0x50, 7, 1, 0xbe, 0xef, 0] : []) : [0x4e, 0x4d, 5 + name.length, 1, 0, ...new TextEncoder().encode(name)]
  const start = 33 + raw.length + (raw.length % 2 === 0 ? 1 : 0)
  const bytes = new Uint8Array(Math.ceil((start + use.length) / 2) * 2)
  const view = new DataView(bytes.buffer)
  bytes[0] = bytes.length
  view.setUint32(2, one.sector, true)
  view.setUint32(10, one.bytes, true)
  bytes[25] = one.content ? 0 : 2
  bytes[32] = raw.length
  bytes.set(raw, 33)
  bytes.set(use, start)
  return bytes
}

/** An El Torito catalogue with one bootable entry for each platform. */
function catalogue(platforms: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(SECTOR)
  const view = new DataView(bytes.buffer)
  const [first = 0, ...others] = platforms
  bytes[0] = 1
  bytes[1] = first
  bytes.set([0x55, 0xaa], 30)
  let sum = 0
  for (let at = 0; at < 32; at += 2) sum += view.getUint16(at, true)
  view.setUint16(28, -sum & 0xffff, true)
  const entry = (at: number): void => {
    bytes[at] = 0x88
    view.setUint32(at + 8, 23, true)
  }
  entry(32)
  others.forEach((platform, i) => {
    const at = 64 + i * 64
    bytes[at] = i === others.length - 1 ? 0x91 : 0x90
    bytes[at + 1] = platform
    view.setUint16(at + 2, 1, true)
    entry(at + 32)
  })
  return bytes
}

/** A partition table: type, first sector, sectors. */
export function mbr(partitions: readonly (readonly [number, number, number])[], sectors: number, code: boolean = true): Uint8Array {
  const bytes = new Uint8Array(sectors * 512)
  const view = new DataView(bytes.buffer)
  if (code) bytes.set([0x33, 0xc0], 0)
  partitions.forEach(([type, first, count], i) => {
    bytes[446 + i * 16 + 4] = type
    view.setUint32(446 + i * 16 + 8, first, true)
    view.setUint32(446 + i * 16 + 12, count, true)
  })
  view.setUint16(510, 0xaa55, true)
  return bytes
}

/** EFI system partition. */
export const ESP = '28732ac11ff8d211ba4b00a0c93ec93b'
/** Linux file system. */
export const LINUX_DATA = 'af3dc60f838472478e793d69d8477de4'

export function gpt(types: readonly string[], sectors: number, code: boolean): Uint8Array {
  const bytes = mbr([[0xee, 1, sectors - 1]], sectors, code)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode('EFI PART'), 512)
  view.setUint32(512 + 72, 2, true)
  view.setUint32(512 + 80, types.length, true)
  view.setUint32(512 + 84, 128, true)
  types.forEach((type, i) => {
    bytes.set(Buffer.from(type, 'hex'), 1024 + i * 128)
    view.setUint32(1024 + i * 128 + 32, 34 + i, true)
  })
  return bytes
}

/** A UDF file system in an image that has room for it (sectors 256 and above), with a folder and a file in it; wide: names of 16 bits. */
export function withUdf(image: Uint8Array, folder: string, name: string, wide: boolean = false): Uint8Array {
  const PARTITION = 270
  const bytes = new Uint8Array(290 * SECTOR)
  bytes.set(image.subarray(0, bytes.length))
  const view = new DataView(bytes.buffer)
  // The volume recognition sequence goes on after ISO 9660's own.
  let end = 16
  while (bytes[end * SECTOR] !== 255) end++
  bytes.set(new TextEncoder().encode('NSR02'), (end + 1) * SECTOR + 1)
  const tag = (sector: number, id: number): number => {
    view.setUint16(sector * SECTOR, id, true)
    return sector * SECTOR
  }
  const anchor = tag(256, 2)
  view.setUint32(anchor + 16, 4 * SECTOR, true)
  view.setUint32(anchor + 20, 260, true)
  view.setUint32(tag(260, 5) + 188, PARTITION, true)
  const volume = tag(261, 6)
  view.setUint32(volume + 212, SECTOR, true)
  view.setUint32(volume + 252, 0, true)
  tag(262, 8)
  view.setUint32(tag(PARTITION, 256) + 404, 1, true)
  const identifier = (at: number, text: string, block: number): number => {
    const encoded = wide ? [16, ...[...text].flatMap((c) => [0, c.charCodeAt(0)])] : [8, ...new TextEncoder().encode(text)]
    view.setUint16(at, 257, true)
    bytes[at + 18] = text === '' ? 8 : 0
    bytes[at + 19] = text === '' ? 0 : encoded.length
    view.setUint32(at + 24, block, true)
    if (text !== '') bytes.set(encoded, at + 38)
    return Math.ceil((38 + (text === '' ? 0 : encoded.length)) / 4) * 4
  }
  /** A folder, whose content is inside of its entry or in the block after it. */
  const directory = (block: number, text: string, child: number, inside: boolean): void => {
    const entry = tag(PARTITION + block, 261)
    bytes[entry + 27] = 4
    view.setUint16(entry + 34, inside ? 3 : 0, true)
    const at = inside ? entry + 176 : (PARTITION + block + 1) * SECTOR
    const parent = identifier(at, '', block)
    const length = parent + identifier(at + parent, text, child)
    view.setUint32(entry + 56, length, true)
    view.setUint32(entry + 172, inside ? length : 8, true)
    if (!inside) {
      view.setUint32(entry + 176, length, true)
      view.setUint32(entry + 180, block + 1, true)
    }
  }
  directory(1, folder, 3, true)
  directory(3, name, 5, false)
  const file = tag(PARTITION + 5, 261)
  bytes[file + 27] = 5
  return bytes
}
