/**
 * Linux/x86 boot protocol 2.00 to 2.15 (Documentation/arch/x86/boot.rst and zero-page.rst of the kernel): bzImage with 16-, 32- and 64-bit entry.
 */
import { VmmError } from '../../errors/vmm-error'
import { gpa } from '../../support/branded'
import type { MemoryMapEntry } from '../memory-map'
import { asciiz, dataView, usableEnd, type BootEntry, type DirectBootRequest } from './boot-image'

// Offsets in the image and, equally, in the zero page (struct boot_params).
const SETUP_SECTS = 0x1f1
const BOOT_FLAG = 0x1fe
const HEADER_MAGIC = 0x202
const VERSION = 0x206
const TYPE_OF_LOADER = 0x210
const LOADFLAGS = 0x211
const CODE32_START = 0x214
const RAMDISK_IMAGE = 0x218
const RAMDISK_SIZE = 0x21c
const HEAP_END_PTR = 0x224
const CMD_LINE_PTR = 0x228
const INITRD_ADDR_MAX = 0x22c
const RELOCATABLE_KERNEL = 0x234
const XLOADFLAGS = 0x236
const CMDLINE_SIZE = 0x238
const PREF_ADDRESS = 0x258
const INIT_SIZE = 0x260
// Zero page only.
const SCREEN_INFO = 0x000
const ACPI_RSDP_ADDR = 0x070
const EXT_MEM_K = 0x002
const ALT_MEM_K = 0x1e0
const E820_ENTRIES = 0x1e8
const E820_TABLE = 0x2d0
const E820_MAX = 128

const LOADED_HIGH = 1
const CAN_USE_HEAP = 0x80
const XLF_KERNEL_64 = 1
const LOADER_UNDEFINED = 0xff
const SECTOR = 512

/** Where we put things below 640 KiB; nothing of the firmware's lives there. */
const PAGE_TABLES = 0x20000
const ZERO_PAGE = 0x90000
const REAL_MODE_SETUP = 0x90000
/** Below the heap, which ends with HEAP_END_PTR. */
const SETUP_MAX = 0x8000
const COMMAND_LINE = 0x99000
const COMMAND_LINE_MAX = 0x6000
const PROTECTED_KERNEL = 0x100000

interface Header {
  readonly version: number
  readonly setupBytes: number
  readonly loadedHigh: boolean
  readonly relocatable: boolean
  readonly entry64: boolean
  readonly initrdMax: number
  readonly commandLineMax: number
  readonly preferredAddress: number
  readonly initBytes: number
}

export function isLinuxImage(bytes: Uint8Array): boolean {
  if (bytes.length < 0x280) return false
  const view = dataView(bytes)
  return view.getUint16(BOOT_FLAG, true) === 0xaa55 && view.getUint32(HEADER_MAGIC, true) === 0x53726448 // "HdrS"
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  const view = dataView(bytes)
  const version = view.getUint16(VERSION, true)
  const setupSectors = view.getUint8(SETUP_SECTS) || 4
  const setupBytes = (setupSectors + 1) * SECTOR
  if (bytes.length <= setupBytes) {
    throw new VmmError('file/too-small', `kernel ${name}: truncated: ${bytes.length} bytes, but its header announces more than ${setupBytes}; fetch the file again`)
  }
  const at = (minimum: number, read: () => number, otherwise: number): number => (version >= minimum ? read() : otherwise)
  return {
    version,
    setupBytes,
    loadedHigh: (view.getUint8(LOADFLAGS) & LOADED_HIGH) !== 0,
    relocatable: at(0x205, () => view.getUint8(RELOCATABLE_KERNEL), 0) !== 0,
    entry64: (at(0x20c, () => view.getUint16(XLOADFLAGS, true), 0) & XLF_KERNEL_64) !== 0,
    initrdMax: at(0x203, () => view.getUint32(INITRD_ADDR_MAX, true), 0x37ffffff),
    commandLineMax: at(0x206, () => view.getUint32(CMDLINE_SIZE, true), 255),
    preferredAddress: at(0x20a, () => view.getUint32(PREF_ADDRESS, true), PROTECTED_KERNEL),
    initBytes: at(0x20a, () => view.getUint32(INIT_SIZE, true), bytes.length - setupBytes),
  }
}

