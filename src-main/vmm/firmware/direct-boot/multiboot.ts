/** Multiboot Specification 0.6.96 (Multiboot 1): ELF images, or the address fields of the header ("a.out kludge"), with modules. */
import { VmmError } from '../../errors/vmm-error'
import { gpa } from '../../support/branded'
import { asciiz, dataView, usableEnd, type BootEntry, type DirectBootRequest } from './boot-image'
import { isElf, parseElf, type ElfSegment } from './elf'
import { loadSegments, placeModules } from './load-segments'

const HEADER_MAGIC = 0x1badb002
const LOADER_MAGIC = 0x2badb002
const SEARCH_BYTES = 8192
const FLAG_ADDRESS_FIELDS = 1 << 16
const UNKNOWN_MANDATORY = 0xfff8 // bits 3..15: features that a loader must know
const INFO = 0x9000
const FOUR_GIB = 0x100000000

const INFO_MEMORY = 1
const INFO_COMMAND_LINE = 4
const INFO_MODULES = 8
const INFO_MEMORY_MAP = 0x40
const INFO_LOADER_NAME = 0x200

/** Offset of the header, or undefined when the image is not a Multiboot one. */
export function findMultibootHeader(bytes: Uint8Array): number | undefined {
  const view = dataView(bytes)
  for (let at = 0; at + 12 <= Math.min(bytes.length, SEARCH_BYTES); at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue
    if (((HEADER_MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true)) & 0xffffffff) === 0) return at
  }
  return undefined
}

export function loadMultiboot(request: DirectBootRequest, header: number): BootEntry {
  const { kernel, memory, memoryMap } = request
  const flags = dataView(kernel.bytes).getUint32(header + 4, true)
  if (flags & UNKNOWN_MANDATORY) {
    throw new VmmError('file/wrong-format', `kernel ${kernel.name}: asks for Multiboot features 0x${(flags & UNKNOWN_MANDATORY).toString(16)} that Vitrine does not have; give another kernel`)
  }
  const { entry, segments } = flags & FLAG_ADDRESS_FIELDS ? addressFields(request, header) : elfLayout(request)
  const end = loadSegments(request, segments)
  const modules = request.initrd ? [{ ...request.initrd, commandLine: '' }, ...request.modules] : request.modules
  const addresses = placeModules(request, modules, end)

  // Information structure, then what it points at, in low memory.
  const info = new Uint8Array(0x1000)
  const view = dataView(info)
  let next = 0x200
  const place = (bytes: Uint8Array): number => {
    if (next + bytes.length > info.length) throw new VmmError('config/bad-option', `kernel ${kernel.name}: command lines are too long; shorten --append or --module`)
    info.set(bytes, next)
    const at = INFO + next
    next = (next + bytes.length + 3) & ~3
    return at
  }
  view.setUint32(0, INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME, true)
  view.setUint32(4, 639, true)
  view.setUint32(8, Math.floor((usableEnd(memoryMap, 0x100000) - 0x100000) / 1024), true)
  view.setUint32(16, place(asciiz(`${kernel.name} ${request.commandLine}`.trimEnd())), true)
  view.setUint32(20, modules.length, true)
  const list = new Uint8Array(modules.length * 16)
  modules.forEach((module, i) => {
    const start = addresses[i] ?? 0
    const entryView = dataView(list)
    entryView.setUint32(i * 16, start, true)
    entryView.setUint32(i * 16 + 4, start + module.bytes.length, true)
    entryView.setUint32(i * 16 + 8, place(asciiz(module.commandLine)), true)
  })
  view.setUint32(24, place(list), true)
  const map = new Uint8Array(memoryMap.length * 24)
  memoryMap.forEach((range, i) => {
    const entryView = dataView(map)
    entryView.setUint32(i * 24, 20, true)
    entryView.setBigUint64(i * 24 + 4, BigInt(range.address), true)
    entryView.setBigUint64(i * 24 + 12, BigInt(range.bytes), true)
    entryView.setUint32(i * 24 + 20, range.type, true)
  })
  view.setUint32(44, map.length, true)
  view.setUint32(48, place(map), true)
  view.setUint32(64, place(asciiz('Vitrine')), true)
  memory.write(gpa(INFO), info)
  return { mode: 'protected', eip: entry, registers: { eax: LOADER_MAGIC, ebx: INFO } }
}

function addressFields(request: DirectBootRequest, header: number): { entry: number; segments: ElfSegment[] } {
  const { kernel } = request
  const view = dataView(kernel.bytes)
  if (header + 32 > kernel.bytes.length) throw new VmmError('file/too-small', `kernel ${kernel.name}: its Multiboot header is cut off; is the file complete?`)
  const field = (offset: number): number => view.getUint32(header + offset, true)
  const [headerAddress, loadAddress, loadEnd, bssEnd, entry] = [field(12), field(16), field(20), field(24), field(28)]
  const fileOffset = header - (headerAddress - loadAddress)
  const fileBytes = loadEnd === 0 ? kernel.bytes.length - fileOffset : loadEnd - loadAddress
  if (fileOffset < 0 || fileBytes < 0 || fileOffset + fileBytes > kernel.bytes.length) {
    throw new VmmError('file/wrong-format', `kernel ${kernel.name}: the addresses in its Multiboot header lie outside the file; is it complete?`)
  }
  return { entry, segments: [{ fileOffset, fileBytes, memoryBytes: Math.max(fileBytes, bssEnd - loadAddress), physicalAddress: loadAddress }] }
}

function elfLayout(request: DirectBootRequest): { entry: number; segments: readonly ElfSegment[] } {
  const { kernel } = request
  if (!isElf(kernel.bytes)) throw new VmmError('file/wrong-format', `kernel ${kernel.name}: Multiboot without addresses, but not an ELF file; give another kernel`)
  const image = parseElf(kernel.bytes, kernel.name)
  if (image.entry >= FOUR_GIB) throw new VmmError('file/wrong-format', `kernel ${kernel.name}: its entry lies beyond 4 GiB, but Multiboot enters in 32-bit mode; give another kernel`)
  return image
}
