/**
 * Finding the block to run, and dispatch(vcpu, record) -> STATUS_*: enters the region of a translated block, and then of each block that follows, as
 * long as there is one. A function of its own: kernel code goes from region to region every ten or twenty instructions, and in the run loop, with
 * its two thousand calls, this path would live in memory instead of registers.
 */
import * as L from '../layout'
import { FunctionBuilder } from '../wasm/ir'
import type { Signature, Value, Variable } from '../wasm/ir'

const EFLAGS_IF_SHIFT = 9
/** The slot of an address, as in core/decode/blocks (jump_slot). */
const JUMP_CACHE_MASK = L.JUMP_CACHE_ENTRIES - 1
const ENTRY_SELECTOR_MASK = 0x7fff
const NEXT_LINE_BYTES = L.NEXT_WAYS * L.NEXT_WAY_BYTES
/** Which way a new address takes: bits of the spread budget that do not say whether it is sampled. */
const ANY_WAY_SHIFT = 16
/** From the first record back to BLOCK_ENTRY. */
export const ENTRY_BEFORE_RECORD: number = L.BLOCK_HEADER_BYTES - L.BLOCK_ENTRY

/** (vcpu, selector) -> STATUS_*. */
export const REGION_SIGNATURE: Signature = { params: ['i32', 'i32'], results: ['i32'] }

/** CS:`unmasked`, masked to the mode, and its linear address. */
function addressesOf(b: FunctionBuilder, vcpu: Value, unmasked: Value): { readonly rip: Value; readonly linear: Value } {
  const mask = b.load('i64.load', vcpu, L.LINEAR_MASK)
  const rip = b.op('i64.and', [unmasked, mask])
  const base = b.load('i64.load', vcpu, L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_EFFECTIVE_BASE)
  return { rip, linear: b.op('i64.and', [b.op('i64.add', [rip, base]), mask]) }
}

/**
 * Sets `place` to the jump cache's entry of the block at CS:`unmasked` (JUMP_CACHE must be added); `missing`: it has none, and `place` is where it would be
 * put. An address has two places: its slot, and the neighbour, which has what was in the slot before. Returns the address, masked to the mode.
 */
export function lookUp(b: FunctionBuilder, vcpu: Value, unmasked: Value, place: Variable, missing: (rip: Value) => void): Value {
  const { rip, linear } = addressesOf(b, vcpu, unmasked)
  const low = b.op('i32.wrap_i64', [linear])
  const shifted = b.op('i32.shr_u', [low, b.constant('i32', L.JUMP_CACHE_SHIFT)])
  const hash = b.op('i32.xor', [shifted, b.op('i32.shr_u', [low, b.constant('i32', L.JUMP_CACHE_FOLD)])])
  const slot = b.op('i32.and', [hash, b.constant('i32', JUMP_CACHE_MASK)])
  const offset = b.op('i32.shl', [slot, b.constant('i32', Math.log2(L.JUMP_CACHE_ENTRY_BYTES))])
  const epoch = b.load('i32.load', vcpu, L.CODE_EPOCH)
  const entry = b.op('i32.add', [vcpu, offset])
  const wrong = (at: Value): Value => {
    const otherAddress = b.op('i64.ne', [b.load('i64.load', at, L.JUMP_CACHE), linear])
    return b.op('i32.or', [otherAddress, b.op('i32.ne', [b.load('i32.load', at, L.JUMP_CACHE + L.JUMP_EPOCH), epoch])])
  }
  b.set(place, entry)
  b.if(wrong(entry), () => {
    // the vCPU's base is a multiple of all that matters here
    const neighbour = b.op('i32.xor', [entry, b.constant('i32', L.JUMP_CACHE_ENTRY_BYTES)])
    b.set(place, neighbour)
    b.if(wrong(neighbour), () => {
      b.set(place, entry)
      missing(rip)
    })
  })
  return rip
}

/** EFLAGS.IF as ATTENTION_INTR: the request counts only then. */
export function interruptsEnabled(b: FunctionBuilder, vcpu: Value): Value {
  const flags = b.op('i32.shr_u', [b.load('i32.load', vcpu, L.REG_EFLAGS), b.constant('i32', EFLAGS_IF_SHIFT)])
  return b.op('i32.and', [flags, b.constant('i32', L.ATTENTION_INTR)])
}

