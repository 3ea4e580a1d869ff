/** Compares what two engines made of a case; the differences in words, or nothing. */
import {
  DATA_BASE,
  DATA_PAGES,
  FX_CONTROL,
  FX_MXCSR,
  FX_ST,
  FX_STATUS,
  FX_TAGS,
  FX_XMM,
  NO_END_VECTOR,
  PAGE_BYTES,
  STACK_BASE,
  STATE_ADDRESS,
  STATE_BYTES,
  STATE_ERROR,
  STATE_FX,
  STATE_GPR,
  STATE_RFLAGS,
  STATE_RIP,
  STATE_VECTOR,
  STATE_WORDS,
  codeSegmentBase,
} from './diff-engine'
import type { DiffCase, Outcome } from './diff-engine'

const GPR_NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15']
const ERROR_CODE_VECTORS = new Set([8, 10, 11, 12, 13, 14, 17])
const PAGE_FAULT = 14
/** The status flags, DF, IF, IOPL, NT and AC. */
const COMPARED_FLAGS = 0x47ed5
const ERROR_PRESENT = 1
/** The last page below 2^47 counts as one of the kernel's. */
const KERNEL_ADDRESSES = (1n << 47n) - 0x1000n

/** Computed by the processor's own approximations: results may differ in the last places, and C1 and PE with them. */
export const TRANSCENDENTAL: ReadonlySet<string> = new Set(['fsin', 'fcos', 'fsincos', 'fptan', 'fpatan', 'f2xm1', 'fyl2x', 'fyl2xp1'])
const TRANSCENDENTAL_ULPS = 4n
const STATUS_C1_AND_PE = 0x220
/** RCPPS and the like: the manual bounds the relative error by 1.5 * 2^-12. */
export const APPROXIMATE: ReadonlySet<string> = new Set(['rcpps', 'rcpss', 'rsqrtps', 'rsqrtss'])
const SMALLEST_NORMAL = 2 ** -126
const APPROXIMATE_ERROR = 1.5 * 2 ** -11

/** Several accesses, which processors make in an order of their own. */
const SEVERAL_ACCESSES: ReadonlySet<string> = new Set(['fxsave', 'fxrstor', 'fnsave', 'frstor', 'fnstenv', 'fldenv', 'cmps'])

/** AMD's misaligned mode, which Vitrine's processor lacks. */
const MXCSR_MISALIGNED = 0x20000

/** CMPS with two bad addresses: which is met first differs even between forms of the instruction. */
const eitherFault = ({ steps }: DiffCase, rip: number, vector: number, other: number): boolean =>
  ACCESS_FAULTS.has(vector) &&
  ACCESS_FAULTS.has(other) &&
  vector !== other &&
  steps.some(({ at, operation }) => at === rip && operation === 'cmps')
const ACCESS_FAULTS: ReadonlySet<number> = new Set([12, 13, 14])

const hex = (value: bigint | number): string => value.toString(16)

export const compareOutcomes = (one: DiffCase, expected: Outcome, actual: Outcome): readonly string[] => {
  const differences: string[] = []
  const a = new DataView(expected.state.buffer, expected.state.byteOffset)
  const b = new DataView(actual.state.buffer, actual.state.byteOffset)
  const differ = (what: string, x: bigint | number, y: bigint | number): void => {
    if (x !== y) differences.push(`${what}: ${hex(x)} expected, ${hex(y)} found`)
  }
  const vector = a.getUint32(STATE_VECTOR, true)
  const rip = a.getBigUint64(STATE_RIP, true)
  /** Linear address at which the case stopped. */
  const at = Number(rip) + codeSegmentBase(one.mode, one.address)
  if (vector === NO_END_VECTOR || a.getUint32(STATE_FX + FX_MXCSR, true) & MXCSR_MISALIGNED) return []
  if (eitherFault(one, at, vector, b.getUint32(STATE_VECTOR, true))) return []
  differ('vector', vector, b.getUint32(STATE_VECTOR, true))
  differ('rip', rip, b.getBigUint64(STATE_RIP, true))
  const inOrder = !one.steps.some(({ operation }) => SEVERAL_ACCESSES.has(operation))
  if (differences.length === 0 && ERROR_CODE_VECTORS.has(vector)) {
    const address = a.getBigUint64(STATE_ADDRESS, true)
    // Linux reports every fault at a kernel address as one of protection
    const hidden = vector === PAGE_FAULT && (address >= KERNEL_ADDRESSES || !inOrder) ? ERROR_PRESENT : 0
    differ('error code', a.getUint32(STATE_ERROR, true) | hidden, b.getUint32(STATE_ERROR, true) | hidden)
    if (vector === PAGE_FAULT && inOrder) differ('cr2', address, b.getBigUint64(STATE_ADDRESS, true))
  }
  const long = one.mode === 64
  // a POPA that faults has restored some of the registers already, which ones differs
  const partial = ACCESS_FAULTS.has(vector) && one.steps.some((step) => step.at === at && step.operation === 'popa')
  for (let i = 0; i < (partial ? 0 : long ? 16 : 8); i++) {
    const x = a.getBigUint64(STATE_GPR + i * 8, true)
    const y = b.getBigUint64(STATE_GPR + i * 8, true)
    differ(GPR_NAMES[i] as string, long ? x : x & 0xffffffffn, long ? y : y & 0xffffffffn)
  }
  const mask = COMPARED_FLAGS & ~undefinedFlagsAt(one, at)
  differ('rflags', a.getUint32(STATE_RFLAGS, true) & mask, b.getUint32(STATE_RFLAGS, true) & mask)
  compareFx(one, new DataView(a.buffer, a.byteOffset + STATE_FX, 512), new DataView(b.buffer, b.byteOffset + STATE_FX, 512), differ)
  compareMemory(one, expected, actual, differ)
  return differences
}

