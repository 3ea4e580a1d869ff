/**
 * Memory accesses in loops whose addresses are constants away from something that stays the same in the loop (a structure behind a pointer, the locals on the
 * stack, a table at a fixed address). The first of them that finds the page in the soft TLB says for the span of all of them where it lies: a window. From then
 * on, until the loop is left, an access is an addition. Reads and writes have windows of their own, as what may be read need not be writable.
 *
 * A window is the outermost loop's in which its root does not change. Loops in which the region goes on behind instructions that want the whole state
 * have none: translations may change there.
 */
import * as L from '../layout'
import type { Block, FunctionBuilder, Value, Variable } from '../wasm/ir'
import { constantOf, low32 } from '../wasm/ir'
import { PAGE_MASK, TLB_ADDEND, entryOf, splitAddress, type LinearAccess, type SlowAccess } from './memory-access'
import type { RegisterFile } from './registers'

/** Wider spans would too often cross a page. */
const SPAN_MAX = 256

interface Window {
  /** See identityOf. */
  readonly root: unknown
  readonly table: number
  /** Machine address of the root, as far as that is within the window; 0: not found yet. */
  readonly base: Variable
  /** Where its accesses, complete by the end of the loop, are told about. */
  readonly places: { readonly block: Block; readonly root: Value; readonly addend: Value }[]
  /** Of the accessed bytes, relative to the root: the first, and behind the last. */
  low: number
  high: number
}

interface Loop {
  readonly before: Block
  /** Where its body begins. */
  readonly body: Block
  /** A bit for each general register; undefined: anything may change. */
  readonly written: number | undefined
  readonly windows: Window[]
}

export class LoopWindows {
  private readonly loops: Loop[] = []

  constructor(
    private readonly builder: FunctionBuilder,
    /** 64-bit code: addresses are i64, otherwise i32. */
    private readonly wide: boolean,
    private readonly general: RegisterFile,
    private readonly tlb: () => Value,
    /** Of other variables: set where the region is entered, and not since. */
    private readonly isInvariant: (variable: Variable) => boolean,
  ) {}

  /** What is emitted by `body` is a loop. `written`: the registers that change in it, a bit for each; undefined: and anything else. */
  within(before: Block, written: number | undefined, body: () => void): void {
    const loop: Loop = { before, body: this.builder.position, written, windows: [] }
    this.loops.push(loop)
    body()
    this.loops.pop()
    for (const window of loop.windows) this.complete(loop, window)
  }

  /** Machine address of an access's first byte; undefined: its address may change in every loop. */
  host(access: LinearAccess, slow: SlowAccess): Value | undefined {
    if (this.loops.length === 0) return undefined
    const { builder: b } = this
    const { bytes, intent, linear } = access
    const absolute = constantOf(linear)
    const { root, offset } = absolute !== undefined && low32(absolute) === absolute ? { root: b.constant(linear.type as 'i32' | 'i64', 0), offset: absolute } : splitAddress(linear)
    const loop = this.loops.find((one) => this.staysIn(one, root))
    if (loop === undefined) return undefined
    const window = this.windowOf(loop, identityOf(root), intent === 'write' ? L.TLB_WRITE : L.TLB_READ, offset, bytes)
    const result = b.temporary('i32')
    b.if(
      b.get(window.base),
      () => b.set(result, b.op('i32.add', [b.get(window.base), b.constant('i32', offset)])),
      () => {
        b.rare()
        this.look(window, root, access, slow, result)
      },
    )
    return b.get(result)
  }

  private look(window: Window, root: Value, { linear, bytes }: LinearAccess, slow: SlowAccess, result: Variable): void {
    const { builder: b } = this
    const type = this.wide ? 'i64' : 'i32'
    const low = this.narrow(linear)
    const entry = entryOf(b, this.tlb(), low)
    const page = b.op(`${type}.and`, [b.op(`${type}.add`, [linear, b.constant(type, bytes - 1)]), b.constant(type, PAGE_MASK)])
    b.if(
      b.op(`${type}.eq`, [b.load(`${type}.load`, entry, window.table), page]),
      () => {
        const addend = b.load('i32.load', entry, window.table + TLB_ADDEND)
        window.places.push({ block: b.reserve(), root, addend })
        b.set(result, b.op('i32.add', [addend, low]))
      },
      () => {
        b.rare()
        const found = slow.ask(this.wide ? linear : b.op('i64.extend_i32_u', [linear]))
        b.set(result, found)
        b.if(b.op('i32.eqz', [found]), slow.leave)
      },
    )
  }

  /** One access has found its page: that is the window's, if the span does not cross a page. */
  private complete({ before }: Loop, { base, places, low, high }: Window): void {
    const { builder: b } = this
    b.at(before, () => b.set(base, b.constant('i32', 0)))
    for (const { block, root, addend } of places) {
      b.at(block, () => {
        const address = this.narrow(root)
        const pages = b.op('i32.xor', [b.op('i32.add', [address, b.constant('i32', low)]), b.op('i32.add', [address, b.constant('i32', high - 1)])])
        const crosses = b.op('i32.and', [pages, b.constant('i32', PAGE_MASK)])
        b.set(base, b.op('select', [b.constant('i32', 0), b.op('i32.add', [addend, address]), crosses]))
      })
    }
  }

  private windowOf(loop: Loop, root: unknown, table: number, offset: number, bytes: number): Window {
    const fits = (one: Window): boolean => one.root === root && one.table === table && Math.max(one.high, offset + bytes) - Math.min(one.low, offset) <= SPAN_MAX
    let window = loop.windows.find(fits)
    if (window === undefined) loop.windows.push((window = { root, table, base: this.builder.temporary('i32'), places: [], low: offset, high: offset + bytes }))
    window.low = Math.min(window.low, offset)
    window.high = Math.max(window.high, offset + bytes)
    return window
  }

  private staysIn({ written, body }: Loop, root: Value): boolean {
    if (written === undefined) return false
    if (root.source.kind === 'const') return true
    if (root.source.kind !== 'get') return this.builder.isOutside(root, body)
    const register = this.general.numberOf(root.source.what)
    return register === undefined ? this.isInvariant(root.source.what) : (written & (1 << register)) === 0
  }

  private narrow(value: Value): Value {
    return this.wide ? this.builder.op('i32.wrap_i64', [value]) : value
  }
}

/** Equal for roots that are the same value in a loop in which they stay. */
function identityOf(root: Value): unknown {
  const { source } = root
  return source.kind === 'get' || source.kind === 'const' ? source.what : root
}
