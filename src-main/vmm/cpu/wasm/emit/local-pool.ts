/** Gives out a function's locals: one whose value is not wanted any more serves the next of its type. Few locals make V8's baseline code small and fast. */
import type { IrType } from '../ir'

interface Lent {
  readonly local: number
  readonly type: IrType
  /** Position of the last use. */
  readonly until: number
}

export class LocalPool {
  private readonly types: IrType[] = []
  private lent: Lent[] = []
  /** Position of the first end of a loan. */
  private firstEnd = Infinity
  private readonly free = new Map<IrType, number[]>()

  constructor(private readonly parameters: number) {}

  /** A local of its own. */
  own(type: IrType): number {
    return this.parameters + this.types.push(type) - 1
  }

  /** A local for a value that comes into being at a position (positions ascend from call to call) and is last used at another. */
  lend(type: IrType, at: number, until: number): number {
    this.takeBack(at)
    const local = this.free.get(type)?.pop() ?? this.own(type)
    this.lent.push({ local, type, until })
    if (until < this.firstEnd) this.firstEnd = until
    return local
  }

  /** Runs of equal types, as WebAssembly declares them. */
  declarations(): readonly { readonly type: IrType; readonly count: number }[] {
    const runs: { type: IrType; count: number }[] = []
    for (const type of this.types) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ type, count: 1 })
    }
    return runs
  }

  private takeBack(at: number): void {
    if (at < this.firstEnd) return
    const kept: Lent[] = []
    this.firstEnd = Infinity
    for (const one of this.lent) {
      if (one.until > at) {
        kept.push(one)
        if (one.until < this.firstEnd) this.firstEnd = one.until
        continue
      }
      const free = this.free.get(one.type)
      if (free === undefined) this.free.set(one.type, [one.local])
      else free.push(one.local)
    }
    this.lent = kept
  }
}
