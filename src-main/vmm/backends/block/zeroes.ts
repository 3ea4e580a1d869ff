/** Zeroes on a disk. Node offers no fallocate(): a file's blocks cannot be given back to the host, but they can be written. */
import type { BlockBackend } from './block-backend'

const PORTION = 0x100000
let zeroes: Uint8Array | undefined

export async function writeZeroes(backend: BlockBackend, offset: number, bytes: number): Promise<void> {
  if (backend.writeZeroes) return backend.writeZeroes(offset, bytes)
  zeroes ??= new Uint8Array(PORTION)
  for (let done = 0; done < bytes; done += PORTION) await backend.write(offset + done, [zeroes.subarray(0, Math.min(PORTION, bytes - done))])
}
