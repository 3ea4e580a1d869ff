/**
 * What the encoder knows of a function before it writes it: which values are used at all, and which reads of variables need no copy. Statements have positions
 * in the order of the code; a value that is evaluated at its only use counts there, not where it was defined.
 */
import { assertNever } from '../../../errors/assert-never'
import { hasEffect } from '../ir'
import type { Block, IrFunction, Statement, Value, Variable } from '../ir'

interface Read {
  readonly value: Value
  readonly at: number
}

export class Liveness {
  private readonly positions = new Map<Statement, number>()
  private readonly lastUse = new Map<Value, number>()
  private readonly sets = new Map<Variable, number[]>()
  /** First and last position of each loop, outer ones before those within. */
  private readonly loops: { readonly first: number; last: number }[] = []
  private readonly reads: Read[] = []
  private readonly readsOf = new Map<Variable, Read[]>()
  private next = 0

  constructor(fn: IrFunction) {
    this.number(fn.body)
    this.count(fn.body)
  }

  /** Reads of variables that hold until their last use: the variable's local serves. */
  aliases(): Set<Value> {
    const found = new Set<Value>()
    for (const { value, at } of this.reads) {
      if (value.source.kind !== 'get' || value.uses === 0) continue
      const sets = this.sets.get(value.source.variable)
      const end = this.endOf(value, at)
      if (sets === undefined || !anyWithin(sets, at, end)) found.add(value)
    }
    return found
  }

  /** Setting a variable that nobody reads does nothing. */
  isRead(variable: Variable): boolean {
    return this.readsOf.has(variable)
  }

  positionOf(s: Statement): number {
    return this.positions.get(s) ?? 0
  }

  /** Position of the last evaluation that wants the value. */
  lastUseOf(value: Value): number {
    return this.endOf(value, this.positionOf(value))
  }

  /** Where a temporary variable's last use is: reads, also by aliases, and sets; all of a loop that is within its span. */
  endOfVariable(variable: Variable): number {
    const sets = this.sets.get(variable) ?? []
    const reads = this.readsOf.get(variable) ?? []
    const start = Math.min(sets[0] ?? Infinity, reads[0]?.at ?? Infinity)
    let end = sets.at(-1) ?? start
    for (const { value, at } of reads) end = Math.max(end, at, this.endOf(value, at))
    for (const { first, last } of this.loops) if (first > start && first <= end && last >= end) end = last + 1
    return end
  }

  /** A use in a loop that begins after the definition is one in each turn. */
  private endOf(value: Value, at: number): number {
    const last = this.lastUse.get(value) ?? at
    const around = this.loops.find((loop) => loop.first > at && loop.first <= last && last <= loop.last)
    return around === undefined ? last : around.last + 1
  }

  // ---- positions, from the first statement to the last ----
  private number(block: Block): void {
    for (const s of block.statements) {
      const at = this.next++
      this.positions.set(s, at)
      switch (s.statement) {
        case 'value':
          if (s.source.kind === 'get') {
            const read = { value: s, at }
            this.reads.push(read)
            const others = this.readsOf.get(s.source.variable)
            if (others === undefined) this.readsOf.set(s.source.variable, [read])
            else others.push(read)
          }
          break
        case 'set': {
          const sets = this.sets.get(s.variable)
          if (sets === undefined) this.sets.set(s.variable, [at])
          else sets.push(at)
          break
        }
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

  // ---- uses, from the last statement to the first, so that what only dead values use is dead too ----
  private use(value: Value, at: number): void {
    value.uses++
    const last = this.lastUse.get(value)
    if (last === undefined || last < at) this.lastUse.set(value, at)
  }

  private count(block: Block): void {
    for (let i = block.statements.length - 1; i >= 0; i--) this.countStatement(block.statements[i]!)
  }

  private countStatement(s: Statement): void {
    const at = this.positions.get(s) ?? 0
    switch (s.statement) {
      case 'value': {
        if (s.uses === 0 && (s.pure || !hasEffect(s.source))) return
        const evaluated = s.pure && s.uses === 1 ? (this.lastUse.get(s) ?? at) : at
        for (const arg of s.args) this.use(arg, evaluated)
        return
      }
      case 'set':
        if (this.isRead(s.variable)) this.use(s.value, at)
        return
      case 'effect':
      case 'call':
        for (const arg of s.args) this.use(arg, at)
        return
      case 'if':
        if (s.otherwise !== undefined) this.count(s.otherwise)
        this.count(s.then)
        return this.use(s.condition, at)
      case 'loop':
      case 'block':
        return this.count(s.body)
      case 'branch':
        if (s.condition !== undefined) this.use(s.condition, at)
        return
      case 'switch':
        for (let i = s.cases.length - 1; i >= 0; i--) this.count(s.cases[i]!)
        return this.use(s.index, at)
      case 'return':
        if (s.value !== undefined) this.use(s.value, at)
        return
      default:
        return assertNever(s)
    }
  }
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
