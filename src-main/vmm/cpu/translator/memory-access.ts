/** Linear address -> address in the machine's memory: the soft TLB inline. */
import type { AccessBytes, Intent } from '../emit/memory-emitter'
import * as L from '../layout'
import type { Value } from '../wasm/ir'
import type { RegionFrame } from './region-frame'

const TLB_ADDEND = 8
/** (linear >>> 12) * TLB_ENTRY_BYTES, within the table. */
const INDEX_SHIFT = 8
const INDEX_MASK = (L.TLB_ENTRIES - 1) * L.TLB_ENTRY_BYTES
const PAGE_MASK = -0x1000

export interface LinearAccess {
  /** i64 in 64-bit code, else i32. */
  readonly linear: Value
  readonly bytes: AccessBytes
  readonly intent: Intent
}

/**
 * A tag is compared with the page of the access's last byte, so that an access across two pages misses. `slow` asks the core (linear address
 * as i64); when it answers 0, `leave` must not come back.
 */
export function hostAddress(frame: RegionFrame, { linear, bytes, intent }: LinearAccess, slow: (linear: Value) => Value, leave: () => void): Value {
  const { builder: b, wide } = frame
  const table = intent === 'write' ? L.TLB_WRITE : L.TLB_READ
  const low = b.op('i32.wrap_i64', [linear].map((v) => (wide ? v : b.op('i64.extend_i32_u', [v]))))
  const index = b.op('i32.and', [b.op('i32.shr_u', [low, b.constant('i32', INDEX_SHIFT)]), b.constant('i32', INDEX_MASK)])
  const entry = b.op('i32.add', [frame.tlb, index])
  const hit = wide
    ? b.op('i64.eq', [b.load('i64.load', entry, table), b.op('i64.and', [b.op('i64.add', [linear, b.constant('i64', bytes - 1)]), b.constant('i64', PAGE_MASK)])])
    : b.op('i32.eq', [b.load('i32.load', entry, table), b.op('i32.and', [b.op('i32.add', [linear, b.constant('i32', bytes - 1)]), b.constant('i32', PAGE_MASK)])])
  const host = b.variable('i32')
  b.if(
    hit,
    () => b.set(host, b.op('i32.add', [b.load('i32.load', entry, table + TLB_ADDEND), low])),
    () => {
      const found = slow(wide ? linear : b.op('i64.extend_i32_u', [linear]))
      b.set(host, found)
      b.if(b.op('i32.eqz', [found]), leave)
    },
  )
  return b.get(host)
}
