/** Copying between a chain's buffers and the host's bytes. Buffers in holes of RAM read all ones and take nothing, as other DMA there. */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import type { Segment } from './virtqueue/virtqueue'

/** Reads at most `bytes` bytes, `skip` bytes behind the start of the buffers. */
export function readBuffers(memory: GuestMemory, segments: readonly Segment[], bytes: number, skip: number = 0): Uint8Array {
  const target = new Uint8Array(bytes)
  let done = 0
  for (const { address, length } of pieces(segments, bytes, skip)) {
    memory.read(gpa(address), target.subarray(done, done + length))
    done += length
  }
  return done === bytes ? target : target.slice(0, done)
}

/** Writes as much of `source` as there is room for, `skip` bytes behind the start; returns how many bytes. */
export function writeBuffers(memory: GuestMemory, segments: readonly Segment[], source: Uint8Array, skip: number = 0): number {
  let done = 0
  for (const { address, length } of pieces(segments, source.length, skip)) {
    memory.write(gpa(address), source.subarray(done, done + length))
    done += length
  }
  return done
}

/** The part [skip, skip + bytes) of the buffers, as segments. */
export function sliceSegments(segments: readonly Segment[], skip: number, bytes: number): readonly Segment[] {
  return [...pieces(segments, bytes, skip)].map(({ address, length }) => ({ address, bytes: length }))
}

/**
 * Host views of the part [skip, skip + bytes) of the buffers, for I/O without copying; undefined when a part of it is not RAM. After writing through
 * them: finishViews().
 */
export function viewsOf(memory: GuestMemory, segments: readonly Segment[], skip: number, bytes: number): readonly Uint8Array[] | undefined {
  const views: Uint8Array[] = []
  for (const { address, length } of pieces(segments, bytes, skip)) {
    const found = memory.views(gpa(address), length)
    if (!found) return undefined
    views.push(...found)
  }
  return views
}

/** The host has written through views of that part. */
export function finishViews(memory: GuestMemory, segments: readonly Segment[], skip: number, bytes: number): void {
  for (const { address, length } of pieces(segments, bytes, skip)) memory.finishWrite(gpa(address), length)
}

function* pieces(segments: readonly Segment[], bytes: number, skip: number): Generator<{ readonly address: number; readonly length: number }> {
  let left = bytes
  let before = skip
  for (const segment of segments) {
    if (left === 0) return
    if (before >= segment.bytes) {
      before -= segment.bytes
      continue
    }
    const length = Math.min(segment.bytes - before, left)
    yield { address: segment.address + before, length }
    before = 0
    left -= length
  }
}
