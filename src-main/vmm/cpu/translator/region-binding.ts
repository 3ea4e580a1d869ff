/** Operands of one instruction of a region: constants, and registers in locals. */
import type { IntegerBytes, OperandBinding, OperandField, VectorBytes } from '../emit/binding'
import * as L from '../layout'
import { constantOf } from '../wasm/ir'
import type { OpName, Value } from '../wasm/ir'
import { ConstantOperands } from './constant-operands'
import type { DecodedInstruction } from './decoded-instruction'
import type { RegionFrame } from './region-frame'

const GPR_BYTES = 8
const GPR_END = L.REG_GPR + 16 * GPR_BYTES
const XMM_END = L.XMM + 16 * L.XMM_STRIDE

/** Thrown when a meaning says something that only the interpreter can do; the region ends before that instruction. */
export class NotInline extends Error {}

/** How an instruction leaves its region. */
export interface Leaving {
  /** With the state before the instruction; the interpreter executes it. */
  interpret(): void
  /** With a status that a helper returned; the instruction has not retired. */
  fault(status: Value): void
  /** With the state before the instruction, which is then executed behind the write-back. */
  alone(): void
  /** As interpret(), where nothing is pending in the basic block. */
  refuse(): void
  /** With the state after the instruction. */
  behind(): void
}

export class RegionBinding extends ConstantOperands implements OperandBinding {
  constructor(
    private readonly frame: RegionFrame,
    instruction: DecodedInstruction,
    private readonly leaving: Leaving,
  ) {
    super(frame.builder, frame.vcpu, instruction)
  }

  readRegister(field: OperandField, bytes: IntegerBytes): Value {
    return this.extract(this.instruction.registers[field], bytes)
  }

  writeRegister(field: OperandField, bytes: IntegerBytes, value: Value): void {
    this.insert(this.instruction.registers[field], bytes, value)
  }

  readVector(field: OperandField, bytes: VectorBytes): Value {
    const whole = this.frame.vectors.get(this.instruction.registers[field])
    const { builder } = this.frame
    return bytes === 16 ? whole : builder.op(bytes === 8 ? 'i64x2.extract_lane' : 'i32x4.extract_lane', [whole], [0])
  }

  writeVector(field: OperandField, bytes: VectorBytes, value: Value): void {
    const { builder, vectors } = this.frame
    const register = this.instruction.registers[field]
    if (bytes === 16) return vectors.set(register, value)
    vectors.set(register, builder.op(bytes === 8 ? 'i64x2.replace_lane' : 'i32x4.replace_lane', [vectors.get(register), value], [0]))
  }

  vector(index: Value): Value {
    return this.frame.vectors.get(known(index))
  }

  setVector(index: Value, value: Value): void {
    this.frame.vectors.set(known(index), value)
  }

  effectiveAddress(): Value {
    return this.frame.wide ? this.wideAddress() : this.op('i64.extend_i32_u', this.narrowAddress())
  }

  register(number: number, bytes: IntegerBytes): Value {
    return this.extract(number * GPR_BYTES, bytes)
  }

  setRegister(number: number, bytes: IntegerBytes, value: Value): void {
    this.insert(number * GPR_BYTES, bytes, value)
  }

  loadState(load: OpName, offset: number): Value {
    const { builder, flags } = this.frame
    if (offset === L.FLAG_RESULT) return flags.result()
    if (offset === L.FLAG_AUX) return flags.aux()
    if (offset === L.STACK_MASK && load === 'i64.load') return this.frame.stackMask()
    if (offset >= L.REG_GPR && offset < GPR_END) {
      if (load !== 'i64.load' || offset % GPR_BYTES !== 0) throw new NotInline(`${load} of a register`)
      return this.extract(offset, 8)
    }
    if ((offset >= L.XMM && offset < XMM_END) || offset === L.REG_RIP || offset === L.REG_NEXT_RIP) throw new NotInline(`${load} of field ${offset}`)
    return builder.load(load, this.vcpu, offset)
  }

  storeState(store: OpName, offset: number, value: Value): void {
    const { builder, flags } = this.frame
    if (offset === L.FLAG_RESULT) return flags.setResult(value)
    if (offset === L.FLAG_AUX) return flags.setAux(value)
    if (offset >= L.REG_GPR && offset < GPR_END) {
      if (store !== 'i64.store' || offset % GPR_BYTES !== 0) throw new NotInline(`${store} of a register`)
      return this.insert(offset, 8, value)
    }
    if ((offset >= L.XMM && offset < XMM_END) || offset === L.REG_RIP || offset === L.REG_NEXT_RIP) throw new NotInline(`${store} of field ${offset}`)
    builder.effect(store, [this.vcpu, value], offset)
  }

