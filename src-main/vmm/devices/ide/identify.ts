/** IDENTIFY (PACKET) DEVICE data: 256 words. ATA/ATAPI-6, sections 8.15 and 8.16. */
const WORDS = 256

export interface DiskIdentity {
  readonly model: string
  readonly serial: string
  readonly firmware: string
  readonly sectors: number
  /** Current CHS translation. */
  readonly heads: number
  readonly sectorsPerTrack: number
  readonly multiple: number
  readonly maximumMultiple: number
  /** Selected multiword/Ultra DMA mode as set by SET FEATURES: bit masks for words 63 and 88. */
  readonly multiwordMode: number
  readonly ultraMode: number
  readonly writeCache: boolean
}

/** Cylinders of the default translation. */
export function cylindersOf(sectors: number, heads: number, sectorsPerTrack: number): number {
  return Math.max(1, Math.min(16383, Math.floor(sectors / (heads * sectorsPerTrack))))
}

export function identifyDisk(disk: DiskIdentity): Uint8Array {
  const words = new Uint16Array(WORDS)
  const cylinders = cylindersOf(disk.sectors, 16, 63)
  const currentCylinders = cylindersOf(disk.sectors, disk.heads, disk.sectorsPerTrack)
  const currentCapacity = currentCylinders * disk.heads * disk.sectorsPerTrack
  const lba28 = Math.min(disk.sectors, 0x0fffffff)
  words[0] = 0x0040 // fixed, ATA
  words[1] = cylinders
  words[3] = 16
  words[6] = 63
  text(words, 10, 10, disk.serial)
  text(words, 23, 4, disk.firmware)
  text(words, 27, 20, disk.model)
  words[47] = 0x8000 | disk.maximumMultiple
  words[48] = 1 // dword I/O
  words[49] = 0x0b00 // LBA, DMA, IORDY
  words[50] = 0x4000
  words[51] = 0x0200
  words[53] = 7 // words 54..58, 64..70, 88 valid
  words[54] = currentCylinders
  words[55] = disk.heads
  words[56] = disk.sectorsPerTrack
  words[57] = currentCapacity & 0xffff
  words[58] = currentCapacity >>> 16
  words[59] = disk.multiple > 0 ? 0x100 | disk.multiple : 0
  words[60] = lba28 & 0xffff
  words[61] = lba28 >>> 16
  words[63] = 0x07 | (disk.multiwordMode << 8)
  words[64] = 0x03 // PIO 3, 4
  words[65] = words[66] = words[67] = words[68] = 120
  words[80] = 0x7e // ATA-1..6
  words[81] = 0x16
  words[82] = 0x0020 // write cache
  words[83] = 0x7400 // 48-bit, FLUSH CACHE (EXT)
  words[84] = 0x4000
  words[85] = disk.writeCache ? 0x0020 : 0
  words[86] = 0x3400
  words[87] = 0x4000
  words[88] = 0x3f | (disk.ultraMode << 8)
  words[93] = 0x6001 | 0x0b // hardware reset result
  words[100] = disk.sectors & 0xffff
  words[101] = (disk.sectors >>> 16) & 0xffff
  words[102] = Math.floor(disk.sectors / 0x100000000) & 0xffff
  return new Uint8Array(words.buffer)
}

export function identifyPacket(model: string, serial: string, firmware: string, multiwordMode: number, ultraMode: number): Uint8Array {
  const words = new Uint16Array(WORDS)
  words[0] = 0x85c0 // ATAPI, CD-ROM, removable, DRQ within 50 us, 12-byte packets
  text(words, 10, 10, serial)
  text(words, 23, 4, firmware)
  text(words, 27, 20, model)
  words[48] = 1
  words[49] = 0x0b00
  words[53] = 7
  words[63] = 0x07 | (multiwordMode << 8)
  words[64] = 0x03
  words[65] = words[66] = words[67] = words[68] = 120
  words[71] = 30
  words[72] = 30
  words[80] = 0x7e
  words[82] = 0x0210 // PACKET, DEVICE RESET
  words[83] = 0x4000
  words[84] = 0x4000
  words[85] = 0x0210
  words[87] = 0x4000
  words[88] = 0x3f | (ultraMode << 8)
  words[93] = 0x600b
  return new Uint8Array(words.buffer)
}

/** ASCII, two characters a word, first in the high byte, padded with spaces. */
function text(words: Uint16Array, first: number, count: number, value: string): void {
  const padded = value.padEnd(count * 2).slice(0, count * 2)
  for (let i = 0; i < count; i++) words[first + i] = (padded.charCodeAt(i * 2) << 8) | (padded.charCodeAt(i * 2 + 1) & 0xff)
}

/** Mode bits of words 63/88 after SET FEATURES 03h with this transfer mode; undefined: not supported. */
export function transferMode(value: number): { readonly multiword?: number; readonly ultra?: number } | undefined {
  const kind = value >> 3
  const mode = value & 7
  if (kind === 0 || kind === 1) return kind === 0 || mode <= 4 ? {} : undefined
  if (kind === 4) return mode <= 2 ? { multiword: 1 << mode, ultra: 0 } : undefined
  if (kind === 8) return mode <= 5 ? { ultra: 1 << mode, multiword: 0 } : undefined
  return undefined
}
