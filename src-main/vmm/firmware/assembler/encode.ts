/** Turns one instruction with its operands into bytes. */
import { evaluate } from './expression'
import type { Evaluated, Expression, SymbolLookup } from './expression'
import type { InstructionForm } from './instruction-table'
import { INSTRUCTIONS, PREFIXES } from './instruction-table'
import type { MemoryOperand, Operand } from './operand'
import type { Register } from './registers'
import { Problem } from './source-error'

export type Bits = 16 | 32 | 64

export interface EncodeContext {
  readonly bits: Bits
  /** Address of the instruction. */
  readonly here: number
  readonly lookup: SymbolLookup
  /** `default rel` is in force. */
  readonly defaultRelative: boolean
  /**
   * Whether this use site (a number within the instruction) must take its wide form: set once it did not fit, and kept, so that passes
   * only ever grow and come to rest.
   */
  isWide(site: number): boolean
  setWide(site: number): void
}

/** Sites for EncodeContext.isWide: operand index for immediates and branches; this for a displacement. */
const DISPLACEMENT_SITE = 8
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]

const fitsSigned = (value: bigint, bits: number): boolean => value >= -(1n << BigInt(bits - 1)) && value < 1n << BigInt(bits - 1)
const fitsEither = (value: bigint, bits: number): boolean => value >= -(1n << BigInt(bits - 1)) && value < 1n << BigInt(bits)

function emitLittleEndian(out: number[], value: bigint, bytes: number): void {
  for (let i = 0; i < bytes; i++) out.push(Number((value >> BigInt(8 * i)) & 0xffn))
}

/** What a form's `v` stands for here: bytes; 0 while nothing said. */
class Match {
  operandBytes: 0 | 2 | 4 | 8 = 0
  unite(bytes: number): boolean {
    if (bytes !== 2 && bytes !== 4 && bytes !== 8) return false
    if (this.operandBytes !== 0 && this.operandBytes !== bytes) return false
    this.operandBytes = bytes
    return true
  }
}

function isGpr(operand: Operand, bytes: number): boolean {
  return operand.kind === 'register' && operand.register.kind === 'gpr' && operand.register.bytes === bytes
}

/** Does the sign-extended byte stand for this value at the operand's size? 0FFF0h is -10h for a word. */
function fitsSignExtendedByte(value: bigint, operandBytes: number): boolean {
  const bits = operandBytes * 8
  const signed = fitsEither(value, bits) ? BigInt.asIntN(bits, value) : value
  return fitsSigned(signed, 8)
}

function matchesImmediate(pattern: string, operand: Operand, site: number, match: Match, context: EncodeContext): boolean {
  if (operand.kind !== 'immediate') return false
  const { value, known } = evaluate(operand.value, context.lookup)
  switch (pattern) {
    case 'i8':
      return operand.bytes === 0 || operand.bytes === 1
    case 'i16':
    case 'i32':
      return true
    case 'u32':
      return !context.isWide(site) && known && value >= 0n && value < 1n << 32n && operand.bytes !== 8
    case 's32':
      return known && fitsSigned(value, 32) && operand.bytes !== 8
    case 'i64':
      return true
    case 'one':
      return known && value === 1n && operand.bytes === 0
    case 'iv': {
      const only = operand.bytes
      if (only === 1) return false
      return only === 0 || match.operandBytes !== 0 || match.unite(only)
    }
    case 's8': {
      if (operand.bytes > 1 && match.operandBytes === 0) match.unite(operand.bytes)
      if (operand.bytes === 1) return true
      if (context.isWide(site)) return false
      const bytes = match.operandBytes === 0 ? context.bits / 8 : match.operandBytes
      if (known && !fitsSignExtendedByte(value, bytes)) {
        context.setWide(site)
        return false
      }
      return true
    }
    default:
      return false
  }
}

/** [value] without registers and prefixes on it: what MOV's short form for the accumulator can take. */
function isPlainOffset(operand: MemoryOperand, context: EncodeContext): boolean {
  return operand.base === undefined && operand.index === undefined && context.bits !== 64
}

function matchesMemorySize(operand: MemoryOperand, bytes: number): boolean {
  return !operand.far && (operand.bytes === 0 || operand.bytes === bytes)
}

