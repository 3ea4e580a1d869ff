import { VmmError } from '../../errors/vmm-error'
import { gpa } from '../../support/branded'
import { usableEnd, type DirectBootRequest } from './boot-image'
import type { ElfSegment } from './elf'

/** Copies segments into guest RAM, zero-filling their tails; returns the first address past all of them. */
export function loadSegments(request: DirectBootRequest, segments: readonly ElfSegment[]): number {
  const { kernel, memory, memoryMap } = request
  if (segments.length === 0) throw new VmmError('file/wrong-format', `kernel ${kernel.name}: nothing to load in it`)
  let end = 0
  for (const segment of segments) {
    const last = segment.physicalAddress + segment.memoryBytes
    if (usableEnd(memoryMap, segment.physicalAddress) < last) {
      throw new VmmError(
        'memory/too-much',
        `kernel ${kernel.name}: wants ${hex(segment.physicalAddress)}–${hex(last)}, which is not RAM of this machine; give it more with --memory`,
      )
    }
    memory.write(gpa(segment.physicalAddress), kernel.bytes.subarray(segment.fileOffset, segment.fileOffset + segment.fileBytes))
    memory.fill(gpa(segment.physicalAddress + segment.fileBytes), segment.memoryBytes - segment.fileBytes, 0)
    end = Math.max(end, last)
  }
  return end
}

/** Places modules page by page from `start` up; returns where each went. */
export function placeModules(request: DirectBootRequest, files: readonly { readonly name: string; readonly bytes: Uint8Array }[], start: number): number[] {
  let next = Math.ceil(start / 4096) * 4096
  return files.map((file) => {
    if (usableEnd(request.memoryMap, next) < next + file.bytes.length) {
      throw new VmmError('memory/initrd-does-not-fit', `module ${file.name}: does not fit behind the kernel; give the machine more with --memory`)
    }
    const address = next
    request.memory.write(gpa(address), file.bytes)
    next = Math.ceil((next + file.bytes.length) / 4096) * 4096
    return address
  })
}

function hex(n: number): string {
  return `0x${n.toString(16)}`
}
