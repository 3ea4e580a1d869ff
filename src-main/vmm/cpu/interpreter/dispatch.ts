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
const JUMP_CACHE_FOLD = 12
const ENTRY_SELECTOR_MASK = 0x7fff
/** From the first record back to BLOCK_ENTRY. */
export const ENTRY_BEFORE_RECORD: number = L.BLOCK_HEADER_BYTES - L.BLOCK_ENTRY

/** (vcpu, selector) -> STATUS_*. */
export const REGION_SIGNATURE: Signature = { params: ['i32', 'i32'], results: ['i32'] }

/**
 * Sets `place` to the jump cache's entry of the block at CS:`unmasked` (JUMP_CACHE must be added); `missing`: it has none, and `place` is where it would be
 * put. An address has two places: its slot, and the neighbour, which has what was in the slot before. Returns the address, masked to the mode.
 */
export function lookUp(b: FunctionBuilder, vcpu: Value, unmasked: Value, place: Variable, missing: (rip: Value) => void): Value {
  const mask = b.load('i64.load', vcpu, L.LINEAR_MASK)
  const rip = b.op('i64.and', [unmasked, mask])
  const base = b.load('i64.load', vcpu, L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_EFFECTIVE_BASE)
  const linear = b.op('i64.and', [b.op('i64.add', [rip, base]), mask])
  const low = b.op('i32.wrap_i64', [linear])
  const hash = b.op('i32.xor', [low, b.op('i32.shr_u', [low, b.constant('i32', JUMP_CACHE_FOLD)])])
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
 */
export function buildDispatch(): FunctionBuilder {
  const b = new FunctionBuilder('dispatch', ['i32', 'i32'], ['i32'])
  const i32 = (n: number): Value => b.constant('i32', n)
  const vcpu = b.param(0)
  const entry = b.variable('i32', b.param(1))
  const place = b.variable('i32')
  const count = (word: Value, times: number): void => {
    const at = b.op('i32.shl', [b.op('i32.and', [word, i32(L.ENTRY_SLOT_MASK)]), i32(2)])
    b.effect('i32.store', [at, b.op('i32.add', [b.load('i32.load', at, L.REGION_COUNTS), i32(times)])], L.REGION_COUNTS)
  }
  count(b.param(1), 1)
  b.loop((next) => {
    const word = b.get(entry)
    const slot = b.op('i32.and', [word, i32(L.ENTRY_SLOT_MASK)])
    const selector = b.op('i32.and', [b.op('i32.shr_u', [word, i32(L.ENTRY_SELECTOR_SHIFT)]), i32(ENTRY_SELECTOR_MASK)])
    const status = b.callIndirect(slot, REGION_SIGNATURE, [vcpu, selector])
    b.if(b.op('i32.ne', [status, i32(L.STATUS_JUMP)]), () => b.return(status))
    const attention = b.load('i32.load', vcpu, L.ATTENTION)
    b.if(attention, () => b.if(unmaskedAttention(b, vcpu, attention), () => b.return(i32(L.STATUS_JUMP))))
    // finding a block that the jump cache does not have is left to the run loop, which can execute it whatever it is
    const rip = lookUp(b, vcpu, b.load('i64.load', vcpu, L.REG_RIP), place, () => b.return(i32(L.STATUS_JUMP)))
    const found = b.load('i32.load', b.get(place), L.JUMP_CACHE + L.JUMP_WORD)
    b.if(b.op('i32.ge_s', [found, i32(0)]), () => b.return(i32(L.STATUS_JUMP)))
    const spread = b.op('i32.mul', [b.load('i32.load', vcpu, L.BUDGET), i32(SPREAD | 0)])
    b.if(b.op('i32.lt_u', [spread, i32(2 ** 32 / L.REGION_SAMPLE)]), () => {
      count(found, L.REGION_SAMPLE)
      const before = b.load('i32.load', i32(0), L.REGION_WAYS_NEXT)
      const way = b.op('i32.mul', [b.op('i32.and', [before, i32(L.REGION_WAYS_MAX - 1)]), i32(L.REGION_WAY_BYTES)])
      b.effect('i32.store', [way, word], L.REGION_WAYS)
      b.effect('i32.store', [way, found], L.REGION_WAYS + 4)
      b.effect('i64.store', [way, b.load('i64.load', b.get(place), L.JUMP_CACHE)], L.REGION_WAYS + 8)
      b.effect('i32.store', [i32(0), b.op('i32.add', [before, i32(1)])], L.REGION_WAYS_NEXT)
    })
    b.set(entry, found)
    b.effect('i64.store', [vcpu, rip], L.REG_RIP)
    b.branch(next)
  })
  return b
}
