/**
 * What the encoder knows of a function before it writes it: which values are used at all, and which reads of variables need no copy. Statements are looked at
 * from the last to the first, so that what only dead values use is dead too; their positions ascend in the order of the code. A value that is evaluated at its
 * only use counts there, not where it was defined. The findings stand in the nodes.
 */
import { assertNever } from '../../../errors/assert-never'
import { NO_POSITION, hasEffect } from '../ir'
import type { Block, IrFunction, Statement, Value, Variable } from '../ir'

interface Loop {
  readonly first: number
  readonly last: number
}

export class Liveness {
  /** The loops behind the statement that is looked at, the first of them last; inner ones before those around them. */
  private readonly loops: Loop[] = []
  private next = NO_POSITION

  constructor(fn: IrFunction) {
    this.block(fn.body)
  }

  /** Position of the first statement. */
  get start(): number {
    return this.next
  }

  /** Position of the last evaluation that wants the value; a use in a loop that begins after the definition is one in each turn. */
  endOf({ at, lastUse }: Value): number {
    const last = lastUse > at ? lastUse : at
    for (let i = this.loops.length - 1; i >= 0; i--) {
      const loop = this.loops[i]!
      if (loop.first > last) break
      if (loop.first > at && last <= loop.last) return loop.last + 1
    }
    return last
  }

  /** Where a temporary variable's last use is: reads, also by aliases, and sets; all of a loop that is within its span. */
  endOfVariable({ first, last }: Variable): number {
    let end = last
    for (let i = this.loops.length - 1; i >= 0; i--) {
      const loop = this.loops[i]!
      if (loop.first > end) break
      if (loop.first > first && loop.last >= end) end = loop.last + 1
    }
    return end
  }

  private block({ statements }: Block): void {
    for (let i = statements.length - 1; i >= 0; i--) this.statement(statements[i]!)
  }

  private statement(s: Statement): void {
    switch (s.statement) {
      case 'value':
        return this.value(s, --this.next)
      case 'set': {
        const { variable } = s
        // setting a variable that nobody reads does nothing
        if (!variable.read) {
          this.next--
          return
        }
        const at = --this.next
        variable.nextSet = at
        wanted(variable, at, at)
        return use(s.value, at)
      }
      case 'effect':
      case 'call':
        return this.uses(s.args, --this.next)
      case 'if':
        if (s.otherwise !== undefined) this.block(s.otherwise)
        this.block(s.then)
        return use(s.condition, --this.next)
      case 'loop': {
        const last = this.next - 1
        this.block(s.body)
        this.loops.push({ first: --this.next, last })
        return
      }
      case 'block':
        this.block(s.body)
        this.next--
        return
      case 'switch':
        for (let i = s.cases.length - 1; i >= 0; i--) this.block(s.cases[i]!)
        return use(s.index, --this.next)
      case 'branch':
        this.next--
        if (s.condition !== undefined) use(s.condition, this.next)
        return
      case 'return':
        this.next--
        if (s.value !== undefined) use(s.value, this.next)
        return
      default:
        return assertNever(s)
    }
  }

  /** All that uses it has been looked at. */
  private value(value: Value, at: number): void {
    const { source } = value
    value.at = at
    if (source.kind === 'get') {
      const { what } = source
      const end = this.endOf(value)
      // the variable keeps what was read until the last use
      value.alias = value.uses > 0 && what.nextSet >= end
      return wanted(what, at, end)
    }
    if (value.uses === 0 && (value.pure || !hasEffect(source))) return
    this.uses(value.args, value.pure && value.uses === 1 ? value.lastUse : at)
  }

  private uses(args: readonly Value[], at: number): void {
    for (const arg of args) use(arg, at)
  }
}

function use(value: Value, at: number): void {
  value.uses++
  if (value.lastUse < at) value.lastUse = at
}

function wanted(variable: Variable, at: number, end: number): void {
  variable.first = at
  if (variable.last < end) variable.last = end
}