function matches(pattern: string, operand: Operand, site: number, match: Match, context: EncodeContext): boolean {
  const register: Register | undefined = operand.kind === 'register' ? operand.register : undefined
  switch (pattern) {
    case 'r8':
    case 'r16':
    case 'r32':
    case 'r64':
      return isGpr(operand, Number(pattern.slice(1)) / 8)
    case 'rv':
      return register?.kind === 'gpr' && register.bytes !== 1 && match.unite(register.bytes)
    case 'rm8':
    case 'rm16':
    case 'rm32':
    case 'rm64': {
      const bytes = Number(pattern.slice(2)) / 8
      return isGpr(operand, bytes) || (operand.kind === 'memory' && matchesMemorySize(operand, bytes))
    }
    case 'rmv':
      if (operand.kind === 'memory') return !operand.far && (operand.bytes === 0 || match.unite(operand.bytes))
      return register?.kind === 'gpr' && register.bytes !== 1 && match.unite(register.bytes)
    case 'm':
      return operand.kind === 'memory' && !operand.far
    case 'm16':
    case 'm32':
    case 'm64':
      return operand.kind === 'memory' && operand.bytes * 8 === Number(pattern.slice(1))
    case 'mfar':
      return operand.kind === 'memory' && operand.far
    case 'xm':
      return operand.kind === 'memory' || register?.kind === 'xmm'
    case 'xmm':
    case 'sreg':
    case 'cr':
    case 'dr':
      return register?.kind === pattern
    case 'av':
      return register?.kind === 'gpr' && register.number === 0 && register.bytes !== 1 && match.unite(register.bytes)
    case 'moffs':
      return operand.kind === 'memory' && isPlainOffset(operand, context)
    case 'rel8': {
      if (operand.kind !== 'immediate' || operand.distance === 'near') return false
      return operand.distance === 'short' || !context.isWide(site)
    }
    case 'rel':
      return operand.kind === 'immediate' && operand.distance !== 'short'
    case 'ptr':
      return operand.kind === 'pointer'
    default:
      return register !== undefined ? register.name === pattern : matchesImmediate(pattern, operand, site, match, context)
  }
}

function hasUnsizedMemory(form: InstructionForm, operands: readonly Operand[]): boolean {
  return form.operands.some((pattern, i) => {
    const operand = operands[i]
    return operand?.kind === 'memory' && operand.bytes === 0 && (pattern === 'rm8' || pattern === 'rmv' || /^rm(16|32|64)$/.test(pattern))
  })
}

/** The operand size that an unsized memory operand gets from the registers beside it is settled; alone it is ambiguous. */
function isAmbiguous(form: InstructionForm, operands: readonly Operand[], match: Match): boolean {
  if (!hasUnsizedMemory(form, operands)) return false
  if (form.mnemonic === 'jmp' || form.mnemonic === 'call' || form.mnemonic === 'nop' || form.mnemonic.startsWith('set')) return false
  // System instructions take 16 bits and nothing else.
  if (form.steps.includes('o16x')) return false
  if (form.mnemonic === 'movzx' || form.mnemonic === 'movsx') return true
  if (form.mnemonic === 'movsxd' || form.mnemonic === 'lar' || form.mnemonic === 'lsl') return false
  const settled = operands.some((operand, i) => {
    const pattern = form.operands[i]
    return operand.kind === 'register' && pattern !== 'cl' && pattern !== 'dx' && pattern !== 'sreg'
  })
  return !settled && (match.operandBytes === 0 || form.operands.includes('rm8'))
}

interface ModRm {
  readonly bytes: readonly number[]
  readonly rexX: boolean
  readonly rexB: boolean
  readonly addressPrefix: boolean
  /** RIP-relative displacement to fix once the instruction's end is known: offset of the field from the start of `bytes`. */
  readonly ripTarget: bigint | undefined
}

const BASES_16 = ['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx']

