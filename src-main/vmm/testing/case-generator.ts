/**
 * Random programs of one to four instructions out of the instruction table, for differential testing. The same seed gives the same batch. Only
 * what user mode shows the same way everywhere is drawn: NOT_COMPARABLE lists the operations left out and why.
 */
import { ROWS } from '../cpu/isa/table'
import { traitsOf } from '../cpu/isa/traits'
import type { Feature, Row } from '../cpu/isa/row'
import {
  CASES_PER_BATCH,
  SLOT_BYTES,
  SLOT_TAIL,
  SLOTS_PER_PAGE,
  STATE_BYTES,
  STATE_GPR,
  STATE_MODE,
  STATE_RFLAGS,
  STATE_RIP,
  codeSegmentBase,
  slotAddress,
  stateMode,
} from './diff-engine'
import type { CodeMode, DiffBatch, DiffCase, DiffStep, MemoryImage } from './diff-engine'
import { fillFx, imageWord, memoryImage } from './case-values'
import { APPROXIMATE, TRANSCENDENTAL } from './compare-outcomes'
import { encodeInstruction } from './instruction-encoder'
import type { EncodedInstruction } from './instruction-encoder'
import { Random } from './random'
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, RegisterPlan } from './register-plan'
import { flagMask, undefinedAfter } from './undefined-flags'

const words = (text: string): readonly string[] => text.split(' ')

/** Operations that cannot be compared with another processor in user mode. */
const NOT_COMPARABLE: ReadonlySet<string> = new Set([
  // answers differ by machine, time or kernel
  ...words('cpuid rdtsc rdtscp rdpmc rdrand rdseed rdpid xgetbv'),
  ...words('sldt str smsw sgdt sidt lar lsl verr verw'),
  // state of the host process that a case must not touch, or that the host's kernel handles
  ...words('syscall sysenter sysret sysexit int int1 iret retf retf_imm jmp_far call_far mov_to_sreg pop_sreg les lds lss lfs lgs'),
  ...words('rdfsbase rdgsbase wrfsbase wrgsbase'),
  // the extended state of the host is larger
  ...words('xsave xrstor xsaveopt xsavec xsaves xrstors'),
  // virtual machine extensions
  ...words('vmcall vmlaunch vmresume vmxoff vmrun vmmcall rsm'),
])

/** In user mode these only fault; enough of them is soon enough. */
const RARE: ReadonlySet<string> = new Set(
  words(
    'in out ins outs cli sti hlt clts lmsw mov_to_cr mov_from_cr mov_to_dr mov_from_dr rdmsr wrmsr lgdt lidt lldt ltr invlpg invd wbinvd invpcid xsetbv swapgs monitor mwait clac stac ud int3',
  ),
)

/** Whose target may be anything; in 16-bit code it could be the middle of an instruction. */
const WILD_JUMPS: ReadonlySet<string> = new Set(['ret', 'ret_imm', 'jmp_near', 'call_near'])

const X87 = new Set<string>(ROWS.filter((row) => row.feature === 'x87').map((row) => row.operation))
const USES_MM = (row: Row): boolean => row.operands.some((spec) => 'PQN'.includes(spec.addressing))

export interface GeneratorOptions {
  readonly has: (feature: Feature) => boolean
  /** Only these operations. */
  readonly only?: ReadonlySet<string>
  /** Not these. */
  readonly except?: ReadonlySet<string>
  readonly modes?: readonly CodeMode[]
}

export interface Selection {
  readonly rows: readonly Row[]
  /** Rows left out: not comparable, or for a feature this processor lacks. */
  readonly notComparable: number
  readonly lacking: number
}

export const selectRows = ({ has, only, except }: GeneratorOptions): Selection => {
  const comparable = ROWS.filter((row) => !NOT_COMPARABLE.has(row.operation))
  const supported = comparable.filter((row) => row.feature === undefined || has(row.feature))
  const rows = supported.filter((row) => (only === undefined || only.has(row.operation)) && except?.has(row.operation) !== true)
  return { rows, notComparable: ROWS.length - comparable.length, lacking: comparable.length - supported.length }
}

