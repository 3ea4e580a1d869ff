/** Builds one function's body, statement by statement. */
import { Block, Value, Variable, opInfo } from './nodes'
import type { FunctionRef, IrFunction, IrType, LabelStatement, OpInfo, OpName, Signature, Source } from './nodes'

export const NO_IMMEDIATES: readonly number[] = []
const NO_ARGS: readonly Value[] = []

export class FunctionBuilder implements IrFunction {
  readonly body: Block = new Block(undefined)
  private current: Block = this.body
  private readonly parameters: readonly Value[]

  constructor(
    readonly name: string,
    readonly params: readonly IrType[],
    readonly results: readonly IrType[],
  ) {
    this.parameters = params.map((type, index) => new Value(type, { kind: 'param', what: index, immediates: NO_IMMEDIATES, offset: 0 }, NO_ARGS, true, undefined))
  }

  /** The block that statements go to now. */
  get position(): Block {
    return this.current
  }

  param(index: number): Value {
    const value = this.parameters[index]
    if (value === undefined) throw new Error(`${this.name} has no parameter ${index}`)
    return value
  }

  /** What follows in the block that is being built hardly ever runs: the branch to it is hinted so. */
  rare(): void {
    this.current.rare = true
  }

  /** Whether the value may be used at this point. */
  isVisible(value: Value): boolean {
    return value.block === undefined || this.isWithin(value.block)
  }

  /** Whether statements go to this block now, or to one within it. */
  isWithin(outer: Block): boolean {
    for (let block: Block | undefined = this.current; block !== undefined; block = block.parent) if (block === outer) return true
    return false
  }

  /** Whether the value comes from outside of a block in which it may be used. */
  isOutside(value: Value, inner: Block): boolean {
    if (value.block === undefined) return true
    for (let block = inner.parent; block !== undefined; block = block.parent) if (block === value.block) return true
    return false
  }

  constant(type: 'i32' | 'i64' | 'f32' | 'f64', number: number | bigint): Value {
    return new Value(type, { kind: 'const', what: number, immediates: NO_IMMEDIATES, offset: 0 }, NO_ARGS, true, undefined)
  }

  constant128(bytes: readonly number[]): Value {
    if (bytes.length !== 16) throw new Error('a v128 constant has 16 bytes')
    return new Value('v128', { kind: 'const', what: 0, immediates: bytes, offset: 0 }, NO_ARGS, true, undefined)
  }

  /** An operation with a result. `offset` is the constant offset of memory operations. */
  op(name: OpName, args: readonly Value[], immediates: readonly number[] = NO_IMMEDIATES, offset: number = 0): Value {
    return this.operation(opInfo(name), args, immediates, offset)
  }

  /** As op(), for callers that have looked the operation up. */
  operation(info: OpInfo, args: readonly Value[], immediates: readonly number[] = NO_IMMEDIATES, offset: number = 0): Value {
    const { result } = info
    if (result === undefined) throw new Error(`${info.name} has no result`)
    const type = result === 'first' ? args[0]?.type : result
    if (type === undefined) throw new Error(`${info.name} needs arguments`)
    return this.define(type, { kind: 'op', what: info, immediates, offset }, args, info.pure)
  }

  /** A load. `stable`: what is there does not change while the function runs, so the load may move to its use. */
  load(name: OpName, address: Value, offset: number, stable: boolean = false): Value {
    const info = opInfo(name)
    if (info.result === undefined || info.result === 'first') throw new Error(`${name} is not a load`)
    return this.define(info.result, { kind: 'op', what: info, immediates: NO_IMMEDIATES, offset }, [address], stable)
  }

  /** A memory operation without result. */
  effect(name: OpName, args: readonly Value[], offset: number = 0, immediates: readonly number[] = NO_IMMEDIATES): void {
    this.current.statements.push({ statement: 'effect', info: opInfo(name), args, immediates, offset })
  }

  variable(type: IrType, initial?: Value): Variable {
    const variable = new Variable(type, initial !== undefined)
    if (initial !== undefined) this.set(variable, initial)
    return variable
  }

  /** A variable that is set on every way to its reads, and not carried around a loop that began before it was first set. */
  temporary(type: IrType): Variable {
    return new Variable(type, true)
  }

  get(variable: Variable): Value {
    variable.read = true
    return this.define(variable.type, { kind: 'get', what: variable, immediates: NO_IMMEDIATES, offset: 0 }, NO_ARGS, false)
  }

  set(variable: Variable, value: Value): void {
    this.current.statements.push({ statement: 'set', variable, value })
  }

  /** Calls a function with one result. `pure`: the result depends on the arguments only and nothing else happens, so the call may vanish. */
  call(target: FunctionRef, args: readonly Value[], pure: boolean = false): Value {
    const type = target.results[0]
    if (type === undefined) throw new Error(`${target.name} has no result`)
    return this.define(type, { kind: 'call', what: target, immediates: NO_IMMEDIATES, offset: 0 }, args, pure)
  }

  callVoid(target: FunctionRef, args: readonly Value[]): void {
    if (target.results.length > 0) this.call(target, args)
    else this.current.statements.push({ statement: 'call', target, args })
  }

  /** Calls the function in slot `index` of the table that the module imports. It has one result; a function of another signature there traps. */
  callIndirect(index: Value, signature: Signature, args: readonly Value[]): Value {
    const type = signature.results[0]
    if (type === undefined) throw new Error('an indirect call has a result')
    return this.define(type, { kind: 'call-indirect', what: signature, immediates: NO_IMMEDIATES, offset: 0 }, [...args, index], false)
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    const thenBlock = this.within(then)
    const otherwiseBlock = otherwise === undefined ? undefined : this.within(otherwise)
    this.current.statements.push({ statement: 'if', condition, then: thenBlock, otherwise: otherwiseBlock })
  }

  /** The label passed to the body is the target of branches that repeat it. */
  loop(body: (label: LabelStatement) => void): void {
    this.label('loop', body)
  }

  /** The label passed to the body is the target of branches that leave it. */
  block(body: (label: LabelStatement) => void): void {
    this.label('block', body)
  }

  /** An empty block at this point, to be filled later through at(). */
  reserve(): Block {
    const inner = new Block(this.current)
    this.current.statements.push({ statement: 'block', body: inner })
    return inner
  }

  /** Says more at the end of a block of this function, then goes on where it was. */
  at(block: Block, body: () => void): void {
    this.enter(block, body)
  }

  branch(target: LabelStatement, condition?: Value): void {
    this.current.statements.push({ statement: 'branch', target, condition })
  }

  switch(index: Value, targets: readonly number[], cases: readonly (() => void)[]): void {
    this.current.statements.push({ statement: 'switch', index, targets, cases: cases.map((body) => this.within(body)) })
  }

  return(value?: Value): void {
    this.current.statements.push({ statement: 'return', value })
  }

  private define(type: IrType, source: Source, args: readonly Value[], pure: boolean): Value {
    const value = new Value(type, source, args, pure, this.current)
    this.current.statements.push(value)
    return value
  }

  private label(kind: 'loop' | 'block', body: (label: LabelStatement) => void): void {
    const inner = new Block(this.current)
    const label: LabelStatement = { statement: kind, body: inner }
    this.current.statements.push(label)
    this.enter(inner, () => body(label))
  }

  private within(body: () => void): Block {
    const inner = new Block(this.current)
    this.enter(inner, body)
    return inner
  }

  private enter(inner: Block, body: () => void): void {
    const outer = this.current
    this.current = inner
    body()
    this.current = outer
  }
}
