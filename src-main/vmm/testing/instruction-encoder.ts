/** Makes machine code of a row of the instruction table, with random operands. The other direction, and independent, of core/decode. */
import { traitsOf } from '../cpu/isa/traits'
import { PREFIX_66, PREFIX_ANY, PREFIX_F2, PREFIX_F3, PREFIX_NONE } from '../cpu/isa/row'
import type { OperandSpec, Row, Width } from '../cpu/isa/row'
import { CODE_BASE, CODE_PAGES, CODE_STRIDE, DATA_BASE, SLOT_TAIL } from './diff-engine'
import type { CodeMode } from './diff-engine'
import type { Random } from './random'
import { RBP, RBX, RDI, RSI, RSP } from './register-plan'
import type { RegisterPlan } from './register-plan'

export type OperandSize = 1 | 2 | 4 | 8

export interface EncodedInstruction {
  readonly bytes: readonly number[]
  readonly size: OperandSize
  readonly rep: 0 | 1 | 2
  readonly lock: boolean
  /** Number of the register that operand i names, or undefined. AH..BH count as 16..19. */
  readonly registers: readonly (number | undefined)[]
  /** Address of the memory operand (as it was steered), if there is one. */
  readonly memory: number | undefined
  /** Jumps relatively. */
  readonly relative: boolean
  /** Raw value of the (last) immediate. */
  readonly immediate: number | undefined
}

export interface EncoderContext {
  readonly random: Random
  readonly mode: CodeMode
  readonly plan: RegisterPlan
  /** Address of the instruction. */
  readonly at: number
  /** First address after the case's slot. */
  readonly end: number
}

const sizesOf = (row: Row, mode: CodeMode): readonly OperandSize[] => {
  const long = mode === 64
  if (mode === 16 && (row.size === 'v' || row.size === 'z' || row.size === 'd64' || row.size === 'f64')) return [2, 2, 4]
  switch (row.size) {
    case 'b':
      return [1]
    case 'w':
      return [2]
    case 'd':
      return [4]
    case 'q':
      return [8]
    case 'v':
      return long ? [2, 4, 8, 4, 8] : [2, 4, 4]
    case 'z':
      return [2, 4, 4]
    case 'y':
      return long ? [4, 8] : [4]
    case 'd64':
      return long ? [8, 8, 2] : [4, 4, 2]
    case 'f64':
      return long ? [8] : [4]
    case 'm':
      return long ? [8] : [4]
  }
}

export const widthBytes = (width: Width, size: OperandSize): number => {
  switch (width) {
    case '':
      return 0
    case 'b':
      return 1
    case 'w':
      return 2
    case 'd':
      return 4
    case 'q':
      return 8
    case 't':
      return 10
    case 'x':
      return 16
    case 'v':
    case 'y':
      return size
    case 'z':
      return size === 8 ? 4 : size
  }
}

/** Operations whose memory operand is larger than the table's width says. */
const MEMORY_BYTES: Readonly<Record<string, number>> = {
  fxsave: 512,
  fxrstor: 512,
  cmpxchg8b: 8,
  cmpxchg16b: 16,
  fnstenv: 28,
  fldenv: 28,
  fnsave: 108,
  frstor: 108,
  bound: 8,
}

const little = (value: number, bytes: number): number[] => {
  const out: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (let i = 0; i < bytes; i++) {
    out.push(Number(rest & 0xffn))
    rest >>= 8n
  }
  return out
}

interface ModrmParts {
  readonly modrm: number
  /** SIB and displacement. */
  readonly tail: readonly number[]
  readonly rexX: number
  readonly rexB: number
  /** RIP-relative: the displacement in `tail` still lacks -(address of the next instruction). */
  readonly ripRelative: boolean
  readonly target: number
  /** Needs the address-size prefix. */
  readonly addressPrefix: boolean
}

const IMMEDIATES: readonly number[] = [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff]

const randomImmediate = (random: Random, bytes: number): number => {
  if (bytes === 1) return random.chance(60) ? random.pick(IMMEDIATES) : random.below(256)
  if (random.chance(40)) return random.pick([0, 1, -1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000])
  return random.u32()
}