/** Loads kernel, initrd and command line into guest memory and says where to start. */
export function loadLinux(request: DirectBootRequest): BootEntry {
  const { kernel, memory, memoryMap } = request
  const header = parseHeader(kernel.bytes, kernel.name)
  // Before 2.08 (which made the payload's layout public) images may hold no code at the 32-bit entry: iPXE's, for one.
  const best = header.entry64 ? 64 : header.loadedHigh && header.version >= 0x208 ? 32 : 16
  const entry = request.linuxEntry ?? best
  if (entry === 64 && !header.entry64) throw new VmmError('config/contradiction', `kernel ${kernel.name}: has no 64-bit entry; leave out --linux-entry, or give 32`)

  if (entry === 16 && header.setupBytes > SETUP_MAX) {
    throw new VmmError('file/wrong-format', `kernel ${kernel.name}: its real-mode part of ${header.setupBytes} bytes is more than the protocol has room for; is it a Linux kernel?`)
  }
  const protectedCode = kernel.bytes.subarray(header.setupBytes)
  const loadAddress = header.loadedHigh ? (header.relocatable && entry !== 16 ? header.preferredAddress : PROTECTED_KERNEL) : 0x10000
  const needed = Math.max(header.initBytes, protectedCode.length)
  if (!header.loadedHigh && loadAddress + protectedCode.length > REAL_MODE_SETUP) {
    throw new VmmError('file/wrong-format', `kernel ${kernel.name}: too big to load below 640 KiB, as its header asks for; give a bzImage`)
  }
  if (usableEnd(memoryMap, loadAddress) < loadAddress + needed) {
    throw new VmmError(
      'memory/too-much',
      `kernel ${kernel.name}: needs ${mebibytes(loadAddress + needed)} MiB, the machine has ${mebibytes(memory.ramBytes)} MiB; give it more with --memory`,
    )
  }
  const commandLine = asciiz(request.commandLine)
  const commandLineMax = Math.min(header.commandLineMax, COMMAND_LINE_MAX - 1)
  if (commandLine.length - 1 > commandLineMax) {
    throw new VmmError('config/bad-option', `--append: ${commandLine.length - 1} characters, but kernel ${kernel.name} takes ${commandLineMax} at most; shorten it`)
  }
  memory.write(gpa(loadAddress), protectedCode)
  memory.write(gpa(COMMAND_LINE), commandLine)
  const initrdAddress = placeInitrd(request, header, loadAddress + needed)

  const setup = entry === 16 ? kernel.bytes.slice(0, header.setupBytes) : zeroPage(kernel.bytes, request)
  const view = dataView(setup)
  view.setUint8(TYPE_OF_LOADER, LOADER_UNDEFINED)
  view.setUint32(CMD_LINE_PTR, COMMAND_LINE, true)
  view.setUint32(RAMDISK_IMAGE, initrdAddress, true)
  view.setUint32(RAMDISK_SIZE, request.initrd?.bytes.length ?? 0, true)
  if (header.version >= 0x201) {
    view.setUint16(HEAP_END_PTR, 0x9000 - SECTOR, true)
    view.setUint8(LOADFLAGS, view.getUint8(LOADFLAGS) | CAN_USE_HEAP)
  }
  view.setUint32(CODE32_START, loadAddress, true)

  if (entry === 16) {
    memory.write(gpa(REAL_MODE_SETUP), setup)
    const segment = REAL_MODE_SETUP >> 4
    return { mode: 'real', cs: segment + 0x20, ip: 0, ds: segment, ss: segment, sp: 0x9000 }
  }
  memory.write(gpa(ZERO_PAGE), setup)
  if (entry === 32) return { mode: 'protected', eip: loadAddress, registers: { esi: ZERO_PAGE, ebx: 0, ebp: 0, edi: 0 } }
  writeIdentityTables(request)
  return { mode: 'long', rip: loadAddress + 0x200, rsi: ZERO_PAGE, pageTables: PAGE_TABLES }
}

