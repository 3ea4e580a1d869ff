/** How an instruction of a region says what flags are: what set them last stays pending, and whoever asks looks only as far back as it must (flag-state.ts). */
import { ADD, SUB } from '../emit/arithmetic-emitter'
import type { Both } from '../emit/arithmetic-emitter'
import type { IntegerBytes, OperandBinding } from '../emit/binding'
import type { HelperImports } from '../emit/helper-imports'
import { OperationEmitter } from '../emit/operation-emitter'
import type { Form } from '../isa/form'
import type { ConditionCode, FlagName } from '../semantics/emitter'
import { constantOf } from '../wasm/ir'
import type { Value } from '../wasm/ir'
import { CANONICAL, DYNAMIC, isDynamic } from './flag-state'
import type { FlagState, PendingCount, PendingFlags } from './flag-state'
import { settleSlots } from './flag-words'
import type { PendingWords } from './flag-words'
import type { RegionFrame } from './region-frame'

/** Order of the operands of 'bits' flags. */
const BIT_ORDER: readonly FlagName[] = ['cf', 'pf', 'af', 'zf', 'sf', 'of']

export class PendingFlagsEmitter<State extends { flags: FlagState }> extends OperationEmitter {
  constructor(
    protected readonly frame: RegionFrame,
    protected readonly state: State,
    binding: OperandBinding,
    form: Form,
    helpers: HelperImports,
  ) {
    super(frame.builder, binding, form, helpers)
  }

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    const known = constantOf(condition)
    if (known !== undefined) {
      if (known !== 0) then()
      else otherwise?.()
      return
    }
    const before = this.state.flags
    let changed = false
    const branch = (body: (() => void) | undefined) => (): void => {
      this.state.flags = before
      body?.()
      changed ||= this.state.flags !== before
    }
    this.builder.if(condition, branch(then), otherwise === undefined ? undefined : branch(otherwise))
    this.state.flags = changed ? DYNAMIC : before
  }

  override flagsAdd(a: Value, b: Value, r: Value, bytes: IntegerBytes = this.size): void {
    const exactly = isExactly(r, ADD, a, b)
    this.pend(exactly ? 'add' : 'adc', bytes, exactly ? [a, b] : [a, b, r])
  }

  override flagsSub(a: Value, b: Value, r: Value, bytes: IntegerBytes = this.size): void {
    const exactly = isExactly(r, SUB, a, b)
    this.pend(exactly ? 'sub' : 'sbb', bytes, exactly ? [a, b] : [a, b, r])
  }

  override flagsLogic(r: Value, bytes: IntegerBytes = this.size): void {
    this.pend('logic', bytes, [r])
  }

  override flagsSignedProduct(a: Value, b: Value, bytes: IntegerBytes = this.size): void {
    this.pend('product', bytes, [a, b])
  }

  override flagsInc(_old: Value, r: Value, bytes: IntegerBytes = this.size): void {
    this.pendCount({ kind: 'inc', bytes, result: r })
  }

  override flagsDec(_old: Value, r: Value, bytes: IntegerBytes = this.size): void {
    this.pendCount({ kind: 'dec', bytes, result: r })
  }

  override flagsResult(r: Value, { cf, of, af }: { readonly cf?: Value; readonly of?: Value; readonly af?: Value }, bytes: IntegerBytes = this.size): void {
    const none = this.i32(0)
    this.pend('result', bytes, [r, cf ?? none, of ?? none, af ?? none])
  }

  override setFlags(flags: Readonly<Partial<Record<FlagName, Value>>>): void {
    const { cf, pf, af, zf, sf, of } = flags
    const given = [cf, pf, af, zf, sf, of].filter((flag) => flag !== undefined)
    if (given.length === 6) return this.pend('bits', 4, given)
    if (given.length === 1 && cf !== undefined) return this.pendCarry(cf)
    this.canonicalize()
    super.setFlags(flags)
  }

  override setStatusFlags(value: Value): void {
    super.setStatusFlags(value)
    this.setCanonical()
  }

  override statusFlags(): Value {
    this.canonicalize()
    return super.statusFlags()
  }

  /** Looks only as far down as it must: what lies below may not be known. */
  override flag(name: FlagName): Value {
    const { carry, count } = this.state.flags
    if (name === 'cf' && carry !== undefined && carry !== 'dynamic') return carry
    if (name !== 'cf' && count !== undefined && count !== 'dynamic') {
      return this.flagOfResult(name, count.result, count.bytes) ?? this.pendingWords.bit(name, this.pendingWords.counted(count, this.pendingWords.none))
    }
    this.settle()
    const { base } = this.state.flags
    return typeof base === 'string' ? super.flag(name) : this.pendingFlag(name, base)
  }

  override condition(code: ConditionCode): Value {
    const { base, count, carry } = this.state.flags
    const fused = typeof base === 'string' || count !== undefined || carry !== undefined ? undefined : this.fused(code & ~1, base)
    if (fused === undefined) return super.condition(code)
    return (code & 1) === 0 ? fused : this.eqz(fused)
  }

  /** Makes the flags canonical here. */
  canonicalize(): void {
    this.settle()
    const { base, count, carry } = this.state.flags
    if (this.state.flags === CANONICAL || count === 'dynamic' || carry === 'dynamic') return
    let words = typeof base === 'string' ? this.words : this.pendingWords.of(base)
    if (count !== undefined) words = this.pendingWords.counted(count, words)
    if (carry !== undefined) words = this.pendingWords.carried(carry, words)
    const [result, aux] = [words.result(), words.aux()]
    this.frame.flags.setResult(result)
    this.frame.flags.setAux(aux)
    this.setCanonical()
  }

  private pend(kind: PendingFlags['kind'], bytes: IntegerBytes, values: readonly Value[]): void {
    const base = { kind, bytes, values }
    this.frame.flags.put(base, this.state.flags)
    this.state.flags = { base, count: undefined, carry: undefined }
  }

  private pendCount(count: PendingCount): void {
    this.state.flags = { ...this.state.flags, count }
    this.frame.flags.putCount(this.state.flags, count)
  }

  private pendCarry(carry: Value): void {
    this.state.flags = { ...this.state.flags, carry }
    this.frame.flags.putCarry(this.state.flags, carry)
  }

  private settle(): void {
    if (!isDynamic(this.state.flags)) return
    settleSlots(this.builder, this.frame.vcpu, this.frame.flags, this.helpers)
    this.state.flags = CANONICAL
  }

  private setCanonical(): void {
    this.frame.flags.putCanonical()
    this.state.flags = CANONICAL
  }

  private get pendingWords(): PendingWords {
    return this.frame.pendingWords
  }

  private narrow(value: Value, bytes: IntegerBytes): Value {
    return this.pendingWords.narrow(value, bytes)
  }

  private signedOf(value: Value, bytes: IntegerBytes): Value {
    return bytes === 8 || bytes === 4 ? value : this.sextFrom(value, bytes)
  }

  /** ZF, SF and PF. */
  private flagOfResult(name: FlagName, result: Value, bytes: IntegerBytes): Value | undefined {
    switch (name) {
      case 'zf':
        return this.eqz(this.narrow(result, bytes))
      case 'sf':
        return this.ltS(this.signedOf(result, bytes), this.like(result, 0))
      case 'pf':
        return this.eqz(this.and(this.popcnt(this.and(this.wrap(result), this.i32(0xff))), this.i32(1)))
      default:
        return undefined
    }
  }

  private pendingFlag(name: FlagName, pending: PendingFlags): Value {
    const { kind, bytes, values } = pending
    const [first, second, third, fourth] = values
    if (kind === 'bits') return values[BIT_ORDER.indexOf(name)]!
    const simple = this.flagOfResult(name, this.resultOf(pending), bytes)
    if (simple !== undefined) return simple
    if (kind === 'logic') return this.i32(0)
    if (kind === 'result') return name === 'cf' ? second! : name === 'of' ? third! : fourth!
    if (name === 'cf' && kind === 'sub') return this.ltU(first!, second!)
    if (name === 'cf' && kind === 'add') return this.ltU(this.narrow(this.add(first!, second!), bytes), first!)
    return this.pendingWords.bit(name, this.pendingWords.of(pending))
  }

  private resultOf({ kind, values }: PendingFlags): Value {
    const [first, second, third] = values
    switch (kind) {
      case 'add':
        return this.add(first!, second!)
      case 'sub':
        return this.sub(first!, second!)
      case 'product':
        return this.mul(first!, second!)
      case 'adc':
      case 'sbb':
        return third!
      default:
        return first!
    }
  }

  /** A condition (an even code) as a comparison of the operands. */
  private fused(code: ConditionCode, { kind, bytes, values }: PendingFlags): Value | undefined {
    const [a, b] = values
    if (kind === 'logic' && a !== undefined) {
      const signed = this.signedOf(a, bytes)
      if (code === 6) return this.eqz(this.narrow(a, bytes))
      if (code === 12) return this.ltS(signed, this.like(a, 0))
      if (code === 14) return this.leS(signed, this.like(a, 0))
    }
    if (kind !== 'sub' || a === undefined || b === undefined) return undefined
    switch (code) {
      case 2:
        return this.ltU(a, b)
      case 4:
        return this.eq(a, b)
      case 6:
        return this.leU(a, b)
      case 12:
        return this.ltS(this.signedOf(a, bytes), this.signedOf(b, bytes))
      case 14:
        return this.leS(this.signedOf(a, bytes), this.signedOf(b, bytes))
      default:
        return undefined
    }
  }
}

/** r was computed as a op b. */
function isExactly(r: Value, { i32, i64 }: Both, a: Value, b: Value): boolean {
  const { source, args } = r
  return source.kind === 'op' && source.what === (a.type === 'i64' ? i64 : i32) && args[0] === a && args[1] === b
}
