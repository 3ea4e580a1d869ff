/** The small picture of a VM's screen that the library shows while it is off. */
import { writeAtomically } from '../../support/write-atomically'
import { readBounded } from './json-document'
import { fail, fileProblem, ok, type Result } from './problem'
import { THUMBNAIL, type VmFolder } from './vm-folder'

const MAX_BYTES = 1 << 22
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

export async function writeThumbnail(folder: VmFolder, png: Uint8Array): Promise<Result<undefined>> {
  try {
    await writeAtomically(folder.file(THUMBNAIL), png)
    return ok(undefined)
  } catch (error) {
    return fail(fileProblem(error, folder.file(THUMBNAIL)))
  }
}

/** undefined: there is none, or it is no picture; it is only an ornament. */
export async function readThumbnail(folder: VmFolder): Promise<Uint8Array | undefined> {
  const bytes = await readBounded(folder.file(THUMBNAIL), MAX_BYTES).catch(() => undefined)
  return bytes && bytes.length <= MAX_BYTES && SIGNATURE.every((byte, i) => bytes[i] === byte) ? bytes : undefined
}
