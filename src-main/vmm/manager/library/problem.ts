/** What can be wrong with a VM or the library: a code to act on, what is wrong, and what to do about it. Nothing here is a reason to stop the program. */
import { VmmError } from '../../errors/vmm-error'

export type ProblemCode =
  | 'name/bad'
  | 'name/not-found'
  | 'name/ambiguous'
  | 'vm/exists'
  | 'vm/copied'
  | 'vm/locked'
  | 'vm/suspended'
  | 'vm-json/missing'
  | 'vm-json/broken'
  | 'vm-json/newer'
  | 'folder/missing'
  | 'folder/read-only'
  | 'folder/not-a-vm'
  | 'file/missing'
  | 'file/unreadable'
  | 'file/disk-full'
  | 'hardware/impossible'
  | 'state/does-not-fit'
  | 'inventory/broken'
  | 'inventory/newer'
  | 'control/unreachable'
  | 'control/refused'
  | 'busy'

export interface Problem {
  readonly code: ProblemCode
  /** One line: what is wrong, with which file or key. */
  readonly message: string
  /** One line: what to do. */
  readonly remedy: string
  readonly file?: string
  /** Of a JSON file, as "hardware.disks[0].file". */
  readonly key?: string
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

export function ok<T>(value: T): Result<T> {
  return { ok: true, value }
}

export function fail(problem: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem }
}

/** For messages on one line. */
export function sentence({ message, remedy }: Problem): string {
  return `${message}; ${remedy}`
}

/** A problem as an exception, where results are no use: the command line. */
export function problemError(problem: Problem): VmmError {
  return new VmmError('config/bad-option', sentence(problem))
}

/** The system's code of an error, or of the error that it wraps. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code)) return error.code
  return systemCode(error.cause)
}

/** Trouble of the host's file system with a file or folder. */
export function fileProblem(error: unknown, file: string): Problem {
  const code = systemCode(error)
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { code: 'file/missing', message: `${file} is not there`, remedy: 'put it back, or remove the entry', file }
    case 'ENOSPC':
    case 'EDQUOT':
      return { code: 'file/disk-full', message: `${file} cannot be written: the disk is full`, remedy: 'make room on it and try again', file }
    case 'EROFS':
      return { code: 'folder/read-only', message: `${file} cannot be written: the file system is read-only`, remedy: 'mount it writable, or copy the virtual machine to another place', file }
    case 'EACCES':
    case 'EPERM':
      return { code: 'folder/read-only', message: `${file}: permission denied`, remedy: 'change the permissions of the file and its folder, or copy the virtual machine to another place', file }
    default:
      return { code: 'file/unreadable', message: `${file}: ${error instanceof Error ? error.message : String(error)}`, remedy: 'check the file and the disk that it is on', file }
  }
}