/** Memory operand that (as far as registers are still free) lands on `target`. */
const encodeMemory = (context: EncoderContext, reg: number, target: number, avoid: readonly number[]): ModrmParts => {
  const { random, mode, plan } = context
  const field = (reg & 7) << 3
  const long = mode === 64
  const other = random.chance(mode === 16 ? 30 : mode === 32 ? 1 : 5)
  if (mode === 16 ? !other : mode === 32 && other) return encodeMemory16(context, field, target, other)
  const address32 = long && other
  const none = { rexX: 0, rexB: 0, ripRelative: false, target: plan.linear(target), addressPrefix: other }
  const absolute = (): ModrmParts =>
    long
      ? { ...none, modrm: field | 4, tail: [0x25, ...little(target | 0, 4)] }
      : { ...none, modrm: field | 5, tail: little(target | 0, 4) }
  const form = random.below(10)
  if (form === 0) return absolute()
  if (form === 1 && long) return { ...none, modrm: field | 5, tail: little(target | 0, 4), ripRelative: true }
  if (form === 2) {
    // on the stack
    const disp = random.below(16) * 8 - 32
    return { ...none, modrm: 0x40 | field | 4, tail: [0x24, disp & 0xff], target: plan.stackLinear(Number(plan.get(RSP)) + disp) }
  }
  const base = plan.free(avoid)
  if (base === undefined) return absolute()
  const linear = base === RBP ? plan.stackLinear(target) : plan.linear(target)
  const dispKind = random.below(3)
  const disp =
    dispKind === 0 ? 0 : dispKind === 1 ? random.below(256) - 128 : random.chance(70) ? random.below(0x20000) - 0x10000 : random.u32() | 0
  const index = form < 6 ? undefined : plan.free([...avoid, base])
  const scale = random.below(4)
  let value = BigInt(target) - BigInt(disp)
  if (index !== undefined) {
    plan.pin(index, random.chance(50) ? BigInt(random.below(64)) : plan.get(index))
    value -= plan.get(index) << BigInt(scale)
  }
  // with a 32-bit address the upper half of the base does not matter
  if (address32 && random.chance(50)) value = BigInt.asUintN(32, value) | (random.u64() & 0xffffffff00000000n)
  plan.pin(base, BigInt.asUintN(64, value))
  const mod = dispKind === 0 && (base & 7) !== 5 ? 0 : dispKind === 2 ? 2 : 1
  const displacement = mod === 0 ? [] : mod === 1 ? little(dispKind === 0 ? 0 : disp, 1) : little(disp, 4)
  if (index === undefined && (base & 7) !== 4) {
    return { ...none, target: linear, modrm: (mod << 6) | field | (base & 7), tail: displacement, rexB: base >> 3 }
  }
  const sib = (scale << 6) | (((index ?? 4) & 7) << 3) | (base & 7)
  return { ...none, target: linear, modrm: (mod << 6) | field | 4, tail: [sib, ...displacement], rexX: (index ?? 0) >> 3, rexB: base >> 3 }
}

/** The eight base and index pairs of 16-bit addressing, by r/m. */
const PAIRS_16: readonly (readonly number[])[] = [[RBX, RSI], [RBX, RDI], [RBP, RSI], [RBP, RDI], [RSI], [RDI], [RBP], [RBX]]

const encodeMemory16 = ({ plan, random }: EncoderContext, field: number, target: number, addressPrefix: boolean): ModrmParts => {
  const none = { rexX: 0, rexB: 0, ripRelative: false, addressPrefix }
  const rm = random.below(8)
  const registers = PAIRS_16[rm] as readonly number[]
  const usable = registers.every((register) => !plan.pinned.has(register) && !plan.written.has(register))
  if (!usable || random.chance(15)) return { ...none, modrm: field | 6, tail: little(target, 2), target: plan.linear(target) }
  const onStack = registers.includes(RBP)
  const offset = onStack ? plan.stackAddress() : target
  const mod = rm === 6 ? 1 + random.below(2) : random.below(3)
  const disp = mod === 0 ? 0 : mod === 1 ? random.below(256) - 128 : random.below(0x10000)
  const upper = (): bigint => (random.chance(30) ? BigInt(random.below(0x10000)) << 16n : 0n)
  const [base, index] = registers as readonly [number, number | undefined]
  let rest = offset - disp
  if (index !== undefined) {
    const value = random.below(0x10000)
    plan.pin(index, BigInt(value) | upper())
    rest -= value
  }
  plan.pin(base, BigInt(rest & 0xffff) | upper())
  const linear = onStack ? plan.stackLinear(offset) : plan.linear(offset)
  return { ...none, modrm: (mod << 6) | field | rm, tail: little(disp, mod), target: linear }
}

const BYTE_HIGH_FIRST = 16

