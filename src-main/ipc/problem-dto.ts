/** Problems and results of the VMM as they cross to the window. */
import type { Problem, Result } from '../vmm'
import type { Outcome, ProblemDto } from './contract'

export function problemDto({ code, id, values, message, remedy, file, key }: Problem): ProblemDto {
  return { code, id, values: { ...values }, message, remedy, ...(file === undefined ? {} : { file }), ...(key === undefined ? {} : { key }) }
}

export function refusal(problem: Problem): { readonly ok: false; readonly problem: ProblemDto } {
  return { ok: false, problem: problemDto(problem) }
}

export const DONE: { readonly ok: true; readonly value: undefined } = { ok: true, value: undefined }

/** Of a result whose value the window does not need. */
export function done(result: Result<unknown>): Outcome<undefined> {
  return result.ok ? DONE : refusal(result.problem)
}