  rip(): Value {
    return this.wholeRip(this.instruction.offset)
  }

  nextRip(): Value {
    return this.wholeRip(this.instruction.offset + this.instruction.length)
  }

  setNextRip(): void {
    throw new NotInline('a jump in the middle of an instruction')
  }

  leave(status: Value): void {
    const code = constantOf(status)
    if (code === L.STATUS_NEXT) return
    if (code === L.STATUS_JUMP || code === L.STATUS_EXIT) throw new NotInline('the end of a block')
    this.leaving.fault(status)
  }

  private wholeRip(offset: number): Value {
    const rip = this.frame.ripAt(offset)
    return this.frame.wide ? rip : this.op('i64.extend_i32_u', rip)
  }

  private wideAddress(): Value {
    const { base, index, scale, displacement, addressShift, offset, length } = this.instruction
    const { general } = this.frame
    let sum: Value | undefined
    if (base === L.REG_NEXT_RIP) sum = this.frame.ripAt(offset + length)
    else if (base !== L.REG_ZERO) sum = general.get(base / GPR_BYTES)
    if (index !== L.REG_ZERO) {
      const scaled = this.op('i64.shl', general.get(index / GPR_BYTES), this.i64(scale))
      sum = sum === undefined ? scaled : this.op('i64.add', sum, scaled)
    }
    const whole = sum === undefined ? this.i64(displacement) : this.op('i64.add', sum, this.i64(displacement))
    return addressShift === 0 ? whole : this.op('i64.and', whole, this.addressMask())
  }

  private narrowAddress(): Value {
    const { base, index, scale, displacement, addressShift } = this.instruction
    const { general } = this.frame
    let sum: Value | undefined
    if (base === L.REG_NEXT_RIP) throw new NotInline('an address relative to RIP outside 64-bit code')
    if (base !== L.REG_ZERO) sum = general.get(base / GPR_BYTES)
    if (index !== L.REG_ZERO) {
      const scaled = this.op('i32.shl', general.get(index / GPR_BYTES), this.i32(scale))
      sum = sum === undefined ? scaled : this.op('i32.add', sum, scaled)
    }
    const whole = sum === undefined ? this.i32(displacement) : this.op('i32.add', sum, this.i32(displacement))
    return addressShift >= 48 ? this.op('i32.and', whole, this.i32(0xffff)) : whole
  }

  /** `offset`: of the register in the register file, +1 for AH CH DH BH. */
  private extract(offset: number, bytes: IntegerBytes): Value {
    const { general, wide } = this.frame
    const whole = general.get(offset >> 3)
    if (bytes === 8) return wide ? whole : this.op('i64.extend_i32_u', whole)
    const low = wide ? this.op('i32.wrap_i64', whole) : whole
    if (bytes === 4) return low
    const shift = (offset & 7) * 8
    return this.op('i32.and', this.op('i32.shr_u', low, this.i32(shift)), this.i32(bytes === 1 ? 0xff : 0xffff))
  }

  private insert(offset: number, bytes: IntegerBytes, value: Value): void {
    const { general, wide } = this.frame
    const register = offset >> 3
    if (bytes === 8) return general.set(register, wide ? value : this.op('i32.wrap_i64', value))
    if (bytes === 4) return general.set(register, wide ? this.op('i64.extend_i32_u', value) : value)
    const shift = (offset & 7) * 8
    const mask = (bytes === 1 ? 0xff : 0xffff) << shift
    const placed = this.op('i32.shl', this.op('i32.and', value, this.i32(bytes === 1 ? 0xff : 0xffff)), this.i32(shift))
    if (!wide) return general.set(register, this.op('i32.or', this.op('i32.and', general.get(register), this.i32(~mask)), placed))
    const kept = this.op('i64.and', general.get(register), this.i64(~BigInt(mask)))
    general.set(register, this.op('i64.or', kept, this.op('i64.extend_i32_u', placed)))
  }
}

function known(index: Value): number {
  const number = constantOf(index)
  if (number === undefined) throw new NotInline('a computed register number')
  return Number(number)
}
