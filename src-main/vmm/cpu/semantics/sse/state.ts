/**
 * FXSAVE/FXRSTOR, XSAVE/XRSTOR for the x87 and SSE components, LDMXCSR/STMXCSR. The image is put together in the vCPU's scratch area and
 * copied word by word; a bitmap of 64-bit words says which of them an instruction moves. SDM volume 1, sections 10.5 and 13.4 to 13.9.
 */
import { CODE_MODE, MXCSR, REG_CR0, REG_CR4, REG_XCR0, SIMD_EXTRA } from '../../layout'
import type { Emitter, SegmentedAddress, Semantics, SemanticsTable, Value } from '../emitter'
import { GP, RAX, UD } from '../values'
import { guarded } from './availability'

const CR0_TS = 8
const CR0_EM_TS = 0xc
const CR4_OSXSAVE = 0x40000
const NM = 7
const CODE_MODE_64 = 2

/** Words of the image: control and pointers, ST(0)..ST(7). */
const X87_WORDS = 0xffff7n
/** MXCSR and its mask. */
const MXCSR_WORD = 8n
/** XMM0..XMM7, and XMM8..XMM15 in 64-bit mode. */
const XMM_LOW_WORDS = 0xffffn << 20n
const XMM_HIGH_WORDS = 0xffffn << 36n
/** The last word of the area: access to all of it is checked, though not all is written. */
const LAST_WORD = 63

const X87 = 1
const SSE = 2
const HEADER = 512

const at = (m: Emitter, base: SegmentedAddress, offset: number | Value): SegmentedAddress => ({
  segment: base.segment,
  offset: m.add(base.offset, typeof offset === 'number' ? m.i64(offset) : offset),
})

const xmmWords = (m: Emitter): Value =>
  m.select(m.eq(m.loadState('i32', CODE_MODE), m.i32(CODE_MODE_64)), m.i64(XMM_LOW_WORDS | XMM_HIGH_WORDS), m.i64(XMM_LOW_WORDS))

/** Runs `body` with the index (i32) of each word in the bitmap. */
const forWords = (m: Emitter, words: Value, body: (index: Value) => void): void => {
  const rest = m.variable(words)
  m.loop((again) => {
    const bits = m.get(rest)
    m.if(m.ne(bits, m.i64(0)), () => {
      body(m.wrap(m.ctz(bits)))
      m.set(rest, m.and(bits, m.sub(bits, m.i64(1))))
    })
    again(m.ne(m.get(rest), m.i64(0)))
  })
}
const store = (m: Emitter, base: SegmentedAddress, words: Value): void => {
  forWords(m, words, (index) => {
    const offset = m.shl(index, m.i32(3))
    m.store(8, at(m, base, m.zext(offset)), m.loadStateAt('i64', offset, SIMD_EXTRA))
  })
}
const load = (m: Emitter, base: SegmentedAddress, words: Value): void => {
  forWords(m, words, (index) => {
    const offset = m.shl(index, m.i32(3))
    m.storeStateAt(offset, SIMD_EXTRA, m.load(8, at(m, base, m.zext(offset))))
  })
}

const alignedOperand = (m: Emitter, bytes: number, alignment: number, intent: 'read' | 'write'): SegmentedAddress => {
  const base = m.memoryOperand()
  // Its first bytes against the limit, then the alignment, then the rest against the limit: as the processor here orders them.
  const linear = m.linear(base, 4, intent)
  m.if(m.ne(m.and(m.wrap(linear), m.i32(alignment - 1)), m.i32(0)), () => {
    m.raise(GP, 0)
  })
  m.linear(base, bytes, intent)
  return base
}
const requireFpu = (m: Emitter, blockers: number): void => {
  m.if(m.ne(m.and(m.loadState('i32', REG_CR0), m.i32(blockers)), m.i32(0)), () => {
    m.raise(NM)
  })
}
const wide = (m: Emitter): Value => m.i32(m.size === 8 ? 1 : 0)

const fxsave: Semantics = (m) => {
  requireFpu(m, CR0_EM_TS)
  const base = alignedOperand(m, 512, 16, 'write')
  // both pages it may touch, before anything is written
  m.reference(8, base)
  m.reference(8, at(m, base, LAST_WORD * 8))
  m.call('fpuStoreImage', wide(m))
  store(m, base, m.or(xmmWords(m), m.i64(X87_WORDS | MXCSR_WORD)))
}