const EFLAGS_FIXED = 0x202
const EFLAGS_DF = 0x400
const STATUS_FLAGS = flagMask('OSZAPC')

export const generateBatch = (seed: number, options: GeneratorOptions, count: number = CASES_PER_BATCH): DiffBatch => {
  const random = new Random(seed)
  const imageSeed = random.u32()
  const image = memoryImage(new Random(imageSeed))
  const { rows } = selectRows(options)
  const modes = options.modes ?? [64, 64, 64, 32, 32, 16]
  const cases: DiffCase[] = []
  for (let slot = 0; slot < count; slot++) cases.push(generateCase(random, image, rows, random.pick(modes), slot))
  return { image, imageSeed, cases }
}

const generateCase = (random: Random, image: MemoryImage, rows: readonly Row[], mode: CodeMode, slot: number): DiffCase => {
  const plan = new RegisterPlan(random, mode)
  const start = slotAddress(slot)
  const end = start + SLOT_BYTES
  const wanted = random.chance(60) ? 1 : 1 + random.below(4)
  const code: number[] = []
  const steps: DiffStep[] = []
  let undefinedFlags = 0
  /** No address of the program is in its code. */
  let relocatable = true
  let directionFlag = random.chance(4)
  let mmx = random.chance(20)
  for (let attempt = 0; steps.length < wanted && attempt < 12; attempt++) {
    const row = random.pick(rows)
    if (RARE.has(row.operation) && random.chance(80)) continue
    // what is undefined must not be looked at
    const traits = traitsOf(row.operation)
    if (undefinedFlags & flagMask(traits.reads)) continue
    const at = start + code.length
    // cases in one program share one way of using the x87 registers
    if (steps.length === 0) mmx = USES_MM(row) ? random.chance(90) : X87.has(row.operation) ? false : mmx
    const first = steps.length === 0
    const prefix = first ? preparation(random, row, mode, plan, start) : []
    if (mode === 16 && WILD_JUMPS.has(row.operation) && prefix.length === 0) continue
    const instruction = encodeInstruction(row, { random, mode, plan, at: at + prefix.length, end })
    if (instruction === undefined || code.length + prefix.length + instruction.bytes.length > SLOT_BYTES - SLOT_TAIL) continue
    if (!acceptable(row, instruction, first)) continue
    // more would be popped than was pushed
    if (row.operation === 'popf' && mode === 16 && instruction.size !== 2) continue
    if (first) {
      prepare(random, row, instruction, plan, image, start)
      if (!defined(row, instruction, plan)) continue
      if (traits.repeat !== 'none') directionFlag = random.chance(25)
    }
    code.push(...prefix)
    // what is known of the count must stay so
    if (first && row.operands.some((spec) => spec.addressing === 'CL')) plan.pinned.add(RCX)
    const cl = first && prefix.length === 0 ? Number(plan.get(RCX) & 0xffn) : undefined
    undefinedFlags = undefinedAfter(row, instruction, undefinedFlags, cl)
    const ignored = ignoredMemory(instruction, row)
    steps.push({ row: `${row.id} ${row.operandText}`.trim(), operation: row.operation, at: start + code.length, undefinedFlags, ignored })
    code.push(...instruction.bytes)
    // whether UD0 and UD1 have a ModRM byte differs
    relocatable &&= instruction.memory === undefined && !instruction.relative && row.operation !== 'ud'
    const destination = instruction.registers[0]
    // what follows must not consume an approximation, or what is not compared
    if (TRANSCENDENTAL.has(row.operation) || APPROXIMATE.has(row.operation) || SAVES_POINTERS.has(row.operation)) break
    if (destination !== undefined && row.operands[0] !== undefined && 'GREZ'.includes(row.operands[0].addressing))
      plan.written.add(destination & 15)
  }
  // in the last slot of a page: the code ends with the page, or is cut off by it
  const last = slot % SLOTS_PER_PAGE === SLOTS_PER_PAGE - 1
  const shift = last && relocatable && random.chance(50) ? SLOT_BYTES - code.length + random.below(code.length + 1) : 0
  const moved = steps.map((step) => ({ ...step, at: step.at + shift })).filter(({ at }) => at < start + SLOT_BYTES)
  return finish(random, plan, mode, start + shift, code.slice(0, SLOT_BYTES - shift), moved, directionFlag, mmx)
}

