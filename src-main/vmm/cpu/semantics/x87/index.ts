/**
 * x87. Arithmetic is done by core/fpu on the stack registers in the vCPU; what is said here is the order of things: availability (#NM), pending
 * exceptions (#MF), memory, instruction and operand pointers, the operation.
 *
 * FIP, FOP, FDP and their selectors are those of the last instruction that is not a control instruction; without memory operand FDP is 0 (as AMD's Zen has it).
 * With CR0.NE clear a pending exception drives FERR# (core/fpu/pending.ts).
 */
import { X87_ADD, X87_DIV, X87_DIVR, X87_MUL, X87_SUB, X87_SUBR } from '../../helpers/fpu-codes'
import { FPU_CW, REG_CR0, SCRATCH } from '../../layout'
import type { ConditionCode, Emitter, Reference, SegmentedAddress, Semantics, SemanticsTable, Value } from '../emitter'
import { arithmeticOn } from './arithmetic'
import { requireX87, x87ControlChanged } from './availability'
import { environmentSemantics } from './environment'
import { changeSign, exchange, expand, loadConstant, loadNormal, loadRegister, pop, storeRegister } from './stack'

const CR0_TS_MP = 0xa
const SW_ES = 0x80
/** Of TOP in the status word. */
const TOP_SHIFT = 11

const memoryIndex = (m: Emitter): number => m.form.operands.findIndex((operand) => operand.kind === 'mem')

/** Remembers this instruction and its operand. After the last thing that can fault. */
const track = (m: Emitter): void => m.x87.track()

/** A waiting instruction on registers alone. */
const onRegisters = (body: Semantics): Semantics => (m) => {
  requireX87(m, true)
  track(m)
  body(m)
}
const calling = (helper: string, ...args: readonly number[]): Semantics =>
  onRegisters((m) => {
    m.call(helper, ...args.map((n) => m.i32(n)))
  })
/** As calling(); what the helper does to the stack is known. `full` and `writes`: numbers of registers. */
const operating = (full: number, { writes = 0, pops = 0 }: { readonly writes?: number; readonly pops?: number }, helper: string, ...args: readonly number[]): Semantics =>
  onRegisters((m) => {
    m.x87.exactly({ full: firstOnes(m, full), writes: [m.i32(writes)], pops }, () => m.call(helper, ...args.map((n) => m.i32(n))))
  })
const firstOnes = (m: Emitter, count: number): readonly Value[] => Array.from({ length: count }, (_, i) => m.i32(i))
const pushing = (m: Emitter, exact: () => void): void => m.x87.exactly({ full: [], pushes: true }, exact)

const bytesOf = (m: Emitter): number => {
  const operand = m.form.operands[memoryIndex(m)]
  return operand?.kind === 'mem' ? operand.bytes : 0
}
const number = (m: Emitter, i: number): Value => m.registerField(i)

// ---- arithmetic ----

const betweenRegisters = (m: Emitter, op: number, pops: boolean): void => {
  const [target, source] = [number(m, 0), number(m, 1)]
  arithmeticOn(m, op, target, { register: source }, pops, () => m.call('x87Arithmetic', m.i32(op), target, source, m.i32(pops ? 1 : 0)))
}
const arithmetic = (op: number): Semantics => (m) => {
  requireX87(m, true)
  if (memoryIndex(m) < 0) {
    track(m)
    betweenRegisters(m, op, false)
    return
  }
  const value = m.read(1)
  track(m)
  arithmeticOn(m, op, m.i32(0), expand(m, value), false, () => m.call(bytesOf(m) === 8 ? 'x87ArithmeticF64' : 'x87ArithmeticF32', m.i32(op), value))
}
const arithmeticPop = (op: number): Semantics =>
  onRegisters((m) => {
    betweenRegisters(m, op, true)
  })
const arithmeticInteger = (op: number): Semantics => (m) => {
  requireX87(m, true)
  const value = m.readSigned(1, 4)
  track(m)
  m.x87.exactly({ full: [m.i32(0)], writes: [m.i32(0)] }, () => m.call('x87ArithmeticInt', m.i32(op), value))
}

const family = (name: string, op: number): SemanticsTable => ({
  [`f${name}`]: arithmetic(op),
  [`f${name}p`]: arithmeticPop(op),
  [`fi${name}`]: arithmeticInteger(op),
})

// ---- comparison ----

