/** SMBIOS structures, entry point 2.8. DMTF DSP0134 (System Management BIOS Reference Specification) 3.4. */
import { putText, sealChecksum } from '../checksum'

export interface SmbiosOptions {
  readonly cpus: number
  readonly ramBytes: number
  readonly lowRamBytes: number
  /** 16 bytes in the order of RFC 4122. */
  readonly uuid?: Uint8Array
}

export const ENTRY_POINT_BYTES = 32
const MIB = 0x100000
const MAXIMUM_DEVICE_MIB = 16384

interface Structure {
  readonly type: number
  readonly handle: number
  /** The formatted area after the header. */
  readonly body: readonly number[]
  readonly strings: readonly string[]
}

const word = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff]
const dword = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, (n >>> 24) & 0xff]
const qword = (n: number): number[] => [...dword(n % 0x100000000), ...dword(Math.floor(n / 0x100000000))]

function encode({ type, handle, body, strings }: Structure): number[] {
  const texts = strings.flatMap((text) => [...[...text].map((c) => c.charCodeAt(0) & 0x7f), 0])
  return [type, body.length + 4, ...word(handle), ...body, ...(texts.length === 0 ? [0] : texts), 0]
}

/** The first three fields of a UUID are little-endian since 2.6. */
function uuidBytes(uuid: Uint8Array | undefined): number[] {
  if (uuid === undefined || uuid.length !== 16) return new Array<number>(16).fill(0)
  return [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((i) => uuid[i] ?? 0)
}

function memoryStructures(options: SmbiosOptions): Structure[] {
  const inAll = Math.max(1, Math.floor(options.ramBytes / MIB))
  const devices = Math.max(1, Math.ceil(inAll / MAXIMUM_DEVICE_MIB))
  const structures: Structure[] = []
  structures.push({
    type: 16, handle: 0x1000, strings: [],
    // On the board, system memory, multi-bit ECC; capacity in KiB.
    body: [1, 3, 6, ...dword(inAll * 1024), ...word(0xfffe), ...word(devices)],
  })
  for (let i = 0; i < devices; i++) {
    const mib = Math.min(MAXIMUM_DEVICE_MIB, inAll - i * MAXIMUM_DEVICE_MIB)
    structures.push({
      type: 17, handle: 0x1100 + i, strings: [`DIMM ${i}`, 'Vitrine'],
      body: [
        ...word(0x1000), ...word(0xfffe), ...word(64), ...word(64), ...word(mib), 9, 0, 1, 0, 7, ...word(2), ...word(0), 2, 0, 0, 0, 0,
        ...dword(0), ...word(0), ...word(0), ...word(0), ...word(0),
      ],
    })
  }
  const mapped = (handle: number, first: number, bytes: number): Structure => ({
    type: 19, handle, strings: [],
    body: [...dword(Math.floor(first / 1024)), ...dword(Math.floor((first + bytes) / 1024) - 1), ...word(0x1000), 1, ...qword(0), ...qword(0)],
  })
  structures.push(mapped(0x1300, 0, options.lowRamBytes))
  if (options.ramBytes > options.lowRamBytes) structures.push(mapped(0x1301, 0x100000000, options.ramBytes - options.lowRamBytes))
  return structures
}

export interface Smbios {
  readonly table: Uint8Array
  readonly structures: number
  readonly largest: number
}

export function buildSmbiosTable(options: SmbiosOptions): Smbios {
  const structures: Structure[] = [
    {
      type: 0, handle: 0, strings: ['Vitrine', '1', '11/22/2026'],
      // ROM at F0000h, 64 KiB; PCI, boot from CD, selectable boot, EDD; ACPI; virtual machine.
      body: [1, 2, ...word(0xf000), 3, 0, ...dword(0x00098080), ...dword(0), 0x01, 0x10, 1, 0, 0xff, 0xff],
    },
    {
      type: 1, handle: 0x100, strings: ['Vitrine', 'PC (440FX + PIIX)', '1'],
      body: [1, 2, 3, 0, ...uuidBytes(options.uuid), 6, 0, 0],
    },
    { type: 3, handle: 0x300, strings: ['Vitrine'], body: [1, 1, 0, 0, 0, 3, 3, 3, 2, ...dword(0), 0, 0, 0, 0, 0] },
  ]
  for (let i = 0; i < options.cpus; i++) {
    structures.push({
      type: 4, handle: 0x400 + i, strings: [`CPU ${i}`, 'Vitrine'],
      body: [
        1, 3, 1, 2, ...qword(0), 2, 0, ...word(0), ...word(2000), ...word(2000), 0x41, 1, ...word(0xffff), ...word(0xffff), ...word(0xffff), 0, 0, 0,
        1, 1, 1, ...word(0x0004), ...word(1), ...word(1), ...word(1), ...word(1),
      ],
    })
  }
  structures.push(...memoryStructures(options))
  structures.push({ type: 32, handle: 0x2000, strings: [], body: [0, 0, 0, 0, 0, 0, 0] })
  structures.push({ type: 127, handle: 0x7f00, strings: [], body: [] })
  const encoded = structures.map(encode)
  return { table: Uint8Array.from(encoded.flat()), structures: encoded.length, largest: Math.max(...encoded.map((s) => s.length)) }
}

export function buildEntryPoint(smbios: Smbios, tableAddress: number): Uint8Array {
  const bytes = new Uint8Array(ENTRY_POINT_BYTES)
  const view = new DataView(bytes.buffer)
  putText(bytes, 0, '_SM_', 4)
  bytes[5] = 0x1f
  bytes[6] = 2
  bytes[7] = 8
  view.setUint16(8, smbios.largest, true)
  putText(bytes, 16, '_DMI_', 5)
  view.setUint16(22, smbios.table.length, true)
  view.setUint32(24, tableAddress, true)
  view.setUint16(28, smbios.structures, true)
  bytes[30] = 0x28
  sealChecksum(bytes, 16, 15, 21)
  sealChecksum(bytes, 0, 31, 4)
  return bytes
}
