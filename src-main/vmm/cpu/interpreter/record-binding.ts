/** Operands of a decoded record in memory: what the interpreter's handlers are made of. Handlers are (vcpu, record) -> status. */
import type { IntegerBytes, OperandBinding, OperandField, Place, VectorBytes } from '../emit/binding'
import * as L from '../layout'
import type { FunctionBuilder, OpName, Value } from '../wasm/ir'

const LOAD: Readonly<Record<IntegerBytes, OpName>> = { 1: 'i32.load8_u', 2: 'i32.load16_u', 4: 'i32.load', 8: 'i64.load' }
const STORE: Readonly<Record<1 | 2, OpName>> = { 1: 'i32.store8', 2: 'i32.store16' }
const VECTOR_LOAD: Readonly<Record<VectorBytes, OpName>> = { 4: 'i32.load', 8: 'i64.load', 16: 'v128.load' }
const VECTOR_STORE: Readonly<Record<VectorBytes, OpName>> = { 4: 'i32.store', 8: 'i64.store', 16: 'v128.store' }
const FIELDS = [L.REC_OP0, L.REC_OP1, L.REC_OP2] as const
const PARAM_VCPU = 0
const PARAM_RECORD = 1

export class RecordBinding implements OperandBinding {
  readonly vcpu: Value
  private readonly record: Value
  /** Addresses computed before, by what they are of; usable where they are visible. */
  private readonly known = new Map<string, Value>()

  constructor(private readonly builder: FunctionBuilder) {
    this.vcpu = builder.param(PARAM_VCPU)
    this.record = builder.param(PARAM_RECORD)
  }

  registerField(field: OperandField): Value {
    return this.field8(FIELDS[field])
  }

  readRegister(field: OperandField, bytes: IntegerBytes): Value {
    return this.builder.load(LOAD[bytes], this.registerAddress(FIELDS[field]), L.REG_GPR)
  }

  writeRegister(field: OperandField, bytes: IntegerBytes, value: Value): void {
    this.storeRegister(this.registerAddress(FIELDS[field]), L.REG_GPR, bytes, value)
  }

  element(field: OperandField, stride: number): Place {
    return { address: this.elementAddress(FIELDS[field], stride), offset: 0 }
  }

  readVector(field: OperandField, bytes: VectorBytes): Value {
    return this.builder.load(VECTOR_LOAD[bytes], this.elementAddress(FIELDS[field], L.XMM_STRIDE), L.XMM)
  }

  writeVector(field: OperandField, bytes: VectorBytes, value: Value): void {
    this.builder.effect(VECTOR_STORE[bytes], [this.elementAddress(FIELDS[field], L.XMM_STRIDE), value], L.XMM)
  }

  vector(index: Value): Value {
    return this.builder.load('v128.load', this.vectorAddress(index), L.XMM)
  }

  setVector(index: Value, value: Value): void {
    this.builder.effect('v128.store', [this.vectorAddress(index), value], L.XMM)
  }

  private vectorAddress(index: Value): Value {
    const { builder } = this
    return builder.op('i32.add', [this.vcpu, builder.op('i32.mul', [index, builder.constant('i32', L.XMM_STRIDE)])])
  }

  effectiveAddress(): Value {
    const { builder } = this
    const base = builder.load('i64.load', this.registerAddress(L.REC_BASE), L.REG_GPR)
    const index = builder.load('i64.load', this.registerAddress(L.REC_INDEX), L.REG_GPR)
    const scale = builder.load('i64.load8_u', this.record, L.REC_SCALE, true)
    const displacement = builder.load('i64.load32_s', this.record, L.REC_DISP, true)
    const sum = builder.op('i64.add', [builder.op('i64.add', [base, builder.op('i64.shl', [index, scale])]), displacement])
    return builder.op('i64.and', [sum, this.addressMask()])
  }

  addressMask(): Value {
    const { builder } = this
    const shift = builder.load('i64.load8_u', this.record, L.REC_ADDRESS_SHIFT, true)
    return builder.op('i64.shr_u', [builder.constant('i64', -1), shift])
  }

  operandSegment(): Value {
    return this.field8(L.REC_SEGMENT)
  }

  operandSegmentPlace(): Place {
    return { address: this.elementAddress(L.REC_SEGMENT, L.SEG_BYTES), offset: L.SEGMENTS }
  }

  immediate(bytes: IntegerBytes): Value {
    return this.builder.load(LOAD[bytes], this.record, L.REC_IMM, true)
  }

  immediate2(): Value {
    return this.builder.load('i32.load', this.record, L.REC_IMM2, true)
  }

  register(number: number, bytes: IntegerBytes): Value {
    return this.builder.load(LOAD[bytes], this.vcpu, L.REG_GPR + number * 8)
  }

  setRegister(number: number, bytes: IntegerBytes, value: Value): void {
    this.storeRegister(this.vcpu, L.REG_GPR + number * 8, bytes, value)
  }

  loadState(load: OpName, offset: number): Value {
    return this.builder.load(load, this.vcpu, offset)
  }

  storeState(store: OpName, offset: number, value: Value): void {
    this.builder.effect(store, [this.vcpu, value], offset)
  }

  rip(): Value {
    return this.loadState('i64.load', L.REG_RIP)
  }

  nextRip(): Value {
    return this.loadState('i64.load', L.REG_NEXT_RIP)
  }

  setNextRip(value: Value): void {
    this.storeState('i64.store', L.REG_NEXT_RIP, value)
  }

  leave(status: Value): void {
    this.builder.return(status)
  }

  private storeRegister(address: Value, offset: number, bytes: IntegerBytes, value: Value): void {
    const { builder } = this
    if (bytes === 1 || bytes === 2) builder.effect(STORE[bytes], [address, value], offset)
    else builder.effect('i64.store', [address, bytes === 8 ? value : builder.op('i64.extend_i32_u', [value])], offset)
  }

  private field8(offset: number): Value {
    return this.once(`field ${offset}`, () => this.builder.load('i32.load8_u', this.record, offset, true))
  }

  private registerAddress(offset: number): Value {
    return this.once(`register ${offset}`, () => this.builder.op('i32.add', [this.vcpu, this.field8(offset)]))
  }

  private elementAddress(offset: number, stride: number): Value {
    return this.once(`element ${offset} ${stride}`, () => {
      const scaled = this.builder.op('i32.mul', [this.field8(offset), this.builder.constant('i32', stride)])
      return this.builder.op('i32.add', [this.vcpu, scaled])
    })
  }

  private once(key: string, make: () => Value): Value {
    const known = this.known.get(key)
    if (known !== undefined && this.builder.isVisible(known)) return known
    const value = make()
    this.known.set(key, value)
    return value
  }
}