const compare = (quiet: boolean, pops: number): Semantics => (m) => {
  requireX87(m, true)
  if (memoryIndex(m) < 0) {
    track(m)
    const other = m.form.operands.length === 0 ? m.i32(1) : number(m, 0)
    m.x87.exactly({ full: [m.i32(0), other], pops }, () => m.call('x87Compare', other, m.i32(quiet ? 1 : 0), m.i32(pops)))
    return
  }
  const value = m.read(0)
  track(m)
  m.x87.exactly({ full: [m.i32(0)], pops }, () => m.call(bytesOf(m) === 8 ? 'x87CompareF64' : 'x87CompareF32', value, m.i32(pops)))
}
const compareInteger = (pops: number): Semantics => (m) => {
  requireX87(m, true)
  const value = m.readSigned(0, 4)
  track(m)
  m.x87.exactly({ full: [m.i32(0)], pops }, () => m.call('x87CompareInt', value, m.i32(pops)))
}
/** FCOMI and its kin set EFLAGS. */
const compareToFlags = (quiet: boolean, pops: number): Semantics =>
  onRegisters((m) => {
    const other = number(m, 0)
    m.x87.exactly({ full: [m.i32(0), other], pops }, () => {
      m.setStatusFlags(m.helper('x87CompareFlags', other, m.i32(quiet ? 1 : 0), m.i32(pops)))
    })
  })

const conditionalMove: Semantics = onRegisters((m) => {
  const condition: ConditionCode = m.form.variant
  const [top, source] = [m.i32(0), number(m, 1)]
  m.x87.exactly({ full: [top, source], writes: [top] }, () => m.call('x87ConditionalMove', m.condition(condition), source))
})

// ---- loads and stores ----

const upper = (m: Emitter): SegmentedAddress => {
  const base = m.memoryOperand()
  return { segment: base.segment, offset: m.add(base.offset, m.i64(8)) }
}

const fld: Semantics = (m) => {
  requireX87(m, true)
  const bytes = bytesOf(m)
  if (bytes === 0) {
    track(m)
    const i = number(m, 0)
    loadRegister(m, i, () => m.call('x87LoadStack', i))
  } else if (bytes === 10) {
    const low = m.load(8, m.memoryOperand())
    const high = m.load(2, upper(m))
    track(m)
    pushing(m, () => m.call('x87LoadExtended', low, high))
  } else {
    const value = m.read(0)
    track(m)
    loadNormal(m, value, () => m.call(bytes === 8 ? 'x87LoadF64' : 'x87LoadF32', value))
  }
}
/** Those that are not exact. */
const roundedConstant = (n: number): Semantics =>
  onRegisters((m) => {
    pushing(m, () => m.call('x87LoadConstant', m.i32(n)))
  })
/** The exact ones; `n`: which of the helper's. */
const constant = (n: number, sig: bigint, se: number): Semantics =>
  onRegisters((m) => {
    loadConstant(m, sig, se, () => m.call('x87LoadConstant', m.i32(n)))
  })
const sign = (clear: boolean): Semantics =>
  onRegisters((m) => {
    changeSign(m, clear, () => m.call('x87Sign', m.i32(clear ? 1 : 0)))
  })
const fild: Semantics = (m) => {
  requireX87(m, true)
  const value = m.readSigned(0, 8)
  track(m)
  pushing(m, () => m.call('x87LoadInt', value))
}
const fbld: Semantics = (m) => {
  requireX87(m, true)
  const low = m.load(8, m.memoryOperand())
  const high = m.load(2, upper(m))
  track(m)
  m.call('x87LoadBcd', low, high)
}

/** Stores what a helper made, if it may be stored, then pops. Places are checked before the helper changes anything. */
const storeValue = (m: Emitter, pops: boolean, places: readonly Reference[], values: () => readonly Value[]): void => {
  track(m)
  m.x87.exactly({ full: [m.i32(0)], pops: pops ? 1 : 0 }, () => {
    const made = values()
    m.if(m.loadState('i32', SCRATCH), () => {
      places.forEach((place, i) => {
        const value = made[i]
        if (value) place.store(value)
      })
      if (pops) pop(m)
    })
  })
}
const tenBytes = (m: Emitter): readonly Reference[] => [m.reference(8, m.memoryOperand()), m.reference(2, upper(m))]
const highPart = (m: Emitter): Value => m.and(m.loadState('i32', SCRATCH + 8), m.i32(0xffff))

const store = (pops: boolean): Semantics => (m) => {
  requireX87(m, true)
  const bytes = bytesOf(m)
  if (bytes === 0) {
    track(m)
    if (m.form.variant === 1) m.call('x87StoreUnchecked', number(m, 0))
    else {
      const i = number(m, 0)
      storeRegister(m, i, pops, () => m.call('x87StoreStack', i, m.i32(pops ? 1 : 0)))
    }
  } else if (bytes === 10) {
    storeValue(m, pops, tenBytes(m), () => {
      const low = m.helper('x87StoreExtended')
      return [low, highPart(m)]
    })
  } else {
    const place = m.reference(bytes === 8 ? 8 : 4, m.memoryOperand())
    storeValue(m, pops, [place], () => [m.helper(bytes === 8 ? 'x87StoreF64' : 'x87StoreF32')])
  }
}
const storeInteger = (pops: boolean, truncate: boolean): Semantics => (m) => {
  requireX87(m, true)
  const bytes = bytesOf(m)
  const width = bytes === 8 ? 8 : bytes === 4 ? 4 : 2
  const place = m.reference(width, m.memoryOperand())
  storeValue(m, pops, [place], () => {
    const value = m.helper('x87StoreInt', m.i32(width), m.i32(truncate ? 1 : 0))
    return [width === 8 ? value : m.truncate(value, width)]
  })
}
const fbstp: Semantics = (m) => {
  requireX87(m, true)
  storeValue(m, true, tenBytes(m), () => {
    const low = m.helper('x87StoreBcd')
    return [low, highPart(m)]
  })
}

