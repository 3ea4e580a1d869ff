/**
 * Operands of an instruction that ends its region: constants, with all registers in the vCPU, as the helpers that it calls want them. It runs behind the
 * region's write-back, as the interpreter would run it.
 */
import type { IntegerBytes, OperandBinding, OperandField, VectorBytes } from '../emit/binding'
import * as L from '../layout'
import type { FunctionBuilder, OpName, Value } from '../wasm/ir'
import { ConstantOperands } from './constant-operands'
import type { DecodedInstruction } from './decoded-instruction'

const LOAD: Readonly<Record<IntegerBytes, OpName>> = { 1: 'i32.load8_u', 2: 'i32.load16_u', 4: 'i32.load', 8: 'i64.load' }
const STORE: Readonly<Record<IntegerBytes, OpName>> = { 1: 'i32.store8', 2: 'i32.store16', 4: 'i64.store', 8: 'i64.store' }
const VECTOR_LOAD: Readonly<Record<VectorBytes, OpName>> = { 4: 'i32.load', 8: 'i64.load', 16: 'v128.load' }
const VECTOR_STORE: Readonly<Record<VectorBytes, OpName>> = { 4: 'i32.store', 8: 'i64.store', 16: 'v128.store' }

export class FinalBinding extends ConstantOperands implements OperandBinding {
  constructor(
    builder: FunctionBuilder,
    vcpu: Value,
    instruction: DecodedInstruction,
    /** Ends the instruction. */
    readonly leave: (status: Value) => void,
  ) {
    super(builder, vcpu, instruction)
  }

  readRegister(field: OperandField, bytes: IntegerBytes): Value {
    return this.load(LOAD[bytes], L.REG_GPR + this.instruction.registers[field])
  }

  writeRegister(field: OperandField, bytes: IntegerBytes, value: Value): void {
    this.storeRegister(this.instruction.registers[field], bytes, value)
  }

  readVector(field: OperandField, bytes: VectorBytes): Value {
    return this.load(VECTOR_LOAD[bytes], L.XMM + this.instruction.registers[field] * L.XMM_STRIDE)
  }

  writeVector(field: OperandField, bytes: VectorBytes, value: Value): void {
    this.builder.effect(VECTOR_STORE[bytes], [this.vcpu, value], L.XMM + this.instruction.registers[field] * L.XMM_STRIDE)
  }

  vector(index: Value): Value {
    return this.builder.load('v128.load', this.vectorAddress(index), L.XMM)
  }

  setVector(index: Value, value: Value): void {
    this.builder.effect('v128.store', [this.vectorAddress(index), value], L.XMM)
  }

  effectiveAddress(): Value {
    const { base, index, scale, displacement, addressShift } = this.instruction
    let sum: Value = this.i64(displacement)
    if (base !== L.REG_ZERO) sum = this.op('i64.add', this.load('i64.load', L.REG_GPR + base), sum)
    if (index !== L.REG_ZERO) sum = this.op('i64.add', sum, this.op('i64.shl', this.load('i64.load', L.REG_GPR + index), this.i64(scale)))
    return addressShift === 0 ? sum : this.op('i64.and', sum, this.addressMask())
  }

  register(number: number, bytes: IntegerBytes): Value {
    return this.load(LOAD[bytes], L.REG_GPR + number * 8)
  }

  setRegister(number: number, bytes: IntegerBytes, value: Value): void {
    this.storeRegister(number * 8, bytes, value)
  }

  loadState(load: OpName, offset: number): Value {
    return this.load(load, offset)
  }

  storeState(store: OpName, offset: number, value: Value): void {
    this.builder.effect(store, [this.vcpu, value], offset)
  }

  rip(): Value {
    return this.load('i64.load', L.REG_RIP)
  }

  nextRip(): Value {
    return this.load('i64.load', L.REG_NEXT_RIP)
  }

  setNextRip(value: Value): void {
    this.storeState('i64.store', L.REG_NEXT_RIP, value)
  }

  private storeRegister(offset: number, bytes: IntegerBytes, value: Value): void {
    const whole = bytes === 4 ? this.op('i64.extend_i32_u', value) : value
    this.builder.effect(STORE[bytes], [this.vcpu, whole], L.REG_GPR + offset)
  }

  private vectorAddress(index: Value): Value {
    return this.op('i32.add', this.vcpu, this.op('i32.mul', index, this.i32(L.XMM_STRIDE)))
  }

  private load(name: OpName, offset: number): Value {
    return this.builder.load(name, this.vcpu, offset)
  }
}