const finish = (
  random: Random,
  plan: RegisterPlan,
  mode: CodeMode,
  start: number,
  code: readonly number[],
  steps: readonly DiffStep[],
  directionFlag: boolean,
  mmx: boolean,
): DiffCase => {
  const state = new Uint8Array(STATE_BYTES)
  const view = new DataView(state.buffer)
  // what is above the stack pointer of a 16-bit stack does not survive the host's returning from an exception
  if (mode === 16) plan.values[RSP] = plan.get(RSP) & 0xffffn
  plan.values.forEach((value, i) => view.setBigUint64(STATE_GPR + i * 8, value, true))
  view.setBigUint64(STATE_RIP, BigInt(start - codeSegmentBase(mode, start)), true)
  const flags = EFLAGS_FIXED | (random.u32() & STATUS_FLAGS) | (directionFlag ? EFLAGS_DF : 0)
  view.setBigUint64(STATE_RFLAGS, BigInt(flags), true)
  view.setUint32(STATE_MODE, stateMode(mode, start), true)
  fillFx(random, state, mmx)
  return { mode, address: start, code: Uint8Array.from(code), state, steps }
}

/**
 * Pointers and opcode of the last x87 instruction in saved environments: AMD's processors keep them only when an exception is pending. The
 * host's MXCSR mask, and the part of an FXSAVE image that is left to software.
 */
const SAVES_POINTERS: ReadonlySet<string> = new Set(['fxsave', 'fnstenv', 'fnsave'])

const ignoredMemory = ({ memory, size }: EncodedInstruction, { operation }: Row): readonly (readonly [number, number])[] => {
  if (memory === undefined) return []
  switch (operation) {
    case 'fxsave':
      return [
        [memory + 6, 18],
        [memory + 28, 4],
      ]
    case 'fnstenv':
    case 'fnsave':
      return [size === 2 ? [memory + 6, 8] : [memory + 12, 16]]
    default:
      return []
  }
}

/** 16-bit double shifts by more than 16 have no defined result; those by an unknown CL come first in their program or not at all. */
const acceptable = (row: Row, instruction: EncodedInstruction, first: boolean): boolean =>
  first || !(isWordDoubleShiftByCl(row, instruction) || SAVES_POINTERS.has(row.operation) || row.operation === 'popf')

const defined = (row: Row, instruction: EncodedInstruction, plan: RegisterPlan): boolean =>
  !isWordDoubleShiftByCl(row, instruction) || (plan.get(RCX) & 0x1fn) <= 16n

const isWordDoubleShiftByCl = ({ operation }: Row, { size, immediate }: EncodedInstruction): boolean =>
  (operation === 'shld' || operation === 'shrd') && size === 2 && immediate === undefined

/** What POPF gets: status flags, DF, IF and IOPL; not TF, NT and AC, which would change the host's side of the test. */
const POPF_FLAGS = 0x3ed5

/** Code that must come before the instruction: a return address for RET, flags for POPF. */
const preparation = (random: Random, row: Row, mode: CodeMode, plan: RegisterPlan, start: number): readonly number[] => {
  if ((row.operation === 'ret' || row.operation === 'ret_imm') && (mode === 16 || random.chance(60))) {
    const register = random.below(4)
    plan.pin(register, BigInt(start + SLOT_BYTES - 4 - codeSegmentBase(mode, start)))
    return [0x50 + register]
  }
  if (row.operation === 'popf') {
    const flags = random.u32() & POPF_FLAGS
    return mode === 16 ? [0x68, flags & 0xff, flags >> 8] : [0x68, flags & 0xff, flags >> 8, 0, 0]
  }
  return mode !== 32 || random.chance(90) ? [] : [0x90]
}