function displacementSize(
  value: Evaluated,
  operand: MemoryOperand,
  wide: 2 | 4,
  needsByte: boolean,
  context: EncodeContext,
): { readonly mod: 0 | 1 | 2; readonly bytes: 0 | 1 | 2 | 4 } {
  const signed = BigInt.asIntN(wide * 8, value.value)
  if (!context.isWide(DISPLACEMENT_SITE)) {
    if ((!operand.hasDisplacement || (value.known && signed === 0n)) && !needsByte) return { mod: 0, bytes: 0 }
    if (!value.known || fitsSigned(signed, 8)) return { mod: 1, bytes: 1 }
    context.setWide(DISPLACEMENT_SITE)
  }
  return { mod: 2, bytes: wide }
}

function encodeMemory16(operand: MemoryOperand, reg: number, context: EncodeContext): ModRm {
  const value = evaluate(operand.displacement, context.lookup)
  const bytes: number[] = []
  const names = [operand.base, operand.index].filter((r) => r !== undefined).map((r) => r.name)
  names.sort((a, b) => (a.startsWith('b') ? 0 : 1) - (b.startsWith('b') ? 0 : 1))
  if (names.length === 0) {
    bytes.push((reg << 3) | 6)
    if (value.known && !fitsEither(value.value, 16)) throw new Problem(`offset ${value.value} does not fit 16 bits`)
    emitLittleEndian(bytes, value.value, 2)
  } else {
    const rm = BASES_16.indexOf(names.join('+'))
    if (rm < 0 || operand.scale !== 1) throw new Problem(`[${names.join('+')}] is not a 16-bit address`)
    const size = displacementSize(value, operand, 2, rm === 6, context)
    bytes.push((size.mod << 6) | (reg << 3) | rm)
    emitLittleEndian(bytes, value.value, size.bytes)
  }
  return { bytes, rexX: false, rexB: false, addressPrefix: context.bits !== 16, ripTarget: undefined }
}

function encodeMemory(operand: MemoryOperand, reg: number, context: EncodeContext): ModRm {
  const registerBytes = operand.base?.bytes ?? operand.index?.bytes
  const addressBytes = registerBytes ?? (operand.addressBytes === 0 ? context.bits / 8 : operand.addressBytes)
  if (operand.base && operand.index && operand.base.bytes !== operand.index.bytes) throw new Problem('address registers of different sizes')
  if (addressBytes === 2 && context.bits === 64) throw new Problem('no 16-bit addresses in 64-bit code')
  if (addressBytes === 8 && context.bits !== 64) throw new Problem('64-bit address outside of 64-bit code')
  if (addressBytes === 1) throw new Problem('an 8-bit register in an address')
  if (addressBytes === 2) return encodeMemory16(operand, reg, context)

  const addressPrefix = addressBytes * 8 !== context.bits
  const value = evaluate(operand.displacement, context.lookup)
  const { base, index } = operand
  const rexX = index !== undefined && index.number >= 8
  const rexB = base !== undefined && base.number >= 8
  const bytes: number[] = []
  const isRip = base?.kind === 'rip'
  if (base === undefined && index === undefined) {
    const relative = context.bits === 64 && (operand.relative || (context.defaultRelative && operand.segment === undefined))
    if (relative) return { bytes: [(reg << 3) | 5], rexX, rexB, addressPrefix, ripTarget: value.value }
    if (value.known && !fitsEither(value.value, 32)) throw new Problem(`offset ${value.value} does not fit 32 bits`)
    if (context.bits === 64) bytes.push((reg << 3) | 4, 0x25)
    else bytes.push((reg << 3) | 5)
    emitLittleEndian(bytes, value.value, 4)
    return { bytes, rexX, rexB, addressPrefix, ripTarget: undefined }
  }
  if (isRip) {
    bytes.push((reg << 3) | 5)
    emitLittleEndian(bytes, value.value, 4)
    return { bytes, rexX, rexB, addressPrefix, ripTarget: undefined }
  }
  if (index !== undefined && index.number === 4) throw new Problem(`${index.name} cannot be an index`)
  const scaleBits = [0, 1, 2, 4, 8].indexOf(operand.scale) - 1
  if (base === undefined) {
    bytes.push((reg << 3) | 4, (scaleBits << 6) | (((index?.number ?? 4) & 7) << 3) | 5)
    emitLittleEndian(bytes, value.value, 4)
    return { bytes, rexX, rexB, addressPrefix, ripTarget: undefined }
  }
  const size = displacementSize(value, operand, 4, (base.number & 7) === 5, context)
  if (index !== undefined || (base.number & 7) === 4) {
    bytes.push((size.mod << 6) | (reg << 3) | 4, (scaleBits << 6) | (((index?.number ?? 4) & 7) << 3) | (base.number & 7))
  } else bytes.push((size.mod << 6) | (reg << 3) | (base.number & 7))
  emitLittleEndian(bytes, value.value, size.bytes)
  return { bytes, rexX, rexB, addressPrefix, ripTarget: undefined }
}