/** The machine code of `row`, or undefined when it has no encoding in this mode. */
export const encodeInstruction = (row: Row, context: EncoderContext): EncodedInstruction | undefined => {
  const { random, mode } = context
  const long = mode === 64
  if ((row.modes === 'long' && !long) || (row.modes === 'legacy' && long)) return undefined
  const size = row.operation === 'cmpxchg16b' ? 8 : row.operation === 'cmpxchg8b' ? 4 : random.pick(sizesOf(row, mode))
  const traits = traitsOf(row.operation)

  // prefixes
  const prefixes: number[] = []
  let mandatory: number | undefined
  if (row.prefixes === PREFIX_66) mandatory = 0x66
  else if (row.prefixes === PREFIX_F3) mandatory = 0xf3
  else if (row.prefixes === PREFIX_F2) mandatory = 0xf2
  const variable = row.size === 'v' || row.size === 'z' || row.size === 'd64' || row.size === 'f64'
  const sizePrefix = variable && (mode === 16 ? size === 4 : size === 2)
  if (sizePrefix && (row.prefixes === PREFIX_NONE || row.prefixes === PREFIX_66)) return undefined
  const needsW = size === 8 && (row.size === 'v' || row.size === 'y')
  let rep: 0 | 1 | 2 = 0
  if (traits.repeat !== 'none' && row.prefixes === PREFIX_ANY && random.chance(65)) rep = random.chance(60) ? 1 : 2

  // operands
  const registerOf = (spec: OperandSpec): number => {
    if (spec.addressing === 'S') return random.below(6)
    if (spec.addressing === 'C') return random.pick([0, 2, 3, 4])
    if (spec.addressing === 'D') return random.below(8)
    if ('PQN'.includes(spec.addressing)) return random.below(8)
    if ('VWU'.includes(spec.addressing)) return random.below(long ? 16 : 8)
    let register = random.below(long ? 16 : 8)
    // the stack pointer makes a poor destination
    if (register === RSP && widthBytes(spec.width, size) !== 1 && random.chance(85)) register = random.below(4)
    return register
  }
  const isByteGpr = (spec: OperandSpec): boolean => 'EGRZ'.includes(spec.addressing) && spec.width === 'b'
  const regSpec = row.operands.findIndex((spec) => 'GVPSCD'.includes(spec.addressing))
  const rmSpec = row.operands.findIndex((spec) => 'EWQMRUN'.includes(spec.addressing) || spec.addressing === 'STi')
  const opcodeSpec = row.operands.findIndex((spec) => spec.addressing === 'Z')
  const registers: (number | undefined)[] = row.operands.map((spec) =>
    spec.addressing === 'fixed-gpr' ? spec.register : spec.addressing === 'CL' ? 1 : undefined,
  )

  let rexR = 0
  let rexX = 0
  let rexB = 0
  let needsRex = false
  let forbidsRex = false
  const noteByte = (spec: OperandSpec, index: number, register: number): void => {
    if (!isByteGpr(spec)) return
    if (register >= 4 && register < 8) {
      if (long && random.chance(50)) needsRex = true
      else forbidsRex = true
    }
    registers[index] = register
  }

  let modrm: number | undefined
  let parts: ModrmParts | undefined
  let opcode = row.opcode
  let memory: number | undefined
  if (opcodeSpec >= 0) {
    let register = registerOf(row.operands[opcodeSpec] as OperandSpec)
    if (row.noRexB) register &= 7
    registers[opcodeSpec] = register
    noteByte(row.operands[opcodeSpec] as OperandSpec, opcodeSpec, register)
    opcode |= register & 7
    rexB = register >> 3
  }
  if (row.hasModrm) {
    const regOperand = row.operands[regSpec]
    let reg = row.digit ?? random.below(8)
    if (regOperand !== undefined && row.digit === undefined) {
      reg = registerOf(regOperand)
      registers[regSpec] = reg
      noteByte(regOperand, regSpec, reg)
      rexR = reg >> 3
    }
    const rmOperand = row.operands[rmSpec]
    const useMemory =
      row.rm === undefined &&
      (row.mod === 'memory' || (row.mod === 'any' && rmOperand !== undefined && 'EWQM'.includes(rmOperand.addressing) && random.chance(50)))
    if (useMemory) {
      const bytes = MEMORY_BYTES[row.operation] ?? widthBytes(rmOperand?.memoryWidth ?? '', size)
      // the address must not be made of a register that is also the other operand with a value of its own
      const avoid = regOperand?.addressing === 'G' ? [reg] : []
      parts = encodeMemory(context, reg, addressFor(context, row.operation, bytes), avoid)
      modrm = parts.modrm
      memory = parts.target
      rexX = parts.rexX
      rexB = parts.rexB
    } else {
      let rm = row.rm ?? random.below(8)
      if (row.rm === undefined && rmOperand !== undefined) {
        rm = rmOperand.addressing === 'STi' ? random.below(8) : registerOf(rmOperand)
        registers[rmSpec] = rm
        noteByte(rmOperand, rmSpec, rm)
      }
      modrm = 0xc0 | ((reg & 7) << 3) | (rm & 7)
      rexB = rm >> 3
    }
  }
  let rex = (rexR << 2) | (rexX << 1) | rexB | (needsW ? 8 : 0)
  if (rex !== 0) needsRex = true
  if (needsRex && !long) return undefined
  if (long && !needsRex && !forbidsRex && random.chance(3)) needsRex = true
  if (needsRex && row.map === 0 && row.opcode === 0x90 && row.noRexB) rex &= ~1
  row.operands.forEach((spec, i) => {
    const register = registers[i]
    if (register !== undefined && isByteGpr(spec) && register >= 4 && register < 8 && !needsRex)
      registers[i] = BYTE_HIGH_FIRST + register - 4
  })

  // immediates
  const tail: number[] = []
  let immediate: number | undefined
  let relative: { readonly bytes: number } | undefined
  const addressBytes = long ? 8 : mode === 32 ? 4 : 2
  for (const spec of row.operands) {
    switch (spec.addressing) {
      case 'I':
      case 'sI': {
        const bytes = widthBytes(spec.width, size)
        immediate = immediateFor(random, row.operation, size, bytes)
        tail.push(...little(immediate, bytes))
        break
      }
      case 'J':
        relative = { bytes: spec.width === 'b' ? 1 : size === 2 ? 2 : 4 }
        break
      case 'O': {
        const offset = addressFor(context, row.operation, size)
        memory = context.plan.linear(offset)
        tail.push(...little(offset, addressBytes))
        break
      }
      case 'Ap':
        return undefined
    }
  }

  const lock = traits.lockable && (parts !== undefined && rmSpec === 0 ? random.chance(15) : random.chance(1))
  if (lock) prefixes.push(0xf0)
  if (rep !== 0) prefixes.push(rep === 1 ? 0xf3 : 0xf2)
  if (sizePrefix) prefixes.push(0x66)
  const implicitAddress = traits.addressSize && random.chance(12)
  if (parts?.addressPrefix || implicitAddress) prefixes.push(0x67)
  const touchesMemory = parts !== undefined || traits.repeat !== 'none' || row.operands.some((spec) => spec.addressing === 'O')
  // where the environment of the x87 goes must be known
  const overridden = random.chance(3) && !(mode === 16 && MEMORY_BYTES[row.operation] !== undefined)
  if (touchesMemory && overridden) prefixes.push(random.pick(long ? [0x26, 0x2e, 0x36, 0x3e, 0x65] : [0x26, 0x2e, 0x36, 0x3e]))
  if (prefixes.length > 1 && random.chance(30)) prefixes.reverse()
  const bytes = [...prefixes]
  if (mandatory !== undefined) bytes.push(mandatory)
  if (needsRex) bytes.push(0x40 | rex)
  if (row.map === 1) bytes.push(0x0f)
  else if (row.map === 2) bytes.push(0x0f, 0x38)
  else if (row.map === 3) bytes.push(0x0f, 0x3a)
  bytes.push(opcode)
  if (modrm !== undefined) bytes.push(modrm, ...(parts?.tail ?? []))
  bytes.push(...tail)
  if (relative !== undefined) {
    const next = context.at + bytes.length + relative.bytes
    const distance = jumpTarget(context, next, relative.bytes) - next
    bytes.push(...little(distance, relative.bytes))
  }
  if (parts?.ripRelative) {
    const at = bytes.length - tail.length - 4
    const next = BigInt(context.at + bytes.length)
    const disp = BigInt(parts.target) - next
    little(Number(BigInt.asIntN(32, disp)), 4).forEach((byte, i) => (bytes[at + i] = byte))
  }
  return { bytes, size: size as OperandSize, rep, lock, registers, memory, immediate, relative: relative !== undefined }
}

