/** A decoded record (layout.ts, REC_*) as numbers. */
import { forms } from '../isa/forms'
import type { Form } from '../isa/form'
import * as L from '../layout'

export interface DecodedInstruction {
  readonly form: Form
  /** Offset of the first byte in its page. */
  readonly offset: number
  readonly length: number
  /** REC_OP0..2: byte offset of a general-purpose register, number of any other. */
  readonly registers: readonly [number, number, number]
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

export function decodeRecord(view: DataView, at: number, offset: number): DecodedInstruction {
  const handler = view.getUint16(at + L.REC_HANDLER, true)
  const form = forms[handler] ?? forms[0]
  if (form === undefined) throw new Error('the instruction table is empty')
  return {
    form,
    offset,
    length: view.getUint8(at + L.REC_LENGTH),
    registers: [view.getUint8(at + L.REC_OP0), view.getUint8(at + L.REC_OP1), view.getUint8(at + L.REC_OP2)],
    base: view.getUint8(at + L.REC_BASE),
    index: view.getUint8(at + L.REC_INDEX),
    scale: view.getUint8(at + L.REC_SCALE),
    displacement: view.getInt32(at + L.REC_DISP, true),
    segment: view.getUint8(at + L.REC_SEGMENT),
    addressShift: view.getUint8(at + L.REC_ADDRESS_SHIFT),
    immediate: view.getBigInt64(at + L.REC_IMM, true),
    immediate2: view.getUint32(at + L.REC_IMM2, true),
  }
}
