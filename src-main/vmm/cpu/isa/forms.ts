/**
 * All forms, derived: rows x operand size x register or memory x address size x REP, identical ones merged. The handler numbers are dense
 * and depend only on the table; 0 means "no such instruction".
 */
import type { Form, OperandBytes, OperandForm } from './form'
import type { OperandSpec, Row, SizeRule, Width } from './row'
import { ROWS, TOO_LONG_OPERATION } from './table'
import { traitsOf } from './traits'

export type OperandSize = Form['size']
export type AddressSize = 2 | 4 | 8

/** Handler index of a row under one combination of prefixes: [size][memory][address size][rep], see slotOf. */
export const SLOTS_PER_ROW = 72
/** `size`: 0..3 for 1, 2, 4, 8 bytes; `memory`: 0 or 1; `address`: 0..2 for 16, 32, 64 bits; `rep`: 0..2. */
export const slotOf = (size: number, memory: number, address: number, rep: number): number => ((size * 2 + memory) * 3 + address) * 3 + rep

/** Operations that do nothing with their operands (not even a memory access): one form whatever the operands. */
const IGNORE_OPERANDS: ReadonlySet<string> = new Set(['nop', 'ud', 'prefetch'])

const SIZES: Readonly<Record<SizeRule, readonly OperandSize[]>> = {
  b: [1], w: [2], d: [4], q: [8], v: [2, 4, 8], z: [2, 4], y: [4, 8], d64: [2, 4, 8], f64: [2, 4, 8], m: [4, 8],
}

const widthBytes = (width: Width, size: OperandSize): OperandBytes | 0 => {
  switch (width) {
    case '': return 0
    case 'b': return 1
    case 'w': return 2
    case 'd': return 4
    case 'q': return 8
    case 't': return 10
    case 'x': return 16
    case 'v': case 'y': return size
    case 'z': return size === 8 ? 4 : size
  }
}

const integerBytes = (width: Width, size: OperandSize): 1 | 2 | 4 | 8 => {
  const bytes = widthBytes(width, size)
  if (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8) return bytes
  throw new Error(`instruction table: width '${width}' is none of a general-purpose register`)
}

const xmmBytes = (width: Width): 4 | 8 | 16 => (width === 'd' ? 4 : width === 'q' ? 8 : 16)

const operandForm = (spec: OperandSpec, index: number, size: OperandSize, memory: boolean): OperandForm => {
  const field = index as 0 | 1 | 2
  switch (spec.addressing) {
    case 'E':
      return memory ? { kind: 'mem', bytes: widthBytes(spec.memoryWidth, size) } : { kind: 'gpr', bytes: integerBytes(spec.width, size), field }
    case 'W':
      return memory ? { kind: 'mem', bytes: widthBytes(spec.memoryWidth, size) } : { kind: 'xmm', bytes: xmmBytes(spec.width), field }
    case 'Q':
      return memory ? { kind: 'mem', bytes: widthBytes(spec.memoryWidth, size) } : { kind: 'mm', field }
    case 'M':
      return { kind: 'mem', bytes: widthBytes(spec.memoryWidth, size) }
    case 'G': case 'R': case 'Z': case 'fixed-gpr':
      return { kind: 'gpr', bytes: integerBytes(spec.width, size), field }
    case 'V': case 'U': return { kind: 'xmm', bytes: xmmBytes(spec.width), field }
    case 'XMM0': return { kind: 'xmm', bytes: 16, field }
    case 'P': case 'N': return { kind: 'mm', field }
    case 'ST': case 'STi': return { kind: 'st', field }
    case 'S': case 'fixed-sreg': return { kind: 'sreg', field }
    case 'C': return { kind: 'cr', field }
    case 'D': return { kind: 'dr', field }
    case 'CL': return { kind: 'fixed', bytes: 1, register: 1 }
    case 'DX': return { kind: 'fixed', bytes: 2, register: 2 }
    case '1': return { kind: 'one' }
    case 'O': return { kind: 'moffs', bytes: integerBytes(spec.width, size) }
    // a Iz immediate is sign-extended to the operand size
    case 'I': case 'sI': return { kind: 'imm', bytes: spec.addressing === 'sI' ? size : integerBytes(spec.width, size) }
    case 'J': return { kind: 'rel' }
    case 'Ap': return { kind: 'far' }
  }
}