/** Two engines of ours have to agree in every bit. */
export const compareExactly = (one: DiffCase, expected: Outcome, actual: Outcome): readonly string[] => {
  const differences: string[] = []
  const a = new DataView(expected.state.buffer, expected.state.byteOffset, STATE_BYTES)
  const b = new DataView(actual.state.buffer, actual.state.byteOffset, STATE_BYTES)
  for (let at = 0; at < STATE_BYTES; at += 4) {
    if (at === STATE_WORDS || a.getUint32(at, true) === b.getUint32(at, true)) continue
    differences.push(`${fieldName(at)}: ${hex(a.getUint32(at, true))} expected, ${hex(b.getUint32(at, true))} found`)
  }
  compareMemory({ ...one, steps: [] }, expected, actual, (what, x, y) => {
    if (x !== y) differences.push(`${what}: ${hex(x)} expected, ${hex(y)} found`)
  })
  const [x, y] = [expected.internal ?? [], actual.internal ?? []]
  const first = x.findIndex((value, i) => value !== y[i])
  if (first >= 0 || x.length !== y.length) {
    differences.push(`${first < INTERNAL_FIELDS && first >= 0 ? `retired and x87 pointers [${first}]` : `stop ${first - INTERNAL_FIELDS}`}: ${x[first]} expected, ${y[first]} found`)
  }
  return differences
}

/** Outcome.internal begins with these; what follows are stops. */
const INTERNAL_FIELDS = 8

const fieldName = (at: number): string => {
  if (at < STATE_RIP) return `${GPR_NAMES[at >> 3]}${at & 4 ? ' high' : ''}`
  if (at >= STATE_FX + FX_XMM) return `xmm${(at - STATE_FX - FX_XMM) >> 4} dword ${((at - STATE_FX - FX_XMM) >> 2) & 3}`
  if (at >= STATE_FX + FX_ST) return `st${(at - STATE_FX - FX_ST) >> 4} dword ${((at - STATE_FX - FX_ST) >> 2) & 3}`
  return FIELD_NAMES[at] ?? (at >= STATE_FX ? `fx+${at - STATE_FX}` : `state+${at}`)
}
const FIELD_NAMES: Readonly<Record<number, string>> = {
  [STATE_RIP]: 'rip',
  [STATE_RFLAGS]: 'rflags',
  [STATE_VECTOR]: 'vector',
  [STATE_ERROR]: 'error code',
  [STATE_ADDRESS]: 'cr2',
  [STATE_FX]: 'fcw and fsw',
  [STATE_FX + FX_TAGS]: 'ftw',
  [STATE_FX + FX_MXCSR]: 'mxcsr',
}

type Differ = (what: string, x: bigint | number, y: bigint | number) => void

/** The flags that the instructions before `rip` left undefined; after a jump, all that any left. */
const undefinedFlagsAt = ({ steps, address, code }: DiffCase, rip: number): number => {
  if (rip === address + code.length) return steps.at(-1)?.undefinedFlags ?? 0
  const index = steps.findIndex(({ at }) => at === rip)
  if (index >= 0) return index === 0 ? 0 : (steps[index - 1]?.undefinedFlags ?? 0)
  return steps.reduce((all, { undefinedFlags }) => all | undefinedFlags, 0)
}

