/**
 * What the encoder knows of a function before it writes it: which values are used at all, and which reads of variables need no copy. Statements have positions
 * in the order of the code; a value that is evaluated at its only use counts there, not where it was defined. The findings stand in the nodes.
 */
import { assertNever } from '../../../errors/assert-never'
import { hasEffect } from '../ir'
import type { Block, IrFunction, Statement, Value, Variable } from '../ir'

export class Liveness {
  /** First and last position of each loop, outer ones before those within. */
  private readonly loops: { readonly first: number; last: number }[] = []
  private readonly reads: Value[] = []
  private next = 0

  constructor(fn: IrFunction) {
    this.number(fn.body)
    this.count(fn.body)
    for (const value of this.reads) value.alias = value.uses > 0 && this.holds(value)
  }

  /** Setting a variable that nobody reads does nothing. */
  isRead(variable: Variable): boolean {
    return variable.reads.length > 0
  }

  /** Position of the last evaluation that wants the value; a use in a loop that begins after the definition is one in each turn. */
  endOf({ at, lastUse }: Value): number {
    const last = Math.max(at, lastUse)
    for (const loop of this.loops) if (loop.first > at && loop.first <= last && last <= loop.last) return loop.last + 1
    return last
  }

  /** Where a temporary variable's last use is: reads, also by aliases, and sets; all of a loop that is within its span. */
  endOfVariable({ sets, reads }: Variable): number {
    const start = Math.min(sets[0] ?? Infinity, reads[0]?.at ?? Infinity)
    let end = sets.at(-1) ?? start
    for (const value of reads) end = Math.max(end, value.at, this.endOf(value))
    for (const { first, last } of this.loops) if (first > start && first <= end && last >= end) end = last + 1
    return end
  }

  /** The variable keeps what was read until the last use. */
  private holds(value: Value): boolean {
    return value.source.kind === 'get' && !anyWithin(value.source.variable.sets, value.at, this.endOf(value))
  }

  // ---- positions, from the first statement to the last ----
  private number(block: Block): void {
    for (const s of block.statements) {
      const at = this.next++
      switch (s.statement) {
        case 'value':
          s.at = at
          if (s.source.kind === 'get') {
            this.reads.push(s)
            s.source.variable.reads.push(s)
          }
          break
        case 'set':
          s.variable.sets.push(at)
          break
        case 'if':
          this.number(s.then)
          if (s.otherwise !== undefined) this.number(s.otherwise)
          break
        case 'loop': {
          const loop = { first: at, last: at }
          this.loops.push(loop)
          this.number(s.body)
          loop.last = this.next - 1
          break
        }
        case 'block':
          this.number(s.body)
          break
        case 'switch':
          for (const body of s.cases) this.number(body)
          break
        default:
          break
      }
    }
  }

  // ---- uses, from the last statement to the first, so that what only dead values use is dead too; positions as above, downwards ----
  private count(block: Block): void {
    for (let i = block.statements.length - 1; i >= 0; i--) {
      const s = block.statements[i]!
      this.countWithin(s)
      this.countStatement(s, --this.next)
    }
  }

  private countWithin(s: Statement): void {
    switch (s.statement) {
      case 'if':
        if (s.otherwise !== undefined) this.count(s.otherwise)
        return this.count(s.then)
      case 'loop':
      case 'block':
        return this.count(s.body)
      case 'switch':
        for (let i = s.cases.length - 1; i >= 0; i--) this.count(s.cases[i]!)
        return
      default:
        return
    }
  }

  private countStatement(s: Statement, at: number): void {
    switch (s.statement) {
      case 'value': {
        if (s.uses === 0 && (s.pure || !hasEffect(s.source))) return
        const evaluated = s.pure && s.uses === 1 ? s.lastUse : at
        for (const arg of s.args) use(arg, evaluated)
        return
      }
      case 'set':
        if (this.isRead(s.variable)) use(s.value, at)
        return
      case 'effect':
      case 'call':
        for (const arg of s.args) use(arg, at)
        return
      case 'if':
        return use(s.condition, at)
      case 'switch':
        return use(s.index, at)
      case 'branch':
        if (s.condition !== undefined) use(s.condition, at)
        return
      case 'return':
        if (s.value !== undefined) use(s.value, at)
        return
      case 'loop':
      case 'block':
        return
      default:
        return assertNever(s)
    }
  }
}

function use(value: Value, at: number): void {
  value.uses++
  if (value.lastUse < at) value.lastUse = at
}

/** Is there a position strictly between the two? `sorted` ascends. */
function anyWithin(sorted: readonly number[], after: number, before: number): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= after) low = middle + 1
    else high = middle
  }
  return low < sorted.length && sorted[low]! < before
}
