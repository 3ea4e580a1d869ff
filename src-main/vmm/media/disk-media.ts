/** Disk images: raw ones by what is in their first sectors, the others by their magic numbers. And firmware images, which are told from disks by how they end. */
import { extname } from 'node:path'
import { Fields, type MediaFile } from './media-file'
import { type MediaFirmware, type MediaReason, type Recognised } from './media-facts'

const SECTOR = 512
const GPT_ENTRIES = 128
const PROTECTIVE = 0xee
const ESP_TYPE = 0xef
/** EFI system partition (C12A7328-F81F-11D2-BA4B-00A0C93EC93B), as the bytes lie in the table. */
const ESP_STORED = '28732ac11ff8d211ba4b00a0c93ec93b'

/** Image formats that hold a disk's sectors elsewhere than where they belong. */
const FORMATS: readonly { readonly name: string; readonly at: number; readonly magic: string | readonly number[] }[] = [
  { name: 'QCOW2', at: 0, magic: 'QFI\xfb' },
  { name: 'VMDK', at: 0, magic: 'KDMV' },
  { name: 'VMDK', at: 0, magic: '# Disk DescriptorFile' },
  { name: 'VHDX', at: 0, magic: 'vhdxfile' },
  { name: 'VHD', at: 0, magic: 'conectix' },
  { name: 'VDI', at: 0x40, magic: [0x7f, 0x10, 0xda, 0xbe] },
  { name: 'DMG', at: 0, magic: 'koly' },
]

export async function recogniseFormat(file: MediaFile): Promise<Recognised | undefined> {
  const head = new Fields(await file.read(0, SECTOR))
  const format = FORMATS.find(({ at, magic }) => head.matches(at, magic))
  return format && { kind: 'disk', why: [{ sign: 'format', value: format.name }], warning: 'other-format' }
}

export async function recogniseDisk(file: MediaFile): Promise<Recognised | undefined> {
  const head = new Fields(await file.read(0, SECTOR))
  if (head.u16(510) !== 0xaa55) return recogniseEmpty(file, head)
  const fileSystem = bootSectorOf(head)
  const partitions = [0, 1, 2, 3].map((i) => ({ active: head.u8(446 + i * 16), type: head.u8(446 + i * 16 + 4), first: head.u32(446 + i * 16 + 8), sectors: head.u32(446 + i * 16 + 12) }))
  const isTable = partitions.every(({ active }) => active === 0 || active === 0x80) && partitions.some(({ type, sectors }) => type !== 0 && sectors > 0)
  if (!isTable || fileSystem !== undefined) {
    const why: MediaReason[] = [{ sign: 'boot-sector', value: fileSystem ?? '55AA' }]
    return { kind: 'disk', firmware: hasCode(head, 446) ? ['bios'] : [], why, ...(fileSystem === 'FAT' ? { family: 'dos' as const } : {}) }
  }
  const protective = partitions.some(({ type }) => type === PROTECTIVE)
  const gpt = protective ? await readGpt(file) : undefined
  const used = partitions.filter(({ type, sectors }) => type !== 0 && type !== PROTECTIVE && sectors > 0)
  const cut = gpt ? gpt.cut : used.some(({ first }) => first * SECTOR >= file.bytes)
  const firmware: MediaFirmware[] = []
  // Boot code that finds its next part by itself needs no active partition.
  if (hasCode(head, 440)) firmware.push('bios')
  if (gpt ? gpt.esp : used.some(({ type }) => type === ESP_TYPE)) firmware.push('uefi')
  const uefiOnly = firmware.length === 1 && firmware[0] === 'uefi'
  return {
    kind: 'disk',
    firmware,
    why: [{ sign: 'partition-table', value: `${gpt ? 'GPT' : 'MBR'}, ${gpt ? gpt.count : used.length}` }],
    ...(cut ? { warning: 'damaged' as const } : uefiOnly ? { warning: 'uefi-only' as const } : firmware.length === 0 ? { warning: 'not-bootable' as const } : {}),
  }
}