/** Not 0: something in `attention` must be met before the next instruction. A masked request waits until interrupts are enabled. */
export function unmaskedAttention(b: FunctionBuilder, vcpu: Value, attention: Value): Value {
  const others = b.op('i32.and', [attention, b.constant('i32', ~L.ATTENTION_INTR)])
  return b.op('i32.or', [others, b.op('i32.and', [attention, interruptsEnabled(b, vcpu)])])
}

export function entryWord(b: FunctionBuilder, record: Value): Value {
  return b.load('i32.load', b.op('i32.sub', [record, b.constant('i32', ENTRY_BEFORE_RECORD)]), 0)
}

/** Spreads the budgets with which regions are left evenly, whatever the instructions between two of them: 2^32 divided by the golden ratio. */
const SPREAD = 0x9e3779b1

/**
 * Returns what the last region returned: STATUS_JUMP when something asks for attention, or the next block has no region or must be looked for. `word`: entry word
 * of a translated block; REG_RIP at its instruction.
 *
 * Where a region was left for before is kept with it (NEXT_REGIONS): its addresses are there while it still runs, when what the jump cache has for an address can be asked for
 * only when that is known. Three in four, or more, go on so; most leave for another page, by calls and returns.
 */
export function buildDispatch(): FunctionBuilder {
  return new DispatchLoop().build()
}

class DispatchLoop {
  private readonly b = new FunctionBuilder('dispatch', ['i32', 'i32'], ['i32'])
  private readonly vcpu = this.b.param(0)
  /** Entry word of the region to be entered next. */
  private readonly entry = this.b.variable('i32', this.b.param(1))
  private readonly jumpPlace = this.b.variable('i32')
  /** Of the region that was left: its first way, and the one that it took, without NEXT_REGIONS. */
  private readonly ways = this.b.variable('i32')
  private readonly way = this.b.variable('i32')
  private readonly firstAddress = this.b.variable('i64')

  build(): FunctionBuilder {
    const { b, vcpu } = this
    this.count(b.param(1), 1)
    const number = b.op('i32.div_u', [b.op('i32.sub', [vcpu, this.i32(L.VCPU_BASE)]), this.i32(L.VCPU_STRIDE)])
    const table = b.op('i32.mul', [number, this.i32(L.NEXT_LINES * NEXT_LINE_BYTES)])
    b.loop((next) => {
      const left = b.get(this.entry)
      const slot = b.op('i32.and', [left, this.i32(L.ENTRY_SLOT_MASK)])
      const selector = b.op('i32.and', [b.op('i32.shr_u', [left, this.i32(L.ENTRY_SELECTOR_SHIFT)]), this.i32(ENTRY_SELECTOR_MASK)])
      const line = b.op('i32.and', [slot, this.i32(L.NEXT_LINES - 1)])
      b.set(this.ways, b.op('i32.add', [table, b.op('i32.shl', [line, this.i32(Math.log2(NEXT_LINE_BYTES))])]))
      // read before the region runs: the host's cache has them when it is left
      b.set(this.firstAddress, b.load('i64.load', b.get(this.ways), L.NEXT_REGIONS))
      const status = b.callIndirect(slot, REGION_SIGNATURE, [vcpu, selector])
      b.if(b.op('i32.ne', [status, this.i32(L.STATUS_JUMP)]), () => b.return(status))
      const attention = b.load('i32.load', vcpu, L.ATTENTION)
      b.if(attention, () => b.if(unmaskedAttention(b, vcpu, attention), () => this.toRunLoop()))
      const { rip, linear } = addressesOf(b, vcpu, b.load('i64.load', vcpu, L.REG_RIP))
      const spread = b.op('i32.mul', [b.load('i32.load', vcpu, L.BUDGET), this.i32(SPREAD | 0)])
      this.findNext(rip, linear, spread)
      b.if(b.op('i32.lt_u', [spread, this.i32(2 ** 32 / L.REGION_SAMPLE)]), () => {
        this.putFirst()
        this.sample(left, linear)
      })
      b.effect('i64.store', [vcpu, rip], L.REG_RIP)
      b.branch(next)
    })
    return b
  }

