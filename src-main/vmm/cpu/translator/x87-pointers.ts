/**
 * FIP, FOP and FDP of the last x87 instruction: while a region runs, a word says which one it was. They are stored where the region is left, or before
 * someone looks at them.
 */
import * as L from '../layout'
import type { FunctionBuilder, Value, Variable } from '../wasm/ir'

/** An instruction in a region: place (RegionFrame.placeOf), opcode, and the segment of its memory operand. */
const OPCODE_SHIFT = 15
const OPCODE_MASK = 0x7ff
const SEGMENT_SHIFT = 26
const NO_SEGMENT = 7
const NOTED = 1 << 29
const SELECTOR_MASK = 0xffff

export interface X87Operand {
  readonly segment: number
  /** Effective address (i64). */
  readonly address: Value
}

export class X87Pointers {
  private kept: { readonly word: Variable; readonly address: Variable } | undefined
  /** Of the last instruction of the basic block so far. */
  private noted: Value | undefined

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly vcpu: Value,
    /** The instruction pointer (i64) at a place (i32). */
    private readonly ripAtPlace: (place: Value) => Value,
  ) {}

  note(place: number, opcode: number, operand: X87Operand | undefined): void {
    const { builder: b } = this
    const kept = this.keep()
    const word = NOTED | ((operand?.segment ?? NO_SEGMENT) << SEGMENT_SHIFT) | ((opcode & OPCODE_MASK) << OPCODE_SHIFT) | place
    this.noted = b.constant('i32', word)
    b.set(kept.word, this.noted)
    b.set(kept.address, operand?.address ?? b.constant('i64', 0))
  }

  /** At the end of a basic block. `left`: the region may be left there without more ado. */
  endBlock(left: boolean): void {
    const { builder: b, kept, noted } = this
    this.noted = undefined
    if (!left || kept === undefined || noted === undefined) return
    this.storeOf(noted, kept.address)
    b.set(kept.word, b.constant('i32', 0))
  }

  /** Something sets them: what has been noted before, maybe on a way back to here that is not emitted yet, holds no more. */
  forget(): void {
    const { builder: b } = this
    b.set(this.keep().word, b.constant('i32', 0))
    this.noted = undefined
  }

  /** Stores them, if an instruction has been noted since they were stored last. `goesOn`: so does the region. */
  store(goesOn: boolean): void {
    const { builder: b, kept } = this
    if (kept === undefined) return
    const word = b.get(kept.word)
    b.if(word, () => {
      this.storeOf(word, kept.address)
      if (goesOn) b.set(kept.word, b.constant('i32', 0))
    })
    this.noted = undefined
  }

  private keep(): { readonly word: Variable; readonly address: Variable } {
    const { builder: b } = this
    return (this.kept ??= { word: b.variable('i32'), address: b.variable('i64') })
  }

  private storeOf(word: Value, address: Variable): void {
    const { builder: b, vcpu } = this
    const number = (n: number): Value => b.constant('i32', n)
    const bits = (shift: number, mask: number): Value => b.op('i32.and', [b.op('i32.shr_u', [word, number(shift)]), number(mask)])
    b.effect('i64.store', [vcpu, this.ripAtPlace(bits(0, (1 << OPCODE_SHIFT) - 1))], L.FPU_IP)
    b.effect('i32.store', [vcpu, b.load('i32.load16_u', vcpu, L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_SELECTOR)], L.FPU_CS)
    b.effect('i32.store', [vcpu, bits(OPCODE_SHIFT, OPCODE_MASK)], L.FPU_OPCODE)
    b.effect('i64.store', [vcpu, b.get(address)], L.FPU_DP)
    const segment = bits(SEGMENT_SHIFT, NO_SEGMENT)
    const descriptor = b.op('i32.add', [vcpu, b.op('i32.mul', [segment, number(L.SEG_BYTES)])])
    const mask = b.op('select', [number(0), number(SELECTOR_MASK), b.op('i32.eq', [segment, number(NO_SEGMENT)])])
    b.effect('i32.store', [vcpu, b.op('i32.and', [b.load('i32.load16_u', descriptor, L.SEGMENTS + L.SEG_SELECTOR), mask])], L.FPU_DS)
  }
}
