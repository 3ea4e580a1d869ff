/**
 * Linear address -> address in the machine's memory. The soft TLB is looked up inline; accesses through one base register in a loop first compare with the
 * page that they met last, those to the stack with its page at the region's entry; both stand in locals. Nothing in a region can make a translation
 * invalid: whatever may (CR3, INVLPG, devices, decoding) happens outside.
 *
 * Measured: a stack page that followed its accesses, as the others do, cost more than it gained (calls in a loop 1000 instead of 1400 million instructions a
 * second): every access then is a place where four locals change.
 */
import { ADD } from '../emit/arithmetic-emitter'
import type { AccessBytes, Intent } from '../emit/memory-emitter'
import * as L from '../layout'
import { constantOf, low32 } from '../wasm/ir'
import type { FunctionBuilder, Value, Variable } from '../wasm/ir'
import type { RegionFrame } from './region-frame'

export const TLB_ADDEND = 8
/** (linear >>> 12) * TLB_ENTRY_BYTES, within the table. */
const INDEX_SHIFT = 8
const INDEX_MASK = (L.TLB_ENTRIES - 1) * L.TLB_ENTRY_BYTES
export const PAGE_MASK = -0x1000
/** No linear address gives this under the masks below: bit 11 is never kept. */
const NO_PAGE = 0x800

export interface LinearAccess {
  /** i64 in 64-bit code, else i32. */
  readonly linear: Value
  readonly bytes: AccessBytes
  readonly intent: Intent
  readonly page: PageSlots | undefined
}

/** Off the inline path. */
export interface SlowAccess {
  /** Asks the core: linear address (i64) -> address in the machine's memory, or 0. */
  readonly ask: (linear: Value) => Value
  /** The core said 0. Must not come back. */
  readonly leave: () => void
}

interface LastPage {
  /** Linear address of the page, NO_PAGE at first. */
  readonly tag: Variable
  /** Machine address - linear address. */
  readonly addend: Variable
}

/** The pages last read and written by accesses of one kind. */
export interface PageSlots {
  readonly read: LastPage
  readonly write: LastPage
  /** The page stays the one that it was at the entry. */
  readonly fixed: boolean
}

export class PageCaches {
  private readonly slots = new Map<string, PageSlots>()
  private stackSlots: PageSlots | undefined

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly wide: boolean,
  ) {}

  get(key: string): PageSlots {
    let slots = this.slots.get(key)
    if (slots === undefined) this.slots.set(key, (slots = { read: this.lastPage(), write: this.lastPage(), fixed: false }))
    return slots
  }

  /** The page of the stack pointer: what may be written may be read. */
  get stack(): PageSlots {
    if (this.stackSlots === undefined) {
      const both = this.lastPage()
      this.stackSlots = { read: both, write: both, fixed: true }
    }
    return this.stackSlots
  }

  /** For the region's entry. `entry`: address of the TLB entry that the stack pointer's page has or would have. */
  initialize(entry: () => Value): void {
    const { builder: b } = this
    const none = b.constant(this.wide ? 'i64' : 'i32', NO_PAGE)
    for (const { read, write } of this.slots.values()) for (const { tag } of [read, write]) b.set(tag, none)
    if (this.stackSlots === undefined) return
    // whatever page the entry holds, its translation is right; an empty entry's tag is like NO_PAGE
    const { tag, addend } = this.stackSlots.write
    const found = entry()
    b.set(tag, b.load(this.wide ? 'i64.load' : 'i32.load', found, L.TLB_WRITE))
    b.set(addend, b.load('i32.load', found, L.TLB_WRITE + TLB_ADDEND))
  }

  private lastPage(): LastPage {
    return { tag: this.builder.variable(this.wide ? 'i64' : 'i32'), addend: this.builder.variable('i32') }
  }
}

/** Address of the TLB entry (of the first table) for the low half of a linear address. */
export function entryOf(b: FunctionBuilder, tlb: Value, low: Value): Value {
  const index = b.op('i32.and', [b.op('i32.shr_u', [low, b.constant('i32', INDEX_SHIFT)]), b.constant('i32', INDEX_MASK)])
  return b.op('i32.add', [tlb, index])
}

/** An address as root + constant. */
export function splitAddress(linear: Value): { readonly root: Value; readonly offset: number } {
  const [root, second] = linear.args
  const isSum = linear.source.kind === 'op' && (linear.source.what === ADD.i32 || linear.source.what === ADD.i64)
  const offset = isSum && second !== undefined ? constantOf(second) : undefined
  // constants beyond 32 bits are no displacements
  return root === undefined || offset === undefined || low32(offset) !== offset ? { root: linear, offset: 0 } : { root, offset }
}

export function hostAddress(frame: RegionFrame, access: LinearAccess, slow: SlowAccess): Value {
  return new Lookup(frame, access, slow).host()
}

class Lookup {
  private readonly b: RegionFrame['builder']
  private readonly type: 'i32' | 'i64'
  private readonly result: Variable

  constructor(
    private readonly frame: RegionFrame,
    private readonly access: LinearAccess,
    private readonly slow: SlowAccess,
  ) {
    this.b = frame.builder
    this.type = frame.wide ? 'i64' : 'i32'
    this.result = this.b.temporary('i32')
  }

  host(): Value {
    const { b } = this
    const { page, intent, linear, bytes } = this.access
    if (page === undefined) {
      this.tlb()
      return b.get(this.result)
    }
    const last = page[intent]
    // aligned accesses do not cross pages; others go on to the TLB
    const known = b.op(`${this.type}.eq`, [b.op(`${this.type}.and`, [linear, this.constant(PAGE_MASK | (bytes - 1))]), b.get(last.tag)])
    b.if(
      known,
      () => b.set(this.result, b.op('i32.add', [b.get(last.addend), this.low()])),
      () => this.tlb(),
    )
    return b.get(this.result)
  }

  /** A tag is compared with the page of the access's last byte, so that an access across two pages misses. */
  private tlb(): void {
    const { b } = this
    const { intent, linear, bytes } = this.access
    const table = intent === 'write' ? L.TLB_WRITE : L.TLB_READ
    const entry = entryOf(b, this.frame.tlb, this.low())
    const page = b.op(`${this.type}.and`, [b.op(`${this.type}.add`, [linear, this.constant(bytes - 1)]), this.constant(PAGE_MASK)])
    b.if(
      b.op(`${this.type}.eq`, [b.load(`${this.type}.load`, entry, table), page]),
      () => {
        const addend = b.load('i32.load', entry, table + TLB_ADDEND)
        this.remember(page, addend)
        b.set(this.result, b.op('i32.add', [addend, this.low()]))
      },
      () => this.core(),
    )
  }

  private core(): void {
    const { b } = this
    b.rare()
    const { linear } = this.access
    const found = this.slow.ask(this.frame.wide ? linear : b.op('i64.extend_i32_u', [linear]))
    b.set(this.result, found)
    b.if(b.op('i32.eqz', [found]), this.slow.leave)
  }

  /** A page that may be written may be read. */
  private remember(tag: Value, addend: Value): void {
    const { page, intent } = this.access
    if (page === undefined || page.fixed) return
    for (const last of intent === 'write' ? [page.read, page.write] : [page.read]) {
      this.b.set(last.tag, tag)
      this.b.set(last.addend, addend)
    }
  }

  private low(): Value {
    return this.frame.wide ? this.b.op('i32.wrap_i64', [this.access.linear]) : this.access.linear
  }

  private constant(n: number): Value {
    return this.b.constant(this.type, n)
  }
}