/**
 * Jumps go to the next instruction, to the end of the slot, which is never code, or far away, where nothing may be executed: landing inside an
 * instruction could make a system call of it.
 */
const jumpTarget = ({ random, mode, end }: EncoderContext, next: number, bytes: number): number => {
  if (random.chance(15)) return next
  // 16 bits reach nothing but code
  if (bytes === 1 || mode === 16 || random.chance(90)) return end - 1 - random.below(SLOT_TAIL)
  const far = random.u32()
  return far >= CODE_BASE && far < CODE_BASE + CODE_PAGES * CODE_STRIDE ? DATA_BASE + (far & 0xff) : far
}

const addressFor = ({ plan, random }: EncoderContext, operation: string, bytes: number): number => {
  const target = plan.dataAddress(bytes)
  const aligned = operation === 'fxsave' || operation === 'fxrstor' || operation === 'cmpxchg16b'
  return aligned && random.chance(85) ? target - (target % 16) : target
}

const immediateFor = (random: Random, operation: string, size: OperandSize, bytes: number): number => {
  const value = randomImmediate(random, bytes)
  switch (operation) {
    case 'shld':
    case 'shrd':
      // 16-bit double shifts by more than 16 are undefined
      return size === 2 ? (value & 0xe0) | random.below(17) : value
    case 'enter':
      return bytes === 2 ? random.below(200) : random.chance(60) ? random.below(4) : random.below(256)
    case 'ret_imm':
      return random.chance(80) ? random.below(64) * 8 : value
    default:
      return value
  }
}
