/** Files that are written whole or not at all, and are still there after a power cut. */
import { open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { VmmError } from '../errors/vmm-error'

/** Two writes at once, of one process too, must not share a temporary file. */
let written = 0

/**
 * Temporary file, fsync, rename, fsync of the folder. What a symbolic link leads to is replaced, not the link; an existing file keeps its permissions;
 * devices and pipes are written to as they are.
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}-${++written}.tmp`)
  try {
    const there = await stat(target).catch(() => undefined)
    if (there && !there.isFile() && !there.isDirectory()) return await writeFile(target, bytes)
    await rename(await writeTemporary(temporary, bytes, there?.isFile() === true ? there.mode & 0o777 : 0o600), target)
    await syncFolder(dirname(target))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new VmmError('file/unreadable', `${path}: cannot be written (${WRITE_TROUBLE[code] ?? code}); choose another place`, { cause: error })
  }
}

async function writeTemporary(path: string, bytes: Uint8Array, mode: number): Promise<string> {
  const file = await open(path, 'w', mode)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  return path
}

/** Makes names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path || '.', 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const TEMPORARY = /^\..+\.(?<pid>\d+)-\d+\.tmp$/

/** Temporary files that processes left when they were killed in the middle of a write. */
export async function removeLeftovers(folder: string, isAlive: (pid: number) => boolean): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = TEMPORARY.exec(name)?.groups?.['pid']
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true }).catch(() => undefined)
  }
}

const WRITE_TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder does not exist',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota of disk space is used up',
}
