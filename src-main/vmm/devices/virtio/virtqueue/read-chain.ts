/** A descriptor chain as the guest wrote it, checked. OASIS VIRTIO 1.2, 2.7.5 and 2.7.5.3 (indirect descriptors). */
import type { GuestMemory } from '../../../memory/guest-memory'
import { gpa } from '../../../support/branded'
import type { DescriptorChain, Segment } from './virtqueue'
import * as ring from './layout'

/** The part of a 64-bit address above 2^32 must leave it an exact number; what is beyond RAM is refused anyway. */
const MAX_HIGH = 0xfffff
const FOUR_GIB = 0x100000000

export interface ChainSource {
  readonly memory: GuestMemory
  readonly descriptors: number
  readonly size: number
  readonly indirectAllowed: boolean
}

/** Says what is wrong with the chain, instead of returning it. */
export function readChain(source: ChainSource, head: number): DescriptorChain | string {
  const { memory, size } = source
  const readable: Segment[] = []
  const writable: Segment[] = []
  let readableBytes = 0
  let writableBytes = 0
  let table = source.descriptors
  let entries = size
  let isIndirect = false
  let index = head
  // As long as a queue may be, whatever this one is: a chain that goes on has a loop.
  for (let count = 0; count < ring.MAX_QUEUE_SIZE; count++) {
    if (index >= entries) return `a descriptor index of ${index} in a table of ${entries}`
    const at = table + index * ring.DESCRIPTOR_BYTES
    const high = memory.readU32(gpa(at + 4))
    const bytes = memory.readU32(gpa(at + ring.DESC_LENGTH))
    const flags = memory.readU16(gpa(at + ring.DESC_FLAGS))
    if (high > MAX_HIGH) return 'a buffer outside of memory'
    const address = memory.readU32(gpa(at)) + high * FOUR_GIB
    if ((flags & ring.DESC_F_INDIRECT) !== 0) {
      if (!source.indirectAllowed) return 'an indirect descriptor, which was not negotiated'
      if (isIndirect || (flags & ring.DESC_F_NEXT) !== 0) return 'an indirect descriptor inside of a chain'
      if (bytes === 0 || bytes % ring.DESCRIPTOR_BYTES !== 0) return `an indirect table of ${bytes} bytes`
      if (!isRam(memory, address, bytes)) return 'an indirect table outside of memory'
      isIndirect = true
      table = address
      entries = Math.min(bytes / ring.DESCRIPTOR_BYTES, ring.MAX_QUEUE_SIZE)
      index = 0
      continue
    }
    if (bytes > 0) {
      if (!isRam(memory, address, bytes)) return 'a buffer outside of memory'
      if ((flags & ring.DESC_F_WRITE) !== 0) {
        writable.push({ address, bytes })
        writableBytes += bytes
      } else {
        if (writable.length > 0) return 'a readable buffer after a writable one'
        readable.push({ address, bytes })
        readableBytes += bytes
      }
    }
    if ((flags & ring.DESC_F_NEXT) === 0) return { head, readable, writable, readableBytes, writableBytes }
    index = memory.readU16(gpa(at + ring.DESC_NEXT))
  }
  return 'a chain without end'
}

/** Whether the range lies in guest RAM. Holes in it (video memory, ROM) are found when it is accessed. */
export function isRam(memory: Pick<GuestMemory, 'ramBytes' | 'lowRamBytes'>, address: number, bytes: number): boolean {
  const end = address + bytes
  return end <= memory.lowRamBytes || (address >= FOUR_GIB && end <= FOUR_GIB + memory.ramBytes - memory.lowRamBytes)
}
