/**
 * Conditions that hold over many instructions: whether an extension is off, whether MXCSR asks for anything out of the ordinary. Each is an i32 that is
 * 0 in the usual case; anything else means "look closer", so a value that is too careful is still right. A meaning asks by Emitter.invariant() and says
 * by Emitter.changed() when it may have changed one. Control registers change only in instructions that end a block.
 */
import { FPU_CW, FPU_SW, MXCSR, REG_CR0, REG_CR4 } from '../layout'
import type { Arithmetic, Emitter, Value } from './emitter'

export type InvariantName = 'sse-blocked' | 'x87-blocked' | 'x87-special' | 'mxcsr-special' | 'mxcsr-unmasked'

const CR0_EM_TS = 0xc
const CR4_OSFXSR = 0x200
const SW_ES = 0x80
/** PE masked, 64 bits of precision, rounding to nearest. */
const CW_LOOKED_AT = 0xf20
const CW_PLAIN = 0x320
/** All exceptions masked, rounding to nearest, PE set. FZ and DAZ do not matter to numbers far from denormal ones. */
const MXCSR_LOOKED_AT = 0x7fa0
const MXCSR_PLAIN = 0x1fa0
const MXCSR_MASKS = 0x1f80

type State = Arithmetic & Pick<Emitter, 'loadState'>

export const INVARIANTS: Readonly<Record<InvariantName, (m: State) => Value>> = {
  'sse-blocked': (m) =>
    m.or(
      m.and(m.loadState('i32', REG_CR0), m.i32(CR0_EM_TS)),
      m.and(m.xor(m.loadState('i32', REG_CR4), m.i32(CR4_OSFXSR)), m.i32(CR4_OSFXSR)),
    ),
  // a region is left when an exception becomes pending
  'x87-blocked': (m) => m.or(m.and(m.loadState('i32', REG_CR0), m.i32(CR0_EM_TS)), m.and(m.loadState('i32', FPU_SW), m.i32(SW_ES))),
  'x87-special': (m) => m.xor(m.and(m.loadState('i32', FPU_CW), m.i32(CW_LOOKED_AT)), m.i32(CW_PLAIN)),
  'mxcsr-special': (m) => m.xor(m.and(m.loadState('i32', MXCSR), m.i32(MXCSR_LOOKED_AT)), m.i32(MXCSR_PLAIN)),
  'mxcsr-unmasked': (m) => m.xor(m.and(m.loadState('i32', MXCSR), m.i32(MXCSR_MASKS)), m.i32(MXCSR_MASKS)),
}
