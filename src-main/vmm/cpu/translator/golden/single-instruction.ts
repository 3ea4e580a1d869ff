/** A region of one instruction of any form, with RAX or register 0 as operands and [RCX + disp] as memory. */
import * as L from '../../layout'
import type { RegionPlan } from '../region-plan'

const LENGTH = 4
const RCX = 8
const CODE_BITS = 3

export function singleInstructionPlan(handler: number, key: number): RegionPlan {
  const records = new Uint8Array(L.REC_BYTES)
  const view = new DataView(records.buffer)
  view.setUint16(L.REC_HANDLER, handler, true)
  view.setUint8(L.REC_LENGTH, LENGTH)
  view.setUint8(L.REC_BASE, RCX)
  view.setUint8(L.REC_INDEX, L.REG_ZERO)
  view.setUint8(L.REC_SEGMENT, L.SEG_DS)
  view.setUint8(L.REC_ADDRESS_SHIFT, [48, 32, 0][key & CODE_BITS] ?? 0)
  return { page: 0x1000, key, records, blocks: [{ offset: 0x100, bytes: LENGTH, first: 0, count: 1 }], entries: [0] }
}
