/**
 * What differs between running an operation from a decoded record and from constants: where operands and registers are. Everything else
 * that a meaning says is common (operation-emitter.ts).
 */
import type { OpName, Value } from '../wasm/ir'

export type IntegerBytes = 1 | 2 | 4 | 8
export type OperandField = 0 | 1 | 2
export type VectorBytes = 4 | 8 | 16

/** A place in memory: address (i32) plus constant offset. */
export interface Place {
  readonly address: Value
  readonly offset: number
}

export interface OperandBinding {
  /** Base address of the vCPU (i32). */
  readonly vcpu: Value

  // ---- operands ----
  /** The register operand's field: byte offset of a general-purpose register, number of any other (i32). */
  registerField(field: OperandField): Value
  /** General-purpose register operand, zero-extended; and its write (4 bytes clear the upper half). */
  readRegister(field: OperandField, bytes: IntegerBytes): Value
  writeRegister(field: OperandField, bytes: IntegerBytes, value: Value): void
  /** Where element `field` of an array in the vCPU is: vcpu + number * stride. */
  element(field: OperandField, stride: number): Place
  /** XMM register operand (16 bytes: v128; 8: i64, 4: i32 of its low element), and its write (less than 16 bytes leave the rest). */
  readVector(field: OperandField, bytes: VectorBytes): Value
  writeVector(field: OperandField, bytes: VectorBytes, value: Value): void
  /** XMM register by number (i32). */
  vector(index: Value): Value
  setVector(index: Value, value: Value): void
  /** Base + index * scale + displacement, masked to the address size (i64). */
  effectiveAddress(): Value
  /** What an effective address is masked with (i64). */
  addressMask(): Value
  /** Number of the memory operand's segment (i32), and where its state is. */
  operandSegment(): Value
  operandSegmentPlace(): Place
  /** The first immediate's low bytes: i32, or i64 for 8. */
  immediate(bytes: IntegerBytes): Value
  immediate2(): Value

  // ---- registers and state ----
  register(number: number, bytes: IntegerBytes): Value
  setRegister(number: number, bytes: IntegerBytes, value: Value): void
  /** A field of the vCPU at a constant offset, by the load or store that fits it. */
  loadState(load: OpName, offset: number): Value
  storeState(store: OpName, offset: number, value: Value): void
  rip(): Value
  nextRip(): Value
  setNextRip(value: Value): void

  // ---- control ----
  /** Ends the instruction with the status (i32), registers in their places. */
  leave(status: Value): void
}