const describe = (operand: OperandForm): string => {
  const bytes = 'bytes' in operand ? operand.bytes : ''
  return operand.kind === 'fixed' ? `fixed${bytes}r${operand.register}` : `${operand.kind}${bytes}`
}

const found: Form[] = [
  { handler: 0, key: 'unknown', operation: 'unknown', variant: 0, size: 4, rep: 0, operands: [], endsBlock: true },
]
const byKey = new Map<string, number>()

const intern = (form: Omit<Form, 'handler' | 'key'>): number => {
  const key = [
    form.variant ? `${form.operation}.${form.variant}` : form.operation, form.size,
    ...(form.addressSize ? [`a${form.addressSize}`] : []), ...(form.rep ? [form.rep === 1 ? 'rep' : 'repne'] : []), ...form.operands.map(describe),
  ].join(' ')
  const known = byKey.get(key)
  if (known !== undefined) return known
  const handler = found.length
  byKey.set(key, handler)
  found.push({ handler, key, ...form })
  return handler
}

const addressSizesOf = (row: Row, size: OperandSize): readonly AddressSize[] => {
  if (!traitsOf(row.operation).addressSize) return []
  if (row.modes === 'long' || size === 8) return [4, 8]
  if (row.modes === 'legacy' || (row.size === 'f64' && size === 4)) return [2, 4]
  return [2, 4, 8]
}

const operandsOf = (row: Row, size: OperandSize, memory: boolean): readonly OperandForm[] => {
  if (IGNORE_OPERANDS.has(row.operation)) return []
  let immediates = 0
  return row.operands.map((spec, i) => {
    const isImmediate = spec.addressing === 'I' || spec.addressing === 'sI'
    // the second immediate of ENTER
    if (isImmediate && immediates++ > 0) return { kind: 'imm2', bytes: integerBytes(spec.width, size) as 1 | 2 }
    return operandForm(spec, i, size, memory)
  })
}

const REP_KINDS: Readonly<Record<'none' | 'rep' | 'repe', readonly (0 | 1 | 2)[]>> = { none: [0], rep: [0, 1, 1], repe: [0, 1, 2] }

const expand = (row: Row): Uint16Array => {
  const slots = new Uint16Array(SLOTS_PER_ROW)
  const { endsBlock, repeat } = traitsOf(row.operation)
  const hasRm = row.operands.some((spec) => 'EWQM'.includes(spec.addressing))
  const ignores = IGNORE_OPERANDS.has(row.operation)
  for (const size of SIZES[row.size]) {
    if (size === 8 && row.modes === 'legacy') continue
    for (const memory of [0, 1]) {
      if (memory === 1 && row.mod === 'register') continue
      if (memory === 0 && row.mod === 'memory') continue
      const operands = operandsOf(row, size, memory === 1 && hasRm)
      const addressSizes = addressSizesOf(row, size)
      REP_KINDS[repeat].forEach((rep, repIndex) => {
        const base = { operation: row.operation, variant: ignores ? 0 : row.variant, size: ignores ? 4 : size, rep, operands, endsBlock } as const
        for (let address = 0; address < 3; address++) {
          const addressSize = (2 << address) as AddressSize
          let handler = 0
          if (addressSizes.length === 0) handler = intern(base)
          else if (addressSizes.includes(addressSize)) handler = intern({ ...base, addressSize })
          const reps = repeat === 'none' ? [0, 1, 2] : [repIndex]
          for (const r of reps) slots[slotOf(Math.log2(size), memory, address, r)] = handler
        }
      })
    }
  }
  return slots
}

/** For each row of the table (same order) its handler slots. */
export const rowSlots: readonly Uint16Array[] = ROWS.map(expand)

/** The instruction was longer than 15 bytes: #GP(0). */
export const TOO_LONG_HANDLER: number = intern({ operation: TOO_LONG_OPERATION, variant: 0, size: 4, rep: 0, operands: [], endsBlock: true })
/** Architecturally undefined: #UD, not counted as unknown. */
export const UNDEFINED_HANDLER: number = intern({ operation: 'ud', variant: 0, size: 4, rep: 0, operands: [], endsBlock: true })

export const forms: readonly Form[] = found
export type { Form, OperandForm } from './form'