function immediateBytes(step: string, operandBytes: number): number {
  switch (step) {
    case 'ib':
      return 1
    case 'iw':
      return 2
    case 'id':
      return 4
    case 'iq':
      return 8
    default:
      return Math.min(operandBytes, 4)
  }
}

function pushImmediate(out: number[], expression: Expression, bytes: number, context: EncodeContext): void {
  const { value, known } = evaluate(expression, context.lookup)
  if (known && !fitsEither(value, bytes * 8)) throw new Problem(`${value} does not fit ${bytes * 8} bits`)
  emitLittleEndian(out, value, bytes)
}

function operandBytesOf(form: InstructionForm, match: Match, operands: readonly Operand[], prefixes: readonly string[], bits: Bits): number {
  const { steps } = form
  if (steps.includes('o16')) return 2
  if (steps.includes('o32')) return 4
  if (steps.includes('o64')) return 8
  if (prefixes.includes('o16')) return 2
  if (prefixes.includes('o32')) return 4
  if (prefixes.includes('o64')) return 8
  if (match.operandBytes !== 0) return match.operandBytes
  const pointer = operands.find((operand) => operand.kind === 'pointer' || (operand.kind === 'memory' && operand.far))
  if (pointer !== undefined && pointer.kind !== 'register' && (pointer.bytes === 2 || pointer.bytes === 4)) return pointer.bytes
  if (steps.includes('d64') && bits === 64) return 8
  const usesSize = form.operands.some((pattern) => pattern.endsWith('v'))
  return bits === 16 ? 2 : usesSize && steps.includes('d64') && bits === 64 ? 8 : 4
}

/** Is this a form whose operand size shows in a prefix at all? */
function hasOperandSize(form: InstructionForm): boolean {
  if (form.steps.includes('o16x')) return false
  if (form.steps.some((step) => step === 'o16' || step === 'o32' || step === 'o64')) return true
  return form.operands.some((pattern) => pattern.endsWith('v') || pattern === 's8' || pattern === 'rel' || pattern === 'ptr' || pattern === 'mfar')
}

