/**
 * SSE arithmetic on f64 in a basic block, done by WebAssembly's own operations without a look at each. What enters a chain of operations from memory or
 * from registers must be a number of ordinary size; that nothing special can happen to the results follows from bounds of exponents (float-range.ts).
 * All of a chain's entries are looked at once, where the chain ends: if there was anything else among them, or MXCSR is not plain, the operations are done
 * again by the exact helpers, and registers set again. Between, only registers change, which is why a chain may go on over other instructions.
 */
import type { HelperImports } from '../emit/helper-imports'
import { OP_COMPARE, OP_DIV, OP_SQRT } from '../helpers/fpu-codes'
import type { Form, OperandForm } from '../isa/form'
import type { FloatOperation } from '../semantics/emitter'
import type { Block, Value } from '../wasm/ir'
import { ENTRY, rangeOfResult, Ranges } from './float-range'
import type { Range } from './float-range'
import type { RegionFrame } from './region-frame'

/** More would be long to repeat. */
const MOST_STEPS = 16
/** Upper halves: the first of ENTRY, and the bits that are 0 in the distance from it. */
const ENTRY_START = 0x30000000
const ENTRY_BITS = 0x60000000
const ENTRY_LEAST = 2 ** ENTRY.first
const ENTRY_END = 2 ** (ENTRY.last + 1)
const SIGN_AS_ENTRY_BIT = 0x40000000

/** They touch nothing but XMM registers, whose new values follow from the old ones and from what was read. */
const PLAIN_OPERATIONS: ReadonlySet<string> = new Set([
  'movaps', 'movapd', 'movdqa', 'movups', 'movupd', 'movdqu', 'lddqu', 'movss', 'movsd', 'movd', 'movq', 'movlps', 'movlpd', 'movhps', 'movhpd', 'movhlps', 'movlhps',
  'unpcklps', 'unpckhps', 'unpcklpd', 'unpckhpd', 'punpcklqdq', 'punpckhqdq', 'movsldup', 'movshdup', 'movddup', 'pshufd', 'shufps', 'shufpd',
  'andps', 'andpd', 'orps', 'orpd', 'xorps', 'xorpd', 'andnps', 'andnpd', 'pand', 'por', 'pxor', 'pandn', 'paddd', 'paddq', 'psubd', 'psubq',
  'addsd', 'subsd', 'mulsd', 'divsd', 'sqrtsd', 'minsd', 'maxsd', 'cmpsd', 'addpd', 'subpd', 'mulpd', 'divpd', 'sqrtpd', 'minpd', 'maxpd', 'cmppd',
  'addsubpd', 'haddpd', 'hsubpd', 'ucomisd', 'comisd', 'cvtdq2pd',
])
const LOOKS_AT_MXCSR: ReadonlySet<string> = new Set(['ldmxcsr', 'stmxcsr'])

/** A 32-bit integer: it is a number as it is. */
const isNarrow = (operand: OperandForm | undefined): boolean => operand !== undefined && 'bytes' in operand && operand.bytes === 4

/** Whether a chain may go on over an instruction. */
function isHarmless({ operation, operands }: Form): boolean {
  const usesVectors = operands.some(({ kind }) => kind === 'xmm' || kind === 'mm')
  if (!usesVectors) return !LOOKS_AT_MXCSR.has(operation)
  if (operands[0]?.kind !== 'xmm' || operands.some(({ kind }) => kind === 'mm')) return false
  return PLAIN_OPERATIONS.has(operation) || (operation === 'cvtsi2sd' && isNarrow(operands[1]))
}

const ARITHMETIC = /^(add|sub|mul|div|sqrt|min|max|cmp|addsub|hadd|hsub)(sd|pd)$/
export const isArithmetic = ({ operation, operands }: Form): boolean => operands[0]?.kind === 'xmm' && ARITHMETIC.test(operation)

interface Step {
  readonly operation: FloatOperation
  readonly result: Value
}
interface Entry {
  readonly vector: Value
  readonly isPair: boolean
  mayBeZero: boolean
  mayBeNegative: boolean
}
/** What a chain asks of the emitter of the instruction at hand. */
export interface ChainUser {
  mxcsrSpecial(): Value
  mxcsrChanged(): void
}

export class FloatChain {
  private steps: Step[] = []
  private entries: Entry[] = []
  private readonly ranges = new Ranges()
  private wantsPlain = false
  /** Statements of the basic block go there. */
  private block: Block | undefined
  private user: ChainUser | undefined

