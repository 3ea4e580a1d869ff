/** Where the socket of a running VM is: in the user's run-time folder, named after the VM's folder (whose own path may be too long for a socket). */
import { createHash } from 'node:crypto'
import { lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fail, fileProblem, ok, problem, type Result } from '../library/problem'

export function controlFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_RUNTIME_DIR: runtime } = environment
  return runtime !== undefined && isAbsolute(runtime) ? join(runtime, 'vitrine') : join(tmpdir(), `vitrine-${process.getuid?.() ?? 'user'}`)
}

/** `vm`: the real path of the VM's folder. */
export function controlPath(vm: string, environment?: Readonly<Record<string, string | undefined>>): string {
  return join(controlFolder(environment), `${createHash('sha256').update(vm).digest('hex').slice(0, 32)}.sock`)
}

/** Made for us alone; one that another user made in a common place is refused. */
export async function makeControlFolder(folder: string): Promise<Result<undefined>> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const info = await lstat(folder)
    if (!info.isDirectory() || info.uid !== (process.getuid?.() ?? info.uid) || (info.mode & 0o077) !== 0) {
      return fail(problem('control-folder-not-ours', { file: folder }, { file: folder }))
    }
    return ok(undefined)
  } catch (error) {
    return fail(fileProblem(error, folder))
  }
}
