/** Small boot images, made by hand: what loaders must take, and what hostile ones are bent from. */

export interface ElfPart {
  readonly type: number
  readonly address: number
  readonly bytes: Uint8Array
  /** Bytes in memory when more than in the file. */
  readonly memoryBytes?: number
}

export const PT_LOAD = 1
export const PT_NOTE = 4

/** An ELF executable with program headers only, parts one after the other, 16-aligned. */
export function elf(bits: 32 | 64, entry: number, parts: readonly ElfPart[]): Uint8Array {
  const headerBytes = bits === 64 ? 64 : 52
  const rowBytes = bits === 64 ? 56 : 32
  let at = align(headerBytes + rowBytes * parts.length)
  const offsets = parts.map((part) => {
    const offset = at
    at = align(at + part.bytes.length)
    return offset
  })
  const file = new Uint8Array(at)
  const view = new DataView(file.buffer)
  file.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, 1, 1])
  view.setUint16(16, 2, true) // executable
  view.setUint16(18, bits === 64 ? 62 : 3, true)
  view.setUint32(20, 1, true)
  const word = (offset: number, value: number): void => (bits === 64 ? view.setBigUint64(offset, BigInt(value), true) : view.setUint32(offset, value, true))
  word(24, entry)
  word(bits === 64 ? 32 : 28, headerBytes)
  const tail = bits === 64 ? 52 : 40
  view.setUint16(tail, headerBytes, true)
  view.setUint16(tail + 2, rowBytes, true)
  view.setUint16(tail + 4, parts.length, true)
  parts.forEach(({ type, address, bytes, memoryBytes = bytes.length }, i) => {
    const row = headerBytes + i * rowBytes
    const offset = offsets[i] ?? 0
    view.setUint32(row, type, true)
    if (bits === 64) [offset, address, address, bytes.length, memoryBytes].forEach((value, field) => word(row + 8 + field * 8, value))
    else [offset, address, address, bytes.length, memoryBytes].forEach((value, field) => word(row + 4 + field * 4, value))
    file.set(bytes, offset)
  })
  return file
}

function align(n: number): number {
  return Math.ceil(n / 16) * 16
}

/** XEN_ELFNOTE_PHYS32_ENTRY with its 32-bit entry, behind a note that means nothing here. */
export function pvhNote(entry: number): Uint8Array {
  const bytes = new Uint8Array(20 + 20)
  const view = new DataView(bytes.buffer)
  ;[4, 4, 1].forEach((value, i) => view.setUint32(i * 4, value, true))
  bytes.set(new TextEncoder().encode('GNU'), 12)
  ;[4, 4, 18].forEach((value, i) => view.setUint32(20 + i * 4, value, true))
  bytes.set(new TextEncoder().encode('Xen'), 32)
  view.setUint32(36, entry, true)
  return bytes
}

/** A Multiboot 1 header; with `addresses` (header, load, load end, bss end, entry) for images that are no ELF. */
export function multibootHeader(flags: number, addresses: readonly number[] = []): Uint8Array {
  const words = [0x1badb002, flags, -(0x1badb002 + flags) >>> 0, ...addresses]
  const bytes = new Uint8Array(words.length * 4)
  words.forEach((word, i) => new DataView(bytes.buffer).setUint32(i * 4, word, true))
  return bytes
}

export interface LinuxOptions {
  readonly version: number
  readonly setupSectors?: number
  readonly loadFlags?: number
  readonly relocatable?: boolean
  readonly xloadFlags?: number
  readonly commandLineMax?: number
  readonly preferredAddress?: number
  readonly initBytes?: number
  readonly initrdMax?: number
  readonly code: Uint8Array
}

/** An image by the Linux/x86 boot protocol: setup sectors with their header, then `code`. */
export function linuxImage(options: LinuxOptions): Uint8Array {
  const setupBytes = ((options.setupSectors ?? 4) + 1) * 512
  const image = new Uint8Array(setupBytes + options.code.length)
  const view = new DataView(image.buffer)
  view.setUint8(0x1f1, options.setupSectors ?? 4)
  view.setUint16(0x1fe, 0xaa55, true)
  image.set([0xeb, 0x66], 0x200)
  view.setUint32(0x202, 0x53726448, true)
  view.setUint16(0x206, options.version, true)
  view.setUint8(0x211, options.loadFlags ?? 1)
  view.setUint32(0x22c, options.initrdMax ?? 0x7fffffff, true)
  view.setUint8(0x234, options.relocatable ? 1 : 0)
  view.setUint16(0x236, options.xloadFlags ?? 0, true)
  view.setUint32(0x238, options.commandLineMax ?? 2047, true)
  view.setBigUint64(0x258, BigInt(options.preferredAddress ?? 0x1000000), true)
  view.setUint32(0x260, options.initBytes ?? options.code.length, true)
  image.set(options.code, setupBytes)
  return image
}
