/** How a region executes a form: found by emitting each once, when everything is built (out/core/executions.bin) or else when it is asked for. */
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import type { Form } from '../isa/form'
import { forms } from '../isa/forms'
import * as L from '../layout'
import { semantics } from '../semantics/index'
import type { DecodedInstruction } from './decoded-instruction'
import { DYNAMIC } from './flag-state'
import { FloatChain } from './float-chain'
import { NotInline } from './region-binding'
import { RegionEmitter } from './region-emitter'
import { RegionFrame } from './region-frame'
import { transferOf } from './successors'
import { TrackedX87Stack } from './tracked-x87-stack'

/** 'inline': among others; 'final': as the last one, behind the write-back; 'never': the interpreter does it. */
export type Execution = 'inline' | 'final' | 'never'

/** What an answer is in the table, which has a byte for each form and code size; 0: not known yet. */
const EXECUTIONS: readonly (Execution | undefined)[] = [undefined, 'inline', 'final', 'never']
const MODES = 4
const answers = new Uint8Array(forms.length * MODES)

/** What nothing implements is counted by its record, which only the interpreter has. */
const NEVER: ReadonlySet<string> = new Set(['ud', 'unknown', 'too_long'])

/** ENTER with levels is a loop; the answer is for every instruction of the form. */
const ENTER_LEVELS = 31

/** `key`: CODE_KEY of the region. */
export function executionOf(form: Form, key: number): Execution {
  const mode = key & 3
  const question = form.handler * MODES + mode
  const known = EXECUTIONS[answers[question] ?? 0]
  if (known !== undefined) return known
  const answer = tryForm(form, mode)
  answers[question] = EXECUTIONS.indexOf(answer)
  return answer
}

/** The answers for all forms: takes seconds. */
export function executionTable(): Uint8Array {
  for (const form of forms) for (const mode of [0, 1, 2]) executionOf(form, mode)
  return answers.slice()
}

/** Takes over what executionTable returned when this program was built. */
export function loadExecutions(table: Uint8Array): void {
  if (table.length === answers.length) answers.set(table)
}

function tryForm(form: Form, mode: number): Execution {
  const meaning = semantics[form.operation]
  if (form.handler === 0 || meaning === undefined || NEVER.has(form.operation)) return 'never'
  const instruction: DecodedInstruction = {
    form, offset: 0, length: 4, registers: [0, 0, 0], base: L.REG_ZERO, index: L.REG_ZERO, scale: 0, displacement: 0, segment: L.SEG_DS, addressShift: 0, immediate: 0n, immediate2: ENTER_LEVELS,
  }
  if (transferOf(instruction) === 'elsewhere') return 'final'
  try {
    emitAlone(instruction, meaning, mode)
    return 'inline'
  } catch (error) {
    if (error instanceof NotInline) return 'final'
    throw error
  }
}

function emitAlone(instruction: DecodedInstruction, meaning: (typeof semantics)[string], key: number): void {
  const helpers = new HelperImports(helperTable)
  const frame = new RegionFrame('trial', { key, entries: [0], end: 16, hasBlock: () => false, resident: true }, helpers)
  frame.build(() => {
    const nothing = (): void => undefined
    const leaving = { interpret: nothing, fault: nothing, alone: nothing, refuse: nothing, behind: nothing }
    const state = { flags: DYNAMIC, inLoop: false, seen: new Set<never>(), chain: new FloatChain(frame, helpers), x87: new TrackedX87Stack(frame), isTracked: true, computes: false }
    meaning(new RegionEmitter(frame, instruction, state, leaving, helpers))
  })
}