  constructor(
    private readonly frame: RegionFrame,
    private readonly helpers: HelperImports,
  ) {}

  /** Before each instruction. */
  pass(form: Form): void {
    if (this.steps.length > 0 && (this.steps.length > MOST_STEPS || !isHarmless(form))) this.settle()
  }

  add(operation: FloatOperation, user: ChainUser): Value {
    this.user = user
    this.block = this.frame.builder.position
    const { op, operands, plain } = operation
    this.wantsPlain ||= plain
    const result = operation.fast(operands)
    const range = this.rangeOf(op, operands)
    if (op < OP_COMPARE) this.ranges.set(result, range)
    this.steps.push({ operation, result })
    return result
  }

  /** Ends the chain, and with it what `exact` says when the operands are not ordinary. */
  compare(operands: readonly Value[], exact: (operands: readonly Value[]) => void, user: ChainUser): void {
    this.user = user
    this.block = this.frame.builder.position
    for (const operand of operands) if (this.ranges.of(operand) === undefined) this.enter(operand)
    this.settle(exact, operands)
  }

  /** Ends the chain: from here on registers are right. */
  settle(exact?: (operands: readonly Value[]) => void, operands: readonly Value[] = []): void {
    const { steps, entries, user, frame } = this
    const { builder: b } = frame
    const done = this.steps.length > 0 || exact !== undefined
    const special = done ? this.special() : undefined
    const redo = (): void => {
      const again = this.repeat()
      if (steps.length > 0) user?.mxcsrChanged()
      this.steps = []
      exact?.(operands.map(again))
    }
    const changed = frame.vectors.values().filter(([, value]) => this.depends(value))
    if (special !== undefined) {
      b.if(special, () => {
        b.rare()
        b.if(this.reallySpecial(entries), redo)
      })
    }
    for (const [register] of changed) frame.vectors.forgetOne(register)
    this.forget()
  }

  /** In a branch that leaves the region, in the middle of the chain: registers are made right there. */
  settleHere(): void {
    if (this.steps.length > 0) this.repeat()
  }

  forget(): void {
    this.steps = []
    this.entries = []
    this.ranges.clear()
    this.wantsPlain = false
    this.block = undefined
  }

  // ---- what enters ----

  private rangeOf(op: number, operands: readonly Value[]): Range {
    const ranges = operands.map((operand) => this.ranges.of(operand) ?? this.enter(operand))
    const last = operands.at(-1)!
    if (op === OP_DIV) this.entryOf(last).mayBeZero = false
    if (op === OP_SQRT) this.entryOf(last).mayBeNegative = false
    if (op >= OP_COMPARE) return ENTRY
    for (;;) {
      const range = rangeOfResult(op, ranges)
      if (range !== undefined) return range
      // the wider operand is looked at
      const widths = ranges.map(({ first, last: end }) => (first >= ENTRY.first && end <= ENTRY.last ? 0 : end - first))
      const widest = widths.indexOf(Math.max(...widths))
      if (widths[widest] === 0) throw new Error('results of entries are normal')
      ranges[widest] = this.enter(operands[widest]!)
    }
  }

  private enter(value: Value): Range {
    this.newEntry(value)
    return ENTRY
  }

  private entryOf(value: Value): Entry {
    const [vector, isPair] = this.vectorOf(value)
    return this.entries.find((entry) => entry.vector === vector && entry.isPair === isPair) ?? this.newEntry(value)
  }

  private newEntry(value: Value): Entry {
    const [vector, isPair] = this.vectorOf(value)
    const entry = { vector, isPair, mayBeZero: true, mayBeNegative: true }
    this.entries.push(entry)
    if (isPair) this.ranges.set(vector, ENTRY)
    else this.ranges.setLow(vector, ENTRY)
    if (value !== vector) this.ranges.set(value, ENTRY)
    return entry
  }

  private readonly splats = new Map<Value, Value>()
  private vectorOf(value: Value): readonly [Value, boolean] {
    if (value.type === 'v128') return [value, true]
    const { source, args } = value
    if (source.kind === 'op' && source.what.name === 'f64x2.extract_lane' && source.immediates[0] === 0 && args[0] !== undefined) return [args[0], false]
    let splat = this.splats.get(value)
    if (splat === undefined) this.splats.set(value, (splat = this.frame.builder.op('f64x2.splat', [value])))
    return [splat, false]
  }