/** As high as the kernel allows, as loaders do, so that its decompression never runs into it. */
function placeInitrd(request: DirectBootRequest, header: Header, kernelEnd: number): number {
  const { initrd, memory, memoryMap } = request
  if (!initrd || initrd.bytes.length === 0) return 0
  const top = Math.min(header.initrdMax + 1, usableEnd(memoryMap, PROTECTED_KERNEL))
  const address = Math.floor((top - initrd.bytes.length) / 4096) * 4096
  if (address < kernelEnd) {
    throw new VmmError(
      'memory/initrd-does-not-fit',
      `initrd ${initrd.name}: its ${mebibytes(initrd.bytes.length)} MiB do not fit beside the kernel in ${mebibytes(memory.ramBytes)} MiB; give the machine more with --memory`,
    )
  }
  memory.write(gpa(address), initrd.bytes)
  return address
}

/** struct boot_params with the image's setup header copied in, the E820 map, and the VGA text screen that the firmware left. */
function zeroPage(image: Uint8Array, request: DirectBootRequest): Uint8Array {
  const page = new Uint8Array(4096)
  const headerEnd = 0x202 + (image[0x201] ?? 0)
  page.set(image.subarray(SETUP_SECTS, Math.min(headerEnd, 0x290)), SETUP_SECTS)
  const view = dataView(page)
  if (request.vga !== false) describeTextScreen(view)
  const extendedKib = Math.floor((usableEnd(request.memoryMap, PROTECTED_KERNEL) - PROTECTED_KERNEL) / 1024)
  view.setUint16(EXT_MEM_K, Math.min(extendedKib, 0xffff), true)
  view.setUint32(ALT_MEM_K, extendedKib, true)
  view.setBigUint64(ACPI_RSDP_ADDR, BigInt(request.rsdp), true)
  const ranges = request.memoryMap.slice(0, E820_MAX)
  view.setUint8(E820_ENTRIES, ranges.length)
  ranges.forEach((range: MemoryMapEntry, i) => {
    const at = E820_TABLE + i * 20
    view.setBigUint64(at, BigInt(range.address), true)
    view.setBigUint64(at + 8, BigInt(range.bytes), true)
    view.setUint32(at + 16, range.type, true)
  })
  return page
}

/** screen_info: mode 3, 80 x 25, VGA, 16-line font, EGA/VGA attributes. All zeros: there is none. */
function describeTextScreen(view: DataView): void {
  view.setUint8(SCREEN_INFO + 0x06, 3)
  view.setUint8(SCREEN_INFO + 0x07, 80)
  view.setUint16(SCREEN_INFO + 0x0a, 3, true)
  view.setUint8(SCREEN_INFO + 0x0e, 25)
  view.setUint8(SCREEN_INFO + 0x0f, 0x22)
  view.setUint16(SCREEN_INFO + 0x10, 16, true)
}

/** Identity map of the first 4 GiB with 2 MiB pages: PML4, PDPT, four page directories. */
function writeIdentityTables(request: DirectBootRequest): void {
  const tables = new BigUint64Array((6 * 4096) / 8)
  const present = 3n // present, writable
  tables[0] = BigInt(PAGE_TABLES + 0x1000) | present
  for (let i = 0; i < 4; i++) tables[512 + i] = BigInt(PAGE_TABLES + 0x2000 + i * 0x1000) | present
  for (let i = 0; i < 2048; i++) tables[1024 + i] = (BigInt(i) << 21n) | 0x83n
  request.memory.write(gpa(PAGE_TABLES), new Uint8Array(tables.buffer))
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 0x100000)
}
