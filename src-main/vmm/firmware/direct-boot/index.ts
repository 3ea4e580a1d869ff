/** Starts a kernel without firmware or boot loader: recognizes the format, loads it, and says how the processor must enter it. */
import { VmmError } from '../../errors/vmm-error'
import type { GuestMemory } from '../../memory/guest-memory'
import type { BootEntry, DirectBootRequest } from './boot-image'
import { isElf, parseElf } from './elf'
import { isLinuxImage, loadLinux } from './linux'
import { findMultibootHeader, loadMultiboot } from './multiboot'
import { loadPvh, pvhEntry } from './pvh'

export type { BootEntry, BootModule, DirectBootRequest, NamedBytes } from './boot-image'

/** Throws what loadDirectBoot would throw; touches no memory. */
export function checkDirectBoot(request: Omit<DirectBootRequest, 'memory'> & { readonly memory: Pick<GuestMemory, 'ramBytes' | 'lowRamBytes'> }): void {
  const { ramBytes, lowRamBytes } = request.memory
  loadDirectBoot({ ...request, memory: { ramBytes, lowRamBytes, write: () => undefined, fill: () => undefined } })
}

export function loadDirectBoot(request: DirectBootRequest): BootEntry {
  const { kernel } = request
  if (kernel.bytes.length === 0) throw new VmmError('file/too-small', `kernel ${kernel.name}: the file is empty; give a kernel`)
  if (isLinuxImage(kernel.bytes)) {
    if (request.modules.length > 0) throw new VmmError('config/contradiction', `--module: kernel ${kernel.name} is a Linux image, which takes --initrd instead; leave out --module`)
    return loadLinux(request)
  }
  const multiboot = findMultibootHeader(kernel.bytes)
  if (multiboot !== undefined) return loadMultiboot(request, multiboot)
  if (isElf(kernel.bytes)) {
    const image = parseElf(kernel.bytes, kernel.name)
    const entry = pvhEntry(image)
    if (entry !== undefined) return loadPvh(request, image, entry)
    throw new VmmError('file/wrong-format', `kernel ${kernel.name}: an ELF file, but with neither a Multiboot header nor a PVH entry note; give a kernel that has one`)
  }
  throw new VmmError('file/wrong-format', `kernel ${kernel.name}: not a Linux bzImage, Multiboot or PVH image; give a kernel with --kernel, a disk with --disk`)
}
