/**
 * Operands as constants and general-purpose registers as WebAssembly locals: what a translated region is made of. The meanings are those of the
 * interpreter, through the same emitter.
 */
import type { IntegerBytes, OperandBinding, OperandField, Place } from '../emit/binding'
import { OperationEmitter } from '../emit/operation-emitter'
import type { HelperImports } from '../emit/helper-imports'
import type { Form } from '../isa/form'
import * as L from '../layout'
import type { Semantics } from '../semantics/emitter'
import { FunctionBuilder } from '../wasm/ir'
import type { OpName, Value, Variable } from '../wasm/ir'

/** What a decoded record says, as numbers. */
export interface DecodedInstruction {
  readonly form: Form
  readonly rip: number
  readonly length: number
  /** REC_OP0..2: byte offset of a general-purpose register, number of any other. */
  readonly registers: readonly number[]
  /** Byte offsets in the register file, as REC_BASE and REC_INDEX. */
  readonly base: number
  readonly index: number
  readonly scale: number
  readonly displacement: number
  readonly segment: number
  readonly addressShift: number
  readonly immediate: bigint
  readonly immediate2: number
}

const GPR_BYTES = 8
const GPR_COUNT = 16

/** General-purpose registers in locals. */
class RegisterFile {
  readonly used: Set<number> = new Set()
  readonly written: Set<number> = new Set()
  private readonly variables: readonly Variable[]

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly vcpu: Value,
    /** What the region reads and writes: found by emitting it once. */
    private readonly plan: { readonly used: ReadonlySet<number>; readonly written: ReadonlySet<number> } | undefined,
  ) {
    this.variables = Array.from({ length: GPR_COUNT }, () => builder.variable('i64'))
    for (const register of plan?.used ?? []) this.reload(register)
  }

  get(register: number): Value {
    this.used.add(register)
    return this.builder.get(this.variable(register))
  }

  set(register: number, value: Value): void {
    this.used.add(register)
    this.written.add(register)
    this.builder.set(this.variable(register), value)
  }

  writeBack(): void {
    for (const register of this.plan?.written ?? []) this.spill(register)
  }

  reloadAll(): void {
    for (const register of this.plan?.used ?? []) this.reload(register)
  }

  /** For accesses to a register by its offset in the vCPU. */
  spill(register: number): void {
    this.builder.effect('i64.store', [this.vcpu, this.builder.get(this.variable(register))], L.REG_GPR + register * GPR_BYTES)
  }

  reload(register: number): void {
    this.builder.set(this.variable(register), this.builder.load('i64.load', this.vcpu, L.REG_GPR + register * GPR_BYTES))
  }

  private variable(register: number): Variable {
    const variable = this.variables[register]
    if (variable === undefined) throw new Error(`there is no register ${register}`)
    return variable
  }
}

export class ConstantBinding implements OperandBinding {
  constructor(
    private readonly builder: FunctionBuilder,
    readonly vcpu: Value,
    private readonly file: RegisterFile,
    private readonly instruction: DecodedInstruction,
  ) {}

  registerField(field: OperandField): Value {
    return this.i32(this.field(field))
  }

  readRegister(field: OperandField, bytes: IntegerBytes): Value {
    return this.extract(this.field(field), bytes)
  }

  writeRegister(field: OperandField, bytes: IntegerBytes, value: Value): void {
    this.insert(this.field(field), bytes, value)
  }

  element(field: OperandField, stride: number): Place {
    return { address: this.vcpu, offset: this.field(field) * stride }
  }

  effectiveAddress(): Value {
    const { base, index, scale, displacement, addressShift } = this.instruction
    let sum = this.i64(displacement)
    if (base === L.REG_NEXT_RIP) sum = this.i64(BigInt(this.instruction.rip + this.instruction.length) + BigInt(displacement))
    else if (base !== L.REG_ZERO) sum = this.add(this.file.get(base / GPR_BYTES), sum)
    if (index !== L.REG_ZERO) sum = this.add(sum, this.builder.op('i64.shl', [this.file.get(index / GPR_BYTES), this.i64(scale)]))
    return addressShift === 0 ? sum : this.builder.op('i64.and', [sum, this.addressMask()])
  }

  addressMask(): Value {
    return this.i64((1n << BigInt(64 - this.instruction.addressShift)) - 1n)
  }

  operandSegment(): Value {
    return this.i32(this.instruction.segment)
  }

  operandSegmentPlace(): Place {
    return { address: this.vcpu, offset: L.SEGMENTS + this.instruction.segment * L.SEG_BYTES }
  }

  immediate(bytes: IntegerBytes): Value {
    const { immediate } = this.instruction
    return bytes === 8 ? this.i64(immediate) : this.i32(Number(BigInt.asIntN(32, BigInt.asUintN(bytes * 8, immediate))))
  }

  immediate2(): Value {
    return this.i32(this.instruction.immediate2)
  }

