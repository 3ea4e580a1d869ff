/** What is this file? The one question of the wizard, of drops and of every field for a file. Nothing in a file can make it throw, loop or read without end. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { fail, fileProblem, ok, problem, type Result } from '../manager/library/problem'
import { VmFolder, VM_JSON } from '../manager/library/vm-folder'
import { recogniseDisk, recogniseFirmware, recogniseFormat } from './disk-media'
import { recogniseIso } from './iso-media'
import { recogniseInitrd, recogniseLinux, recogniseMultiboot } from './kernel-media'
import { MediaFile } from './media-file'
import type { MediaFacts, Recognised } from './media-facts'

/** In this order: kernels carry a boot sector's signature, isohybrid discs a partition table. */
const RECOGNISERS: readonly ((file: MediaFile) => Promise<Recognised | undefined>)[] = [recogniseIso, recogniseLinux, recogniseFormat, recogniseMultiboot, recogniseInitrd, recogniseFirmware, recogniseDisk]

export async function describeMedia(path: string): Promise<Result<MediaFacts>> {
  try {
    const info = await stat(path)
    if (info.isDirectory() || basename(path) === VM_JSON) return await describeVmFolder(path)
    const file = await MediaFile.open(path)
    if (!file) return fail(problem('media-not-a-file', { file: path }, { file: path }))
    try {
      for (const recognise of RECOGNISERS) {
        const found = await recognise(file)
        if (found) return ok({ path, bytes: file.bytes, ...found })
      }
      return ok({ path, kind: 'unknown', bytes: file.bytes, why: [] })
    } finally {
      await file.close()
    }
  } catch (error) {
    return fail(fileProblem(error, path))
  }
}

async function describeVmFolder(path: string): Promise<Result<MediaFacts>> {
  const found = await VmFolder.find(path)
  if (!found.ok) return found
  const read = await found.value.read()
  if (!read.ok) return read
  const { name, guest } = read.value.config
  return ok({ path: found.value.path, kind: 'vm', bytes: 0, label: name, family: guest.family, why: [{ sign: 'vm-json', value: VM_JSON }] })
}
