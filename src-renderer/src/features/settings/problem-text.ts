/** A problem of the main process in the window's language: what is wrong, and what to do. */
import type { ProblemDto } from '../../../../src-main/ipc/contract'
import type { Translate } from './guests'

export function problemText(t: Translate, { id, values }: ProblemDto): string {
  return `${t(`problems.${id}.message`, values)} ${t(`problems.${id}.remedy`, values)}`
}
