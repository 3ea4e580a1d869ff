/**
 * The x87's TOP, tags and status word within a basic block: what has been loaded or stored once is kept in a local, so that one instruction does not wait for
 * the store of the one before. Each change is stored at once: whoever looks at the vCPU, exits and helpers included, finds it as it should be.
 */
import { FPU_SW, FPU_TAGS, FPU_TOP } from '../layout'
import type { Value, Variable } from '../wasm/ir'
import type { RegionFrame } from './region-frame'

const FIELDS: readonly number[] = [FPU_SW, FPU_TOP, FPU_TAGS]

export class X87Words {
  private readonly locals = new Map<number, Variable>()
  /** Fields whose locals are right here. */
  private known: ReadonlySet<number> = new Set()

  constructor(private readonly frame: RegionFrame) {}

  static has(offset: number): boolean {
    return FIELDS.includes(offset)
  }

  load(offset: number): Value {
    const { builder } = this.frame
    const local = this.local(offset)
    if (!this.known.has(offset)) {
      builder.set(local, this.stored(offset))
      this.known = new Set([...this.known, offset])
    }
    return builder.get(local)
  }

  store(offset: number, value: Value): void {
    const { builder, vcpu } = this.frame
    builder.effect('i32.store', [vcpu, value], offset)
    builder.set(this.local(offset), value)
    this.known = new Set([...this.known, offset])
  }

  /** At a basic block's start, and after what may have changed the fields. */
  forget(): void {
    this.known = new Set()
  }

  /** Ways that join again: what was known before them is known behind them. */
  branch(bodies: readonly ((() => void) | undefined)[], emit: (bodies: readonly ((() => void) | undefined)[]) => void): void {
    const before = this.known
    emit(
      bodies.map(
        (body) =>
          body &&
          ((): void => {
            this.known = before
            body()
            for (const offset of before) if (!this.known.has(offset)) this.load(offset)
          }),
      ),
    )
    this.known = before
  }

  private stored(offset: number): Value {
    return this.frame.builder.load('i32.load', this.frame.vcpu, offset)
  }

  private local(offset: number): Variable {
    let local = this.locals.get(offset)
    if (local === undefined) this.locals.set(offset, (local = this.frame.builder.variable('i32')))
    return local
  }
}
