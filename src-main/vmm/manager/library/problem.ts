/** What can be wrong with a VM or the library: a code to act on, what is wrong, and what to do about it. Nothing here is a reason to stop the program. */
import { VmmError } from '../../errors/vmm-error'
import { PROBLEM_TEXTS, type ProblemCode, type ProblemId, type ProblemText, type ProblemValues } from './problem-texts'

export type { ProblemCode, ProblemId } from './problem-texts'

export interface Problem {
  /** To act on. */
  readonly code: ProblemCode
  /** Of the text, and what its placeholders stand for: for whoever says it in another language. */
  readonly id: ProblemId
  readonly values: Readonly<Record<string, string | number>>
  /** In English, one line: what is wrong, with which file or key. */
  readonly message: string
  /** In English, one line: what to do. */
  readonly remedy: string
  readonly file?: string
  /** Of a JSON file, as "hardware.disks[0].file". */
  readonly key?: string
}

/** The only way to make one, so that every text is in the table. */
export function problem<I extends ProblemId>(id: I, values: ProblemValues<I>, at: { readonly file?: string; readonly key?: string } = {}): Problem {
  const text: ProblemText = PROBLEM_TEXTS[id]
  const { code, message, remedy } = text
  const plain: Readonly<Record<string, string | number>> = values
  const fill = (template: string): string => template.replace(/\{(\w+)\}/g, (_, name: string) => String(plain[name] ?? ''))
  return { code, id, values: plain, message: fill(message), remedy: fill(remedy), ...at }
}

export function isProblemId(id: string | undefined): id is ProblemId {
  return id !== undefined && Object.hasOwn(PROBLEM_TEXTS, id)
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

export function ok<T>(value: T): Result<T> {
  return { ok: true, value }
}

export function fail(trouble: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: trouble }
}

/** For messages on one line. */
export function sentence({ message, remedy }: Problem): string {
  return `${message}; ${remedy}`
}

/** A problem as an exception, where results are no use: the command line. */
export function problemError(trouble: Problem): VmmError {
  return new VmmError('config/bad-option', sentence(trouble))
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
      return problem('file-missing', { file }, { file })
    case 'ENOSPC':
    case 'EDQUOT':
      return problem('disk-full', { file }, { file })
    case 'EROFS':
      return problem('file-system-read-only', { file }, { file })
    case 'EACCES':
    case 'EPERM':
      return problem('permission-denied', { file }, { file })
    default:
      return problem('file-trouble', { file, detail: error instanceof Error ? error.message : String(error) }, { file })
  }
}