/** Nothing is on it yet: only its name tells that it is to be a disk. */
function recogniseEmpty(file: MediaFile, head: Fields): Recognised | undefined {
  const extension = extname(file.path).toLowerCase()
  if (!['.img', '.raw', '.dd', '.hdd', '.disk', '.bin'].includes(extension) || file.bytes < SECTOR || file.bytes % SECTOR !== 0) return undefined
  if (extension === '.bin' && head.bytes.some((byte) => byte !== 0)) return undefined
  return { kind: 'disk', firmware: [], why: [{ sign: 'file-name', value: extension }], warning: 'not-bootable' }
}

function bootSectorOf(head: Fields): string | undefined {
  const jump = head.u8(0) === 0xeb || head.u8(0) === 0xe9
  if (!jump) return undefined
  if (head.matches(3, 'NTFS    ')) return 'NTFS'
  if (head.matches(3, 'EXFAT   ')) return 'exFAT'
  return head.matches(54, 'FAT1') || head.matches(82, 'FAT32') ? 'FAT' : undefined
}

function hasCode(head: Fields, end: number): boolean {
  return head.bytes.subarray(0, end).some((byte) => byte !== 0)
}

async function readGpt(file: MediaFile): Promise<{ readonly count: number; readonly esp: boolean; readonly cut: boolean } | undefined> {
  const header = new Fields(await file.read(SECTOR, SECTOR))
  if (!header.matches(0, 'EFI PART')) return undefined
  const bytes = Math.min(Math.max(header.u32(84), 128), 4096)
  const count = Math.min(header.u32(80), GPT_ENTRIES)
  const table = new Fields(await file.read(header.u64(72) * SECTOR, count * bytes))
  let used = 0
  let esp = false
  let cut = table.bytes.length < count * bytes
  for (let i = 0; i < count; i++) {
    const type = Buffer.from(table.bytes.subarray(i * bytes, i * bytes + 16)).toString('hex')
    if (/^0*$/.test(type)) continue
    used++
    if (type === ESP_STORED) esp = true
    if (table.u64(i * bytes + 32) * SECTOR >= file.bytes) cut = true
  }
  return { count: used, esp, cut }
}

const KIB = 1024
const MAX_FIRMWARE_BYTES = 16 * 1024 * KIB
const RESET_VECTOR = 16
const SEARCHED = 1 << 18

export async function recogniseFirmware(file: MediaFile): Promise<Recognised | undefined> {
  const { bytes } = file
  const head = new Fields(await file.read(0, SECTOR))
  const size = head.u8(2) * SECTOR
  if (head.matches(0, [0x55, 0xaa]) && size > 0 && size <= bytes && bytes <= 256 * KIB) return { kind: 'firmware', why: [{ sign: 'format', value: 'option ROM' }] }
  if (bytes < 64 * KIB || bytes > MAX_FIRMWARE_BYTES || bytes % (64 * KIB) !== 0) return undefined
  const end = new Fields(await file.read(Math.max(0, bytes - SEARCHED), SEARCHED))
  const vector = end.bytes.length - RESET_VECTOR
  const volume = head.matches(40, '_FVH')
  // Where the processor starts: a jump, far or near; UEFI's may begin otherwise.
  if (![0xea, 0xe9, 0xeb].includes(end.u8(vector)) && !(volume && end.u8(vector) !== 0)) return undefined
  const text = Buffer.from(end.bytes).toString('latin1')
  const seaBios = /SeaBIOS \(version ([\w.+-]{1,60})\)/.exec(text)
  const sea = seaBios !== null || text.includes('SeaBIOS')
  return {
    kind: 'firmware',
    ...(sea ? { system: 'SeaBIOS' } : volume ? { system: 'UEFI' } : {}),
    ...(seaBios?.[1] === undefined ? {} : { version: seaBios[1] }),
    firmware: [volume ? 'uefi' : 'bios'],
    why: [{ sign: 'reset-vector', value: Buffer.from(end.bytes.subarray(vector, vector + 5)).toString('hex') }, ...(sea ? [{ sign: 'format' as const, value: 'SeaBIOS' }] : volume ? [{ sign: 'format' as const, value: 'UEFI firmware volume' }] : [])],
  }
}
