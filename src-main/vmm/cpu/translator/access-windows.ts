/**
 * Memory accesses of a region without loops. Those of a basic block whose addresses differ by constants (the stack's pushes and pops, the members of a structure)
 * share one look into the soft TLB, made before the first of them for the whole span: a window. When the span crosses a page or the TLB does not
 * have it, each of them asks the core; in a brief region, which is of little worth yet, the interpreter executes the rest of the basic block: that is half the
 * code for V8 to compile, and what runs often becomes another region.
 */
import * as L from '../layout'
import type { Block, FunctionBuilder, Value, Variable } from '../wasm/ir'
import { TLB_ADDEND, PAGE_MASK, entryOf, splitAddress, type LinearAccess, type SlowAccess } from './memory-access'

/** Wider spans would too often cross a page. */
const SPAN_MAX = 512

interface Window {
  readonly root: Value
  /** Where it was opened: it holds there and in blocks within. */
  readonly block: Block
  /** For the look into the TLB, before the first access. */
  readonly place: Block
  /** Machine address of the root, as far as that is within the window; 0: none. */
  readonly base: Variable
  /** Of the accessed bytes, relative to the root: the first, and behind the last. */
  low: number
  high: number
  writes: boolean
}

export class AccessWindows {
  private readonly open: Window[] = []

  constructor(
    private readonly builder: FunctionBuilder,
    /** 64-bit code: addresses are i64, otherwise i32. */
    private readonly wide: boolean,
    /** Absolute address of the TLB context. */
    private readonly tlb: () => Value,
    private readonly brief: boolean,
  ) {}

  /** Machine address of an access's first byte. */
  host({ linear, bytes, intent }: LinearAccess, slow: SlowAccess): Value {
    const { builder: b } = this
    const { root, offset } = splitAddress(linear)
    const window = this.find(root, offset, bytes) ?? this.begin(root, offset, slow)
    window.low = Math.min(window.low, offset)
    window.high = Math.max(window.high, offset + bytes)
    if (intent === 'write') window.writes = true
    if (this.brief) return b.op('i32.add', [b.get(window.base), b.constant('i32', offset)])
    const result = b.temporary('i32')
    b.if(
      b.get(window.base),
      () => b.set(result, b.op('i32.add', [b.get(window.base), b.constant('i32', offset)])),
      () => {
        b.rare()
        const found = slow.ask(this.wide ? linear : b.op('i64.extend_i32_u', [linear]))
        b.set(result, found)
        b.if(b.op('i32.eqz', [found]), slow.leave)
      },
    )
    return b.get(result)
  }

  /** The basic block is complete. */
  close(): void {
    for (const window of this.open) this.builder.at(window.place, () => this.look(window))
    this.open.length = 0
  }

  private find(root: Value, offset: number, bytes: number): Window | undefined {
    return this.open.find(
      (window) => window.root === root && this.builder.isWithin(window.block) && Math.max(window.high, offset + bytes) - Math.min(window.low, offset) <= SPAN_MAX,
    )
  }

  private begin(root: Value, offset: number, slow: SlowAccess): Window {
    const { builder: b } = this
    const window = { root, block: b.position, place: b.reserve(), base: b.temporary('i32'), low: offset, high: offset, writes: false }
    this.open.push(window)
    if (this.brief) {
      b.if(b.op('i32.eqz', [b.get(window.base)]), () => {
        b.rare()
        slow.leave()
      })
    }
    return window
  }

  /** An entry's tag is compared with the page of the last byte: a window across two pages misses. */
  private look({ root, base, low, high, writes }: Window): void {
    const { builder: b, wide } = this
    const type = wide ? 'i64' : 'i32'
    const table = writes ? L.TLB_WRITE : L.TLB_READ
    const address = (offset: number): Value => b.op(`${type}.add`, [root, b.constant(type, offset)])
    const narrow = (value: Value): Value => (wide ? b.op('i32.wrap_i64', [value]) : value)
    const entry = entryOf(b, this.tlb(), narrow(address(low)))
    const page = b.op(`${type}.and`, [address(high - 1), b.constant(type, PAGE_MASK)])
    const known = b.op(`${type}.eq`, [b.load(`${type}.load`, entry, table), page])
    const found = (): Value => b.op('i32.add', [b.load('i32.load', entry, table + TLB_ADDEND), narrow(root)])
    const none = b.constant('i32', 0)
    if (this.brief) return b.set(base, b.op('select', [found(), none, known]))
    b.if(
      known,
      () => b.set(base, found()),
      () => {
        b.rare()
        b.set(base, none)
      },
    )
  }
}