/** Register values that make an instruction do something interesting. */
const prepare = (
  random: Random,
  row: Row,
  instruction: EncodedInstruction,
  plan: RegisterPlan,
  image: MemoryImage,
  start: number,
): void => {
  const { operation } = row
  const traits = traitsOf(operation)
  const usually = random.chance(88)
  if (traits.repeat !== 'none') {
    // of two faults processors choose either
    if (operation === 'cmps') plan.set(RSI, BigInt(plan.dataBase + random.below(0x1000)))
    if (!usually) return
    plan.set(RSI, BigInt(plan.dataAddress(instruction.size)))
    plan.set(RDI, BigInt(random.chance(20) ? Number(plan.get(RSI)) + random.below(24) - 8 : plan.dataAddress(instruction.size)))
    plan.set(RCX, BigInt(random.chance(85) ? random.below(24) : random.chance(70) ? random.below(3000) : random.u32()))
    if (operation === 'scas' && random.chance(60)) {
      const word = imageWord(image, plan.linear(Number(plan.get(RDI))) + random.below(8))
      if (word !== undefined) plan.set(RAX, word)
    }
    return
  }
  switch (operation) {
    case 'xlat':
      plan.set(RBX, BigInt(plan.dataAddress(256)))
      break
    case 'maskmovq':
    case 'maskmovdqu':
      plan.set(RDI, BigInt(plan.dataAddress(16)))
      break
    case 'loop':
    case 'loope':
    case 'loopne':
    case 'jcxz':
      plan.set(RCX, BigInt(random.pick([0, 1, 2, 0x10000, 0x10001])) | (random.chance(30) ? 0x100000000n : 0n))
      break
    case 'enter':
    case 'leave':
      if (usually) plan.set(RBP, BigInt(plan.stackBase + 0x200 + random.below(0x1f0) * 4))
      break
    case 'div':
    case 'idiv': {
      if (!usually) break
      const high = random.chance(50) ? BigInt(random.below(4)) : random.chance(50) ? -1n : BigInt(random.below(1 << 16))
      plan.set(RDX, BigInt.asUintN(64, high))
      if (instruction.size === 1) plan.set(RAX, BigInt(random.chance(70) ? random.below(0x800) : random.below(0x10000)))
      break
    }
    case 'cmpxchg': {
      if (random.chance(60)) break
      const other = instruction.memory === undefined ? plan.get((instruction.registers[0] ?? 0) & 15) : imageWord(image, instruction.memory)
      if (other !== undefined) plan.set(RAX, other)
      break
    }
    case 'cmpxchg8b':
    case 'cmpxchg16b': {
      if (random.chance(50) || instruction.memory === undefined) break
      const low = imageWord(image, instruction.memory)
      const high = imageWord(image, instruction.memory + 8)
      if (low === undefined || high === undefined) break
      const eight = operation === 'cmpxchg8b'
      plan.set(RAX, eight ? low & 0xffffffffn : low)
      plan.set(RDX, eight ? low >> 32n : high)
      break
    }
    case 'bt':
    case 'bts':
    case 'btr':
    case 'btc': {
      const offset = instruction.registers[1]
      if (offset !== undefined && instruction.memory !== undefined && random.chance(85))
        plan.set(offset, BigInt.asUintN(64, BigInt(random.below(0x2000) - 0x1000)))
      break
    }
    case 'shld':
    case 'shrd':
      if (instruction.size === 2 && instruction.immediate === undefined) plan.set(RCX, (plan.get(RCX) & ~0x1fn) | BigInt(random.below(17)))
      break
    case 'jmp_near':
    case 'call_near': {
      const target = instruction.registers[0]
      if (target !== undefined && target !== RSP && random.chance(75))
        plan.set(target, BigInt(start + SLOT_BYTES - 4 - codeSegmentBase(plan.mode, start)))
      break
    }
    case 'popa':
      // a fault in the middle leaves some of the registers changed
      plan.set(RSP, BigInt(plan.stackBase + 0x800))
      break
    default:
      if (traits.repeat === 'none' && instruction.registers.includes(1) && random.chance(30))
        plan.set(RCX, (plan.get(RCX) & ~0xffn) | BigInt(random.below(70)))
  }
}