function encodeForm(form: InstructionForm, match: Match, operands: readonly Operand[], prefixes: readonly string[], context: EncodeContext): number[] {
  const { bits } = context
  const { steps } = form
  if (steps.includes('no64') && bits === 64) throw new Problem(`${form.mnemonic} does not exist in 64-bit code`)
  if (steps.includes('only64') && bits !== 64) throw new Problem(`${form.mnemonic} exists in 64-bit code only`)
  const operandBytes = operandBytesOf(form, match, operands, prefixes, bits)
  const forced = prefixes.some((p) => p === 'o16' || p === 'o32' || p === 'o64')
  const sized = hasOperandSize(form) || forced
  if (sized && operandBytes === 8 && bits !== 64) throw new Problem('64-bit operand outside of 64-bit code')

  const registers = operands.flatMap((operand) => (operand.kind === 'register' ? [operand.register] : []))
  if (bits !== 64 && registers.some((r) => r.bytes === 8)) throw new Problem('64-bit register outside of 64-bit code')
  const opcode: number[] = []
  let tail: number[] = []
  let rex = 0
  let addressPrefix = steps.includes('a16') ? bits !== 16 : steps.includes('a32') ? bits !== 32 : false
  if (prefixes.includes('a16') && bits !== 16) addressPrefix = true
  if (prefixes.includes('a32') && bits !== 32) addressPrefix = true
  let ripTarget: bigint | undefined
  let ripField = 0
  const mandatory: number[] = []
  let segment: Register | undefined
  const memory = operands.find((operand) => operand.kind === 'memory')
  if (memory !== undefined) segment = memory.segment

  const patternIndex = (test: (pattern: string) => boolean): number => form.operands.findIndex(test)
  const registerAt = (i: number): number => {
    const operand = operands[i]
    return operand?.kind === 'register' ? operand.register.number : 0
  }
  const emitModRm = (rm: Operand | undefined, reg: number): void => {
    if (reg >= 8) rex |= 4
    if (rm?.kind === 'register') {
      if (rm.register.number >= 8) rex |= 1
      tail.push(0xc0 | ((reg & 7) << 3) | (rm.register.number & 7))
    } else if (rm?.kind === 'memory') {
      const encoded = encodeMemory(rm, reg & 7, context)
      if (encoded.rexX) rex |= 2
      if (encoded.rexB) rex |= 1
      if (encoded.addressPrefix) addressPrefix = true
      tail.push(...encoded.bytes)
      if (encoded.ripTarget !== undefined) {
        ripTarget = encoded.ripTarget
        ripField = tail.length
        tail.push(0, 0, 0, 0)
      }
    } else throw new Problem('this operand cannot be encoded')
  }
  // The operand that goes into ModRM.rm: the one whose pattern says memory or "rm"; CR/DR moves use the general register.
  const rmIndex = ((): number => {
    const explicit = patternIndex((p) => p.startsWith('rm') || p === 'm' || /^m\d/.test(p) || p === 'mfar' || p === 'xm')
    if (explicit >= 0) return explicit
    const special = patternIndex((p) => p === 'cr' || p === 'dr' || p === 'sreg')
    return special >= 0 ? 1 - special : 0
  })()
  let immediateIndex = 0
  const nextImmediate = (): { readonly expression: Expression; readonly site: number } => {
    for (; immediateIndex < operands.length; immediateIndex++) {
      const operand = operands[immediateIndex]
      if (operand?.kind === 'immediate') return { expression: operand.value, site: immediateIndex++ }
    }
    throw new Problem('an immediate is missing')
  }

  for (const step of steps) {
    if (/^[0-9a-f]{2}$/.test(step)) {
      const byte = parseInt(step, 16)
      const isMandatory = opcode.length === 0 && (byte === 0xf2 || byte === 0xf3 || byte === 0x66) && steps.length > 1 && steps.includes('0f')
      if (isMandatory) mandatory.push(byte)
      else opcode.push(byte)
    } else if (step === '+r') {
      const i = patternIndex((p) => p === 'r8' || p === 'r16' || p === 'r32' || p === 'r64' || p === 'rv')
      const number = registerAt(i)
      if (number >= 8) rex |= 1
      opcode.push((opcode.pop() ?? 0) | (number & 7))
    } else if (step === '/r') {
      const i = operands.findIndex((operand, at) => at !== rmIndex && operand.kind === 'register')
      emitModRm(operands[rmIndex], registerAt(i))
    } else if (step === '/rr') emitModRm(operands[0], registerAt(0))
    else if (/^\/[0-7]$/.test(step)) emitModRm(operands[rmIndex], Number(step.charAt(1)))
    else if (step === 'moffs') {
      if (memory === undefined) throw new Problem('an address is missing')
      const addressBytes = memory.addressBytes === 0 ? bits / 8 : memory.addressBytes
      if (addressBytes * 8 !== bits) addressPrefix = true
      pushImmediate(tail, memory.displacement, addressBytes, context)
    } else if (step === 'ib' || step === 'iw' || step === 'id' || step === 'iq' || step === 'iv') {
      const { expression } = nextImmediate()
      const bytes = immediateBytes(step, operandBytes)
      const { value, known } = evaluate(expression, context.lookup)
      const isShortened = step === 'ib' && form.operands.includes('s8')
      if (known && isShortened && fitsSignExtendedByte(value, operandBytes)) emitLittleEndian(tail, value, 1)
      else if (known && step === 'iv' && operandBytes === 8 && fitsEither(value, 64)) {
        const signed = BigInt.asIntN(64, value)
        if (!fitsSigned(signed, 32)) throw new Problem(`${value} does not fit 32 sign-extended bits`)
        emitLittleEndian(tail, signed, 4)
      } else pushImmediate(tail, expression, bytes, context)
    } else if (step === 'rel8' || step === 'rel') tail.push(...new Array<number>(step === 'rel8' ? 1 : operandBytes === 2 ? 2 : 4).fill(0))
    else if (step === 'ptr') {
      const pointer = operands[0]
      if (pointer?.kind !== 'pointer') throw new Problem('a far pointer is missing')
      pushImmediate(tail, pointer.offset, operandBytes, context)
      pushImmediate(tail, pointer.segment, 2, context)
    }
  }

  const defaultsTo64 = steps.includes('d64')
  if (sized && operandBytes === 8 && !defaultsTo64) rex |= 8
  if (registers.some((r) => r.needsRex)) rex |= 0x40
  if (rex !== 0) {
    if (bits !== 64) throw new Problem('this register exists in 64-bit code only')
    if (registers.some((r) => r.forbidsRex)) throw new Problem('AH, BH, CH and DH cannot be used with this operand')
    rex |= 0x40
  }
  const out: number[] = []
  for (const prefix of prefixes) {
    const byte = PREFIXES[prefix]
    if (byte !== undefined && byte !== 0) out.push(byte)
  }
  if (segment !== undefined) out.push(SEGMENT_PREFIXES[segment.number] ?? 0x3e)
  const operandPrefix = sized && (bits === 16 ? operandBytes === 4 : operandBytes === 2)
  if (operandPrefix) out.push(0x66)
  if (addressPrefix) out.push(0x67)
  out.push(...mandatory)
  if (rex !== 0) out.push(rex)
  out.push(...opcode)
  const tailStart = out.length
  out.push(...tail)
  tail = []
  const end = BigInt(context.here + out.length)
  if (ripTarget !== undefined) {
    const field: number[] = []
    emitLittleEndian(field, ripTarget - end, 4)
    out.splice(tailStart + ripField, 4, ...field)
  }
  const branch = steps.indexOf('rel8') >= 0 ? 1 : steps.indexOf('rel') >= 0 ? (operandBytes === 2 ? 2 : 4) : 0
  if (branch !== 0) {
    const target = operands[0]
    if (target?.kind !== 'immediate') throw new Problem('a branch target is missing')
    const { value, known } = evaluate(target.value, context.lookup)
    const distance = value - end
    if (branch === 1 && known && !fitsSigned(distance, 8)) {
      context.setWide(0)
      const hasWide = INSTRUCTIONS.get(form.mnemonic)?.some((other) => other.operands[0] === 'rel') === true
      if (target.distance === 'short' || !hasWide) throw new Problem(`branch target is ${distance} bytes away, too far for a short branch`)
      return encodeInstruction(form.mnemonic, operands, prefixes, context)
    }
    const field: number[] = []
    emitLittleEndian(field, distance, branch)
    out.splice(out.length - branch, branch, ...field)
  }
  return out
}

