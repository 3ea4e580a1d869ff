/**
 * REP MOVS and REP STOS among the other instructions of a region: the core does a whole run if that is short enough and in pages that the soft TLB has;
 * anything else runs behind the write-back, as instructions do that end a region.
 */
import type { HelperImports } from '../emit/helper-imports'
import type { OperationEmitter } from '../emit/operation-emitter'
import * as L from '../layout'
import { RAX, RCX, RDI, RSI } from '../semantics/values'
import type { Value } from '../wasm/ir'
import type { DecodedInstruction } from './decoded-instruction'
import { NotInline } from './region-binding'
import type { Leaving } from './region-binding'
import type { RegionFrame } from './region-frame'

export function repeatAtOnce(
  m: OperationEmitter,
  operation: 'movs' | 'stos',
  { form, segment }: DecodedInstruction,
  frame: RegionFrame,
  leaving: Leaving,
  helpers: HelperImports,
): void {
  const { builder: b } = frame
  if (form.addressSize !== (frame.wide ? 8 : 4)) throw new NotInline('pointers that wrap around')
  const count = m.addressRegister(RCX)
  const bytes = m.mul(count, m.i64(form.size))
  const to = m.addressRegister(RDI)
  const destination = linearRange(m, frame, L.SEG_ES, to, bytes, L.SEG_WRITE_END)
  const source = operation === 'movs' ? linearRange(m, frame, segment, m.addressRegister(RSI), bytes, L.SEG_READ_END) : undefined
  const call = (): Value =>
    source === undefined
      ? b.call(helpers.get('region_fill'), [frame.vcpu, destination.linear, m.addressRegister(RAX), count, m.i32(form.size)])
      : b.call(helpers.get('region_copy'), [frame.vcpu, source.linear, destination.linear, count, m.i32(form.size)])
  const done = b.temporary('i32')
  const beyond = [destination.beyond, source?.beyond].filter((one) => one !== undefined)
  const [first, ...others] = beyond
  if (first === undefined) {
    b.set(done, call())
  } else {
    b.set(done, m.i32(0))
    b.if(m.eqz(others.reduce((all, one) => m.or(all, one), first)), () => b.set(done, call()))
  }
  b.if(m.eqz(b.get(done)), () => {
    b.rare()
    leaving.alone()
  })
  for (const register of operation === 'movs' ? [RSI, RDI] : [RDI]) m.setAddressRegister(register, m.add(m.addressRegister(register), bytes))
  m.setAddressRegister(RCX, m.i64(0))
}

/** `beyond`: the segment ends before the bytes do. */
function linearRange(m: OperationEmitter, frame: RegionFrame, segment: number, offset: Value, bytes: Value, end: number): { linear: Value; beyond: Value | undefined } {
  const place = L.SEGMENTS + segment * L.SEG_BYTES
  const isFlat = frame.wide ? segment < L.SEG_FS : frame.flat && (segment === L.SEG_ES || segment === L.SEG_SS || segment === L.SEG_DS)
  if (isFlat) return { linear: offset, beyond: undefined }
  const sum = m.add(frame.invariant('i64.load', place + L.SEG_EFFECTIVE_BASE), offset)
  if (frame.wide) return { linear: sum, beyond: undefined }
  return { linear: m.and(sum, m.i64(0xffffffff)), beyond: m.gtU(m.add(offset, bytes), frame.invariant('i64.load', place + end)) }
}
