/** PVH entry (Xen's "HVM/PVH direct boot ABI", docs/misc/pvh.pandoc): an ELF with a XEN_ELFNOTE_PHYS32_ENTRY note. */
import { VmmError } from '../../errors/vmm-error'
import { gpa } from '../../support/branded'
import { asciiz, dataView, type BootEntry, type DirectBootRequest } from './boot-image'
import type { ElfImage } from './elf'
import { loadSegments, placeModules } from './load-segments'

const XEN_ELFNOTE_PHYS32_ENTRY = 18
const START_MAGIC = 0x336ec578
const START_INFO = 0x9000
/** What fits in our start-of-day structure. */
const MAX_FILES = 24

export function pvhEntry(image: ElfImage): number | undefined {
  const note = image.notes.find((n) => n.name === 'Xen' && n.type === XEN_ELFNOTE_PHYS32_ENTRY && n.descriptor.length >= 4)
  return note && dataView(note.descriptor).getUint32(0, true)
}

export function loadPvh(request: DirectBootRequest, image: ElfImage, entry: number): BootEntry {
  const end = loadSegments(request, image.segments)
  const files = [...(request.initrd ? [{ ...request.initrd, commandLine: '' }] : []), ...request.modules]
  if (files.length > MAX_FILES) throw new VmmError('config/bad-option', `--module: ${files.length} modules, but kernel ${request.kernel.name} is given ${MAX_FILES} at most; leave some out`)
  const addresses = placeModules(request, files, end)
  // hvm_start_info version 1, module list, memory map, strings.
  const page = new Uint8Array(0x2000)
  const view = dataView(page)
  const modulesAt = 0x40
  const mapAt = 0x400
  let stringsAt = 0x1000
  const placeString = (text: string): number => {
    const bytes = asciiz(text)
    if (stringsAt + bytes.length > page.length) throw new VmmError('config/bad-option', `kernel ${request.kernel.name}: command lines are too long; shorten --append or --module`)
    page.set(bytes, stringsAt)
    const at = START_INFO + stringsAt
    stringsAt += bytes.length
    return at
  }
  view.setUint32(0, START_MAGIC, true)
  view.setUint32(4, 1, true)
  view.setUint32(12, files.length, true)
  view.setBigUint64(16, BigInt(files.length ? START_INFO + modulesAt : 0), true)
  view.setBigUint64(24, BigInt(placeString(request.commandLine)), true)
  view.setBigUint64(32, BigInt(request.rsdp), true)
  view.setBigUint64(40, BigInt(START_INFO + mapAt), true)
  view.setUint32(48, request.memoryMap.length, true)
  files.forEach((file, i) => {
    view.setBigUint64(modulesAt + i * 32, BigInt(addresses[i] ?? 0), true)
    view.setBigUint64(modulesAt + i * 32 + 8, BigInt(file.bytes.length), true)
    view.setBigUint64(modulesAt + i * 32 + 16, BigInt(placeString(file.commandLine)), true)
  })
  request.memoryMap.slice(0, 128).forEach((range, i) => {
    view.setBigUint64(mapAt + i * 24, BigInt(range.address), true)
    view.setBigUint64(mapAt + i * 24 + 8, BigInt(range.bytes), true)
    view.setUint32(mapAt + i * 24 + 16, range.type, true)
  })
  request.memory.write(gpa(START_INFO), page)
  return { mode: 'protected', eip: entry, registers: { ebx: START_INFO } }
}