export function encodeInstruction(mnemonic: string, operands: readonly Operand[], prefixes: readonly string[], context: EncodeContext): number[] {
  const forms = INSTRUCTIONS.get(mnemonic)
  if (forms === undefined) throw new Problem(`unknown instruction '${mnemonic}'`)
  let ambiguous = false
  for (const form of forms) {
    if (form.operands.length !== operands.length) continue
    if (form.steps.includes('no64') && context.bits === 64 && forms.some((other) => other !== form && other.operands.length === operands.length)) continue
    const match = new Match()
    // Sizes first from registers and memory, so that immediates know what they must fit.
    const order = operands.map((_, i) => i).sort((a, b) => Number(operands[a]?.kind === 'immediate') - Number(operands[b]?.kind === 'immediate'))
    const fits = order.every((i) => {
      const operand = operands[i]
      const pattern = form.operands[i]
      return operand !== undefined && pattern !== undefined && matches(pattern, operand, i, match, context)
    })
    if (!fits) continue
    if (isAmbiguous(form, operands, match)) {
      const sizedImmediate = operands.find((operand) => operand.kind === 'immediate' && operand.bytes !== 0)
      if (!(sizedImmediate?.kind === 'immediate' && (sizedImmediate.bytes === 1) === form.operands.includes('rm8'))) {
        ambiguous = true
        continue
      }
    }
    return encodeForm(form, match, operands, prefixes, context)
  }
  throw new Problem(ambiguous ? `operand size not specified for '${mnemonic}' (byte, word, dword ...)` : `'${mnemonic}' cannot take these operands`)
}
