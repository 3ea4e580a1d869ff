/** What both bindings of translated code have as constants: the parts of the decoded record that are no registers. */
import type { IntegerBytes, OperandField, Place } from '../emit/binding'
import * as L from '../layout'
import type { FunctionBuilder, OpName, Value } from '../wasm/ir'
import type { DecodedInstruction } from './decoded-instruction'

export abstract class ConstantOperands {
  constructor(
    protected readonly builder: FunctionBuilder,
    readonly vcpu: Value,
    readonly instruction: DecodedInstruction,
  ) {}

  registerField(field: OperandField): Value {
    return this.i32(this.instruction.registers[field])
  }

  element(field: OperandField, stride: number): Place {
    return { address: this.vcpu, offset: this.instruction.registers[field] * stride }
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

  protected op(name: OpName, ...args: readonly Value[]): Value {
    return this.builder.op(name, args)
  }
  protected i32(n: number): Value {
    return this.builder.constant('i32', n)
  }
  protected i64(n: number | bigint): Value {
    return this.builder.constant('i64', n)
  }
}