// ---- control ----

const fwait: Semantics = (m) => {
  const off = m.eq(m.and(m.loadState('i32', REG_CR0), m.i32(CR0_TS_MP)), m.i32(CR0_TS_MP))
  m.if(m.or(off, m.and(m.x87.status(), m.i32(SW_ES))), () => {
    m.helper('x87WaitFault')
  })
}
/** The variant: what is left of the 8087's FENI and FDISI and the 80287's FSETPM, which do not wait. */
const fnop: Semantics = (m) => {
  requireX87(m, m.form.variant === 0)
}
const fninit: Semantics = (m) => {
  requireX87(m, false)
  m.call('x87Init')
  x87ControlChanged(m)
}
const fnclex: Semantics = (m) => {
  requireX87(m, false)
  m.call('x87ClearExceptions')
  x87ControlChanged(m)
}
const fldcw: Semantics = (m) => {
  requireX87(m, true)
  m.call('x87LoadControl', m.read(0))
  x87ControlChanged(m)
}
const fnstcw: Semantics = (m) => {
  requireX87(m, false)
  m.write(0, m.loadState('i32', FPU_CW))
}
const fnstsw: Semantics = (m) => {
  requireX87(m, false)
  m.write(0, m.or(m.x87.status(), m.shl(m.x87.top(), m.i32(TOP_SHIFT))))
}

export const x87Semantics: SemanticsTable = {
  ...family('add', X87_ADD), ...family('mul', X87_MUL), ...family('sub', X87_SUB),
  ...family('subr', X87_SUBR), ...family('div', X87_DIV), ...family('divr', X87_DIVR),
  fcom: compare(false, 0), fcomp: compare(false, 1), fcompp: compare(false, 2),
  fucom: compare(true, 0), fucomp: compare(true, 1), fucompp: compare(true, 2),
  ficom: compareInteger(0), ficomp: compareInteger(1),
  fcomi: compareToFlags(false, 0), fcomip: compareToFlags(false, 1), fucomi: compareToFlags(true, 0), fucomip: compareToFlags(true, 1),
  fcmovcc: conditionalMove,
  fld, fild, fbld, fbstp,
  fst: store(false), fstp: store(true),
  fist: storeInteger(false, false), fistp: storeInteger(true, false), fisttp: storeInteger(true, true),
  fxch: onRegisters((m) => {
    const i = number(m, 0)
    exchange(m, i, () => m.call('x87Exchange', i))
  }),
  ffree: onRegisters((m) => {
    m.call('x87Free', number(m, 0), m.i32(0))
  }),
  ffreep: onRegisters((m) => {
    m.call('x87Free', number(m, 0), m.i32(1))
  }),
  fchs: sign(false), fabs: sign(true), ftst: operating(1, {}, 'x87Test'), fxam: calling('x87Examine'),
  fld1: constant(0, 1n << 63n, 0x3fff), fldl2t: roundedConstant(1), fldl2e: roundedConstant(2), fldpi: roundedConstant(3),
  fldlg2: roundedConstant(4), fldln2: roundedConstant(5), fldz: constant(6, 0n, 0),
  fsqrt: operating(1, {}, 'x87SquareRoot'), frndint: operating(1, {}, 'x87RoundToInt'), fscale: operating(2, {}, 'x87Scale'), fxtract: calling('x87Extract'),
  fprem: operating(2, {}, 'x87Remainder', 0), fprem1: operating(2, {}, 'x87Remainder', 1),
  f2xm1: operating(1, {}, 'x87PowerMinusOne'), fyl2x: operating(2, { writes: 1, pops: 1 }, 'x87Log', 0), fyl2xp1: operating(2, { writes: 1, pops: 1 }, 'x87Log', 1),
  fpatan: operating(2, { writes: 1, pops: 1 }, 'x87Arctangent'),
  fptan: calling('x87Tangent'), fsin: calling('x87SineCosine', 1), fcos: calling('x87SineCosine', 2), fsincos: calling('x87SineCosine', 3),
  fincstp: calling('x87StackStep', 1), fdecstp: calling('x87StackStep', -1),
  fwait, fnop, fninit, fnclex, fldcw, fnstcw, fnstsw,
  ...environmentSemantics,
}