  /** Sets `entry` to the entry word of the block at an address, and `way` to where that stands now. */
  private findNext(rip: Value, linear: Value, spread: Value): void {
    const { b } = this
    const epoch = b.load('i32.load', this.vcpu, L.CODE_EPOCH)
    b.block((found) => {
      for (let at = 0; at < NEXT_LINE_BYTES; at += L.NEXT_WAY_BYTES) {
        const address = at === 0 ? b.get(this.firstAddress) : b.load('i64.load', b.get(this.ways), L.NEXT_REGIONS + at)
        b.if(b.op('i64.eq', [address, linear]), () => {
          const word = b.load('i32.load', b.get(this.ways), L.NEXT_REGIONS + at + L.NEXT_WORD)
          const isCurrent = b.op('i32.eq', [b.load('i32.load', b.get(this.ways), L.NEXT_REGIONS + at + L.NEXT_EPOCH), epoch])
          b.set(this.entry, word)
          b.set(this.way, b.op('i32.add', [b.get(this.ways), this.i32(at)]))
          b.branch(found, b.op('i32.and', [isCurrent, b.op('i32.lt_s', [word, this.i32(0)])]))
        })
      }
      // finding a block that the jump cache does not have is left to the run loop, which can execute it whatever it is
      lookUp(b, this.vcpu, rip, this.jumpPlace, () => this.toRunLoop())
      const word = b.load('i32.load', b.get(this.jumpPlace), L.JUMP_CACHE + L.JUMP_WORD)
      b.if(b.op('i32.ge_s', [word, this.i32(0)]), () => this.toRunLoop())
      b.set(this.entry, word)
      const any = b.op('i32.and', [b.op('i32.shr_u', [spread, this.i32(ANY_WAY_SHIFT)]), this.i32(NEXT_LINE_BYTES - L.NEXT_WAY_BYTES)])
      b.set(this.way, b.op('i32.add', [b.get(this.ways), any]))
      b.effect('i64.store', [b.get(this.way), linear], L.NEXT_REGIONS)
      b.effect('i32.store', [b.get(this.way), epoch], L.NEXT_REGIONS + L.NEXT_EPOCH)
      b.effect('i32.store', [b.get(this.way), word], L.NEXT_REGIONS + L.NEXT_WORD)
    })
  }

  /** The ways that are usually taken come first in the end. */
  private putFirst(): void {
    const { b } = this
    for (const half of [L.NEXT_REGIONS, L.NEXT_REGIONS + 8]) {
      const taken = b.load('i64.load', b.get(this.way), half)
      b.effect('i64.store', [b.get(this.way), b.load('i64.load', b.get(this.ways), half)], half)
      b.effect('i64.store', [b.get(this.ways), taken], half)
    }
  }

  /** Remembers that the run went from a region to that of `entry`. */
  private sample(left: Value, linear: Value): void {
    const { b } = this
    const entered = b.get(this.entry)
    this.count(entered, L.REGION_SAMPLE)
    const before = b.load('i32.load', this.i32(0), L.REGION_WAYS_NEXT)
    const at = b.op('i32.mul', [b.op('i32.and', [before, this.i32(L.REGION_WAYS_MAX - 1)]), this.i32(L.REGION_WAY_BYTES)])
    b.effect('i32.store', [at, left], L.REGION_WAYS)
    b.effect('i32.store', [at, entered], L.REGION_WAYS + 4)
    b.effect('i64.store', [at, linear], L.REGION_WAYS + 8)
    b.effect('i32.store', [this.i32(0), b.op('i32.add', [before, this.i32(1)])], L.REGION_WAYS_NEXT)
  }

  private count(word: Value, times: number): void {
    const { b } = this
    const at = b.op('i32.shl', [b.op('i32.and', [word, this.i32(L.ENTRY_SLOT_MASK)]), this.i32(2)])
    b.effect('i32.store', [at, b.op('i32.add', [b.load('i32.load', at, L.REGION_COUNTS), this.i32(times)])], L.REGION_COUNTS)
  }

  private toRunLoop(): void {
    this.b.return(this.i32(L.STATUS_JUMP))
  }

  private i32(n: number): Value {
    return this.b.constant('i32', n)
  }
}