  // ---- the look at all entries ----

  /** i32, quickly: 0 when all entries are ordinary and none is zero. */
  private special(): Value | undefined {
    const { builder: b } = this.frame
    const collect = (isPair: boolean): Value | undefined => {
      let all: Value | undefined
      const take = (v: Value): void => void (all = all === undefined ? v : b.op('v128.or', [all, v]))
      for (const { vector, isPair: pair, mayBeNegative } of this.entries) {
        if (pair !== isPair) continue
        take(b.op('i32x4.sub', [vector, upperHalves(b, ENTRY_START)]))
        if (!mayBeNegative) take(b.op('v128.and', [b.op('i32x4.shr_u', [vector, b.constant('i32', 1)]), upperHalves(b, SIGN_AS_ENTRY_BIT)]))
      }
      return all
    }
    const [low, pairs] = [collect(false), collect(true)]
    const tests: Value[] = []
    if (low !== undefined) tests.push(b.op('i32.and', [b.op('i32x4.extract_lane', [low], [1]), b.constant('i32', ENTRY_BITS)]))
    if (pairs !== undefined) tests.push(b.op('v128.any_true', [b.op('v128.and', [pairs, upperHalves(b, ENTRY_BITS)])]))
    if (this.wantsPlain && this.user !== undefined) tests.push(this.user.mxcsrSpecial())
    return tests.length === 0 ? undefined : tests.reduce((x, y) => b.op('i32.or', [x, y]))
  }

  /** Exactly: zeros are ordinary, too. */
  private reallySpecial(entries: readonly Entry[]): Value {
    const { builder: b } = this.frame
    const constant = (n: number): Value => b.op('f64x2.splat', [b.constant('f64', n)])
    const tests = entries.map(({ vector, isPair, mayBeZero, mayBeNegative }) => {
      const magnitude = b.op('f64x2.abs', [vector])
      let good = b.op('v128.and', [b.op('f64x2.ge', [magnitude, constant(ENTRY_LEAST)]), b.op('f64x2.lt', [magnitude, constant(ENTRY_END)])])
      if (mayBeZero) good = b.op('v128.or', [good, b.op('f64x2.eq', [vector, constant(0)])])
      if (!mayBeNegative) good = b.op('v128.and', [good, b.op('f64x2.ge', [vector, constant(0)])])
      const lanes = b.op('i64x2.bitmask', [good])
      return isPair ? lanes : b.op('i32.or', [lanes, b.constant('i32', 2)])
    })
    const all = tests.reduce((x, y) => b.op('i32.and', [x, y]), b.constant('i32', 3))
    const special = b.op('i32.ne', [all, b.constant('i32', 3)])
    return this.wantsPlain && this.user !== undefined ? b.op('i32.or', [special, this.user.mxcsrSpecial()]) : special
  }

  // ---- once more, exactly ----

  /** Repeats all steps and sets the registers that depend on them; returns what maps a value to its exact one. */
  private repeat(): (value: Value) => Value {
    const { builder: b } = this.frame
    const exact = new Map<Value, Value>()
    const again = (value: Value): Value => {
      const known = exact.get(value)
      if (known !== undefined) return known
      const { source, args, pure, block } = value
      if (source.kind !== 'op' || !pure || block !== this.block) return value
      const now = args.map(again)
      const result = now.every((arg, i) => arg === args[i]) ? value : b.operation(source.what, now, source.immediates, source.offset)
      exact.set(value, result)
      return result
    }
    for (const { operation, result } of this.steps) {
      const { helper, args, result: convert } = operation.exact
      exact.set(result, convert(b.call(this.helpers.get(helper), [this.frame.vcpu, ...args(operation.operands.map(again))])))
    }
    for (const [register, value] of this.frame.vectors.values()) {
      const right = again(value)
      if (right !== value) this.frame.vectors.correct(register, right)
    }
    return again
  }

  private depends(value: Value, seen: Set<Value> = new Set()): boolean {
    if (this.steps.some(({ result }) => result === value)) return true
    if (seen.has(value) || value.source.kind !== 'op' || !value.pure || value.block !== this.block) return false
    seen.add(value)
    return value.args.some((arg) => this.depends(arg, seen))
  }
}

/** A vector with a number in the upper half of each 64-bit lane. */
function upperHalves(b: RegionFrame['builder'], n: number): Value {
  const bytes = [0, 0, 0, 0, n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]
  return b.constant128([...bytes, ...bytes])
}
