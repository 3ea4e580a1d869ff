/** What the library's commands print: for people, or with --json for programs. */
import { describeHolder, problemError, type LibraryVm, type Result } from '../../vmm'

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function printLine(line: string): void {
  process.stdout.write(`${visible(line)}\n`)
}

/** Names come from files; a terminal obeys control characters. */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

/** The value, or the problem as the command's one line of error. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw problemError(result.problem)
  return result.value
}

export function stateText({ state, holder, problems }: LibraryVm): string {
  if (state === 'in-use') return holder ? `powered on, by ${describeHolder(holder)}` : 'powered on'
  const off = state === 'suspended' ? 'suspended' : 'powered off'
  return problems.length === 0 ? off : `${off}, with problems`
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ').trimEnd()).join('\n')
}