const imageLoaded = (m: Emitter): void => {
  m.changed('mxcsr-special')
  m.changed('mxcsr-unmasked')
  m.changed('x87-blocked')
  m.changed('x87-special')
}

const fxrstor: Semantics = (m) => {
  requireFpu(m, CR0_EM_TS)
  const base = alignedOperand(m, 512, 16, 'read')
  const words = m.or(xmmWords(m), m.i64(X87_WORDS | MXCSR_WORD))
  load(m, base, words)
  m.load(8, at(m, base, LAST_WORD * 8))
  m.helper('fpuCheckImage')
  m.call('fpuLoadImage', wide(m), words)
  imageLoaded(m)
}

/** XCR0 & EDX:EAX: the components asked for (only x87 and SSE exist). */
const requested = (m: Emitter): Value => m.and(m.and(m.gpr(RAX, 4), m.loadState('i32', REG_XCR0)), m.i32(X87 | SSE))

const requireXsave = (m: Emitter): void => {
  m.if(m.eqz(m.and(m.loadState('i32', REG_CR4), m.i32(CR4_OSXSAVE))), () => {
    m.raise(UD)
  })
  requireFpu(m, CR0_TS)
}
/** Words of the components in a mask of X87 and SSE (i32); MXCSR goes with SSE. */
const componentWords = (m: Emitter, components: Value): Value =>
  m.or(
    m.select(m.and(components, m.i32(X87)), m.i64(X87_WORDS), m.i64(0)),
    m.select(m.and(components, m.i32(SSE)), m.or(xmmWords(m), m.i64(MXCSR_WORD)), m.i64(0)),
  )

/** XSAVE, and XSAVEOPT without its optimizations: both components always count as in use and modified. */
const xsave: Semantics = (m) => {
  requireXsave(m)
  const base = alignedOperand(m, HEADER + 64, 64, 'write')
  const components = requested(m)
  m.reference(8, base)
  const states = m.reference(8, at(m, base, HEADER))
  const present = m.or(states.load(), m.zext(components))
  m.call('fpuStoreImage', wide(m))
  store(m, base, componentWords(m, components))
  states.store(present)
}

const xrstor: Semantics = (m) => {
  requireXsave(m)
  const base = alignedOperand(m, HEADER + 64, 64, 'read')
  const components = requested(m)
  const states = m.load(8, at(m, base, HEADER))
  const unknown = m.and(states, m.not(m.loadState('i64', REG_XCR0)))
  // compacted form and reserved header bytes 8..23
  const reserved = m.or(m.load(8, at(m, base, HEADER + 8)), m.load(8, at(m, base, HEADER + 16)))
  m.if(m.ne(m.or(unknown, reserved), m.i64(0)), () => {
    m.raise(GP, 0)
  })
  const loaded = m.and(components, m.wrap(states))
  // MXCSR comes from memory even when the rest of SSE takes its initial state
  const mxcsr = m.select(m.and(components, m.i32(SSE)), m.i64(MXCSR_WORD), m.i64(0))
  const words = m.or(componentWords(m, loaded), mxcsr)
  load(m, base, words)
  m.if(m.ne(mxcsr, m.i64(0)), () => {
    m.helper('fpuCheckImage')
  })
  const initial = componentWords(m, m.xor(components, loaded))
  m.call('fpuInitialize', m.and(initial, m.i64(~MXCSR_WORD)))
  m.call('fpuLoadImage', wide(m), words)
  imageLoaded(m)
}

const ldmxcsr: Semantics = (m) => {
  m.helper('sseLoadMxcsr', m.read(0))
  m.changed('mxcsr-special')
  m.changed('mxcsr-unmasked')
}
const stmxcsr: Semantics = (m) => {
  m.write(0, m.loadState('i32', MXCSR))
}

export const stateSemantics: SemanticsTable = { fxsave, fxrstor, xsave, xsaveopt: xsave, xrstor, ...guarded({ ldmxcsr, stmxcsr }) }