  register(number: number, bytes: IntegerBytes): Value {
    return this.extract(number * GPR_BYTES, bytes)
  }

  setRegister(number: number, bytes: IntegerBytes, value: Value): void {
    this.insert(number * GPR_BYTES, bytes, value)
  }

  loadState(load: OpName, offset: number): Value {
    if (this.isRegister(offset)) this.file.spill((offset - L.REG_GPR) >> 3)
    return this.builder.load(load, this.vcpu, offset)
  }

  storeState(store: OpName, offset: number, value: Value): void {
    const inRegister = this.isRegister(offset)
    if (inRegister) this.file.spill((offset - L.REG_GPR) >> 3)
    this.builder.effect(store, [this.vcpu, value], offset)
    if (inRegister) this.file.reload((offset - L.REG_GPR) >> 3)
  }

  rip(): Value {
    return this.i64(this.instruction.rip)
  }

  nextRip(): Value {
    return this.i64(this.instruction.rip + this.instruction.length)
  }

  setNextRip(value: Value): void {
    this.storeState('i64.store', L.REG_NEXT_RIP, value)
  }

  /** STATUS_NEXT goes on with the region's next instruction; everything else leaves the region. */
  leave(status: Value): void {
    const { source } = status
    if (source.kind !== 'const') return this.builder.if(status, () => this.depart(status))
    if (Number(source.number) !== L.STATUS_NEXT) this.depart(status)
  }

  beforeCall(): void {
    this.file.writeBack()
    this.storeState('i64.store', L.REG_RIP, this.rip())
    this.storeState('i64.store', L.REG_NEXT_RIP, this.nextRip())
  }

  afterCall(): void {
    this.file.reloadAll()
  }

  private depart(status: Value): void {
    this.file.writeBack()
    this.storeState('i64.store', L.REG_RIP, this.rip())
    this.builder.return(status)
  }

  private extract(offset: number, bytes: IntegerBytes): Value {
    const { builder } = this
    const whole = this.file.get(offset >> 3)
    if (bytes === 8) return whole
    const shift = (offset & 7) * 8
    const low = builder.op('i32.wrap_i64', [shift === 0 ? whole : builder.op('i64.shr_u', [whole, this.i64(shift)])])
    return bytes === 4 ? low : builder.op('i32.and', [low, this.i32(bytes === 1 ? 0xff : 0xffff)])
  }

  private insert(offset: number, bytes: IntegerBytes, value: Value): void {
    const { builder } = this
    const register = offset >> 3
    if (bytes === 8) return this.file.set(register, value)
    const wide = builder.op('i64.extend_i32_u', [value])
    if (bytes === 4) return this.file.set(register, wide)
    const shift = BigInt((offset & 7) * 8)
    const mask = (bytes === 1 ? 0xffn : 0xffffn) << shift
    const kept = builder.op('i64.and', [this.file.get(register), this.i64(~mask)])
    const placed = builder.op('i64.and', [builder.op('i64.shl', [wide, this.i64(shift)]), this.i64(mask)])
    this.file.set(register, builder.op('i64.or', [kept, placed]))
  }

  private field(field: OperandField): number {
    const value = this.instruction.registers[field]
    if (value === undefined) throw new Error(`${this.instruction.form.key} has no register operand ${field}`)
    return value
  }

  private isRegister(offset: number): boolean {
    return offset >= L.REG_GPR && offset < L.REG_GPR + GPR_COUNT * GPR_BYTES
  }

  private add(a: Value, b: Value): Value {
    return this.builder.op('i64.add', [a, b])
  }
  private i32(n: number): Value {
    return this.builder.constant('i32', n)
  }
  private i64(n: number | bigint): Value {
    return this.builder.constant('i64', n)
  }
}

/** A straight run of instructions as one function (vcpu) -> status: STATUS_JUMP with REG_NEXT_RIP set, or why it left earlier. */
export function emitStraightRun(
  name: string,
  instructions: readonly { readonly decoded: DecodedInstruction; readonly meaning: Semantics }[],
  helpers: HelperImports,
): FunctionBuilder {
  const emit = (plan: RegisterFile | undefined): { builder: FunctionBuilder; file: RegisterFile } => {
    const builder = new FunctionBuilder(name, ['i32'], ['i32'])
    const file = new RegisterFile(builder, builder.param(0), plan)
    let last: ConstantBinding | undefined
    for (const { decoded, meaning } of instructions) {
      last = new ConstantBinding(builder, builder.param(0), file, decoded)
      // what a jump that is not taken leaves
      if (decoded.form.endsBlock) last.setNextRip(last.nextRip())
      const emitter = new OperationEmitter(builder, last, decoded.form, helpers)
      meaning(emitter)
      emitter.finish()
    }
    if (instructions.at(-1)?.decoded.form.endsBlock !== true) {
      last?.setNextRip(last.nextRip())
      last?.leave(builder.constant('i32', L.STATUS_JUMP))
    }
    return { builder, file }
  }
  return emit(emit(undefined).file).builder
}