const compareFx = (one: DiffCase, a: DataView, b: DataView, differ: Differ): void => {
  const transcendental = one.steps.some(({ operation }) => TRANSCENDENTAL.has(operation))
  const approximate = one.steps.some(({ operation }) => APPROXIMATE.has(operation))
  differ('fcw', a.getUint16(FX_CONTROL, true), b.getUint16(FX_CONTROL, true))
  const statusMask = transcendental ? 0xffff & ~STATUS_C1_AND_PE : 0xffff
  differ('fsw', a.getUint16(FX_STATUS, true) & statusMask, b.getUint16(FX_STATUS, true) & statusMask)
  differ('ftw', a.getUint8(FX_TAGS), b.getUint8(FX_TAGS))
  const mxcsrMask = approximate ? 0xffffffdf : 0xffffffff
  differ('mxcsr', (a.getUint32(FX_MXCSR, true) & mxcsrMask) >>> 0, (b.getUint32(FX_MXCSR, true) & mxcsrMask) >>> 0)
  for (let i = 0; i < 8; i++) {
    const at = FX_ST + i * 16
    const x = (BigInt(a.getUint16(at + 8, true)) << 64n) | a.getBigUint64(at, true)
    const y = (BigInt(b.getUint16(at + 8, true)) << 64n) | b.getBigUint64(at, true)
    if (transcendental && closeExtended(x, y)) continue
    differ(`st${i}`, x, y)
  }
  for (let i = 0; i < (one.mode === 64 ? 16 : 8); i++) {
    const at = FX_XMM + i * 16
    if (approximate && closeSingles(a, b, at)) continue
    const x = (a.getBigUint64(at + 8, true) << 64n) | a.getBigUint64(at, true)
    const y = (b.getBigUint64(at + 8, true) << 64n) | b.getBigUint64(at, true)
    differ(`xmm${i}`, x, y)
  }
}

/** The significand has an explicit top bit, so the distance in units of the last place needs a step over the exponent only at powers of 2. */
const closeExtended = (x: bigint, y: bigint): boolean => {
  const ordered = (v: bigint): bigint => ((v >> 64n) << 63n) | (v & 0x7fffffffffffffffn)
  const distance = ordered(x) - ordered(y)
  return distance <= TRANSCENDENTAL_ULPS && distance >= -TRANSCENDENTAL_ULPS
}

const closeSingles = (a: DataView, b: DataView, at: number): boolean => {
  for (let lane = 0; lane < 16; lane += 4) {
    if (a.getUint32(at + lane, true) === b.getUint32(at + lane, true)) continue
    const x = a.getFloat32(at + lane, true)
    const y = b.getFloat32(at + lane, true)
    // tiny results may be flushed to 0
    if (Math.abs(x) <= SMALLEST_NORMAL && Math.abs(y) <= SMALLEST_NORMAL) continue
    if (!(Math.abs(x - y) <= Math.abs(x) * APPROXIMATE_ERROR)) return false
  }
  return true
}

const compareMemory = (one: DiffCase, expected: Outcome, actual: Outcome, differ: Differ): void => {
  const ignored = one.steps.flatMap(({ ignored: ranges }) => ranges ?? [])
  const found = new Map<number, bigint>()
  for (const [index, low, high] of actual.words) found.set(index, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
  const wanted = new Map<number, bigint>()
  for (const [index, low, high] of expected.words) wanted.set(index, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
  for (const index of new Set([...wanted.keys(), ...found.keys()])) {
    const address = wordAddress(index)
    const mask = comparedBytes(address, ignored)
    if (mask === 0n) continue
    const x = wanted.get(index)
    const y = found.get(index)
    if (x === undefined || y === undefined) {
      if (mask === ALL_BYTES) differ(`memory ${hex(address)} ${x === undefined ? 'unchanged' : 'changed'} expected`, x ?? -1n, y ?? -1n)
    } else {
      differ(`memory ${hex(address)}`, x & mask, y & mask)
    }
  }
}

const ALL_BYTES = 0xffffffffffffffffn

const wordAddress = (index: number): number => {
  const stackIndex = (DATA_PAGES * PAGE_BYTES) / 8
  return index >= stackIndex ? STACK_BASE + (index - stackIndex) * 8 : DATA_BASE + index * 8
}

const comparedBytes = (address: number, ignored: readonly (readonly [number, number])[]): bigint => {
  if (ignored.length === 0) return ALL_BYTES
  let mask = 0n
  for (let i = 0; i < 8; i++) {
    const skip = ignored.some(([at, bytes]) => address + i >= at && address + i < at + bytes)
    if (!skip) mask |= 0xffn << BigInt(i * 8)
  }
  return mask
}
