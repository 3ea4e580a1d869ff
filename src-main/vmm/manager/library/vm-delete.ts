/** "Delete from Disk": what belongs to the VM and nothing else. vm.json goes last, so that what is interrupted can be done again. */
import { readdir, realpath, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, relative, sep } from 'node:path'
import { syncFolder } from '../../support/write-atomically'
import { fail, fileProblem, ok, type Result } from './problem'
import { isOurs, VM_JSON, type VmFolder } from './vm-folder'
import type { VmJson } from './vm-json/types'

export interface Deleted {
  readonly deleted: readonly string[]
  /** Disks elsewhere, or that other VMs use, and whatever else lies in the folder. */
  readonly kept: readonly string[]
}

/**
 * The caller has the VM locked. `config`: undefined when vm.json is broken, and then nobody knows whose the other files are: they stay. `othersUse` are files of
 * other VMs.
 */
export async function deleteVm(folder: VmFolder, config: VmJson | undefined, othersUse: ReadonlySet<string>): Promise<Result<Deleted>> {
  const deleted: string[] = []
  const kept: string[] = []
  try {
    for (const path of ownFiles(folder, config)) {
      if (othersUse.has(path) || !(await isInside(folder.path, path))) kept.push(path)
      else if (await remove(path)) deleted.push(path)
    }
    const names = await readdir(folder.path)
    for (const name of names) if (isOurs(name) && name !== VM_JSON) await rm(folder.file(name), { recursive: true, force: true })
    await rm(folder.vmJson, { force: true })
    deleted.push(folder.vmJson)
    const rest = await readdir(folder.path)
    for (const name of rest) if (!kept.includes(folder.file(name))) kept.push(folder.file(name))
    if (rest.length === 0) {
      await rmdir(folder.path)
      deleted.push(folder.path)
    }
    await syncFolder(rest.length === 0 ? dirname(folder.path) : folder.path)
    return ok({ deleted, kept })
  } catch (error) {
    return fail(fileProblem(error, folder.path))
  }
}

/** Disks and what serial ports wrote; CD images, kernels and firmware are the user's. */
function ownFiles(folder: VmFolder, config: VmJson | undefined): readonly string[] {
  if (!config) return []
  const { disks, serialPorts } = config.hardware
  return [...new Set([...disks.map(({ file }) => folder.file(file)), ...serialPorts.flatMap((port) => (port.kind === 'file' ? [folder.file(port.file)] : []))])]
}

/** Where the file really is: a folder of the path may be a link that leads elsewhere. A link as the file itself is ours, what it leads to is not. */
async function isInside(folder: string, path: string): Promise<boolean> {
  const [inside, real] = await Promise.all([realpath(folder), realpath(dirname(path)).catch(() => undefined)])
  if (real === undefined) return false
  const way = relative(inside, real)
  return way !== '..' && !way.startsWith(`..${sep}`) && basename(path) !== VM_JSON
}

async function remove(path: string): Promise<boolean> {
  return rm(path).then(
    () => true,
    () => false,
  )
}
