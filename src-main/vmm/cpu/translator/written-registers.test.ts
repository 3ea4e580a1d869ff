import { describe, expect, it } from 'vitest'
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import { forms } from '../isa/forms'
import * as L from '../layout'
import { semantics } from '../semantics/index'
import type { DecodedInstruction } from './decoded-instruction'
import { DYNAMIC } from './flag-state'
import { FloatChain } from './float-chain'
import { RegionEmitter } from './region-emitter'
import { RegionFrame } from './region-frame'
import { executionOf } from './translatable'
import { TrackedX87Stack } from './tracked-x87-stack'
import { registersWritten } from './written-registers'

const GENERAL = [3, 5, 6]

/** What the emission of an instruction sets. */
function emitted(instruction: DecodedInstruction, key: number): number {
  const helpers = new HelperImports(helperTable)
  const frame = new RegionFrame('trial', { key, entries: [0], end: 16, hasBlock: () => false, resident: true }, helpers)
  let written = 0
  const { general } = frame
  const set = general.set.bind(general)
  general.set = (register, value): void => {
    written |= 1 << register
    set(register, value)
  }
  frame.build(() => {
    const leaving = { interpret: (): void => undefined, fault: (): void => undefined, alone: (): void => undefined, refuse: (): void => undefined, behind: (): void => undefined }
    const state = { flags: DYNAMIC, inLoop: false, seen: new Set<never>(), chain: new FloatChain(frame, helpers), x87: new TrackedX87Stack(frame), isTracked: true, computes: false }
    semantics[instruction.form.operation]!(new RegionEmitter(frame, instruction, state, leaving, helpers))
  })
  return written
}

describe('registersWritten', () => {
  it.each([1 | L.KEY_FLAT, 2 | L.KEY_FLAT])('knows of every register that an inline instruction writes (code key %i)', (key) => {
    const missed: string[] = []
    for (const form of forms) {
      if (form.handler === 0 || executionOf(form, key) !== 'inline') continue
      // RBX, RBP, RSI: by their places in the register file; other registers by number
      const place = (field: number): number => {
        const general = form.operands.some((operand) => operand.kind === 'gpr' && operand.field === field)
        return (GENERAL[field] ?? 0) * (general ? 8 : 1)
      }
      const instruction: DecodedInstruction = {
        form, offset: 0, length: 4, registers: [place(0), place(1), place(2)], base: L.REG_ZERO, index: L.REG_ZERO, scale: 0, displacement: 0, segment: L.SEG_DS, addressShift: 0, immediate: 0n, immediate2: 0,
      }
      const beyond = emitted(instruction, key) & ~registersWritten(instruction)
      if (beyond !== 0) missed.push(`${form.key}: ${beyond.toString(2)}`)
    }
    expect(missed).toEqual([])
  }, 120_000)
})
