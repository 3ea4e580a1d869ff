/** Disassembler in Intel syntax (as GNU objdump -M intel writes it), driven by the instruction table. */
import { ignoresMod, indexByOpcode, opcodeKey, type IndexedRow } from './opcode-index'
import { PREFIX_66, PREFIX_F2, PREFIX_F3, PREFIX_NONE, type OperandSpec, type Row, type SizeRule, type Width } from './row'
import { traitsOf } from './traits'

export type CodeMode = 0 | 1 | 2

export interface Disassembly {
  readonly text: string
  readonly length: number
  /** undefined: no such instruction. */
  readonly row: Row | undefined
}

const LENGTH_MAX = 15
const BYTE_REGISTERS = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh']
const BYTE_REGISTERS_REX = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil']
const WORD_REGISTERS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs']
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g']
const FCMOV: Readonly<Record<number, string>> = { 2: 'b', 4: 'e', 6: 'be', 10: 'u', 3: 'nb', 5: 'ne', 7: 'nbe', 11: 'nu' }
const ADDRESS_16 = ['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx']
const MEMORY_NAMES: Readonly<Record<number, string>> = {
  1: 'BYTE PTR ', 2: 'WORD PTR ', 4: 'DWORD PTR ', 8: 'QWORD PTR ', 10: 'TBYTE PTR ', 16: 'XMMWORD PTR ',
}

/** Names that differ from the operation's. */
const MNEMONICS: Readonly<Record<string, string>> = {
  imul1: 'imul', imul2: 'imul', imul3: 'imul', jmp_rel: 'jmp', jmp_near: 'jmp', jmp_far: 'jmp', call_rel: 'call', call_near: 'call', call_far: 'call',
  ret_imm: 'ret', retf_imm: 'retf', mov_from_sreg: 'mov', mov_to_sreg: 'mov', mov_from_cr: 'mov', mov_to_cr: 'mov', mov_from_dr: 'mov',
  mov_to_dr: 'mov', push_sreg: 'push', pop_sreg: 'pop', wait: 'fwait', ffree: 'ffree', int1: 'int1',
}

interface Prefixes {
  rex: number
  size66: boolean
  address67: boolean
  lock: boolean
  rep: 0 | 0xf2 | 0xf3
  segment: number
}

class Starved extends Error {}

class Reader {
  position: number
  readonly #bytes: Uint8Array
  readonly #end: number

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes
    this.position = offset
    this.#end = Math.min(bytes.length, offset + LENGTH_MAX)
  }

  u8(): number {
    if (this.position >= this.#end) throw new Starved()
    return this.#bytes[this.position++] as number
  }

  u16(): number {
    return this.u8() | (this.u8() << 8)
  }

  u32(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0
  }

  signed(bytes: 1 | 2 | 4): number {
    const value = bytes === 1 ? this.u8() : bytes === 2 ? this.u16() : this.u32()
    const shift = 32 - bytes * 8
    return (value << shift) >> shift
  }

  u64(): bigint {
    const low = this.u32()
    return BigInt(low) | (BigInt(this.u32()) << 32n)
  }
}

const INDEX = indexByOpcode()

const readPrefixes = (reader: Reader, mode: CodeMode): { prefixes: Prefixes; byte: number } => {
  const prefixes: Prefixes = { rex: 0, size66: false, address67: false, lock: false, rep: 0, segment: -1 }
  for (;;) {
    const byte = reader.u8()
    if (mode === 2 && (byte & 0xf0) === 0x40) {
      prefixes.rex = byte
      continue
    }
    const segment = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65].indexOf(byte)
    if (segment >= 0) {
      if (mode !== 2 || segment >= 4) prefixes.segment = segment
    } else if (byte === 0x66) prefixes.size66 = true
    else if (byte === 0x67) prefixes.address67 = true
    else if (byte === 0xf0) prefixes.lock = true
    else if (byte === 0xf2 || byte === 0xf3) prefixes.rep = byte
    else return { prefixes, byte }
    prefixes.rex = 0
  }
}

const modeAllows = (row: Row, mode: CodeMode): boolean => row.modes === 'all' || (row.modes === 'long') === (mode === 2)

const matches = (row: Row, mode: CodeMode, prefixes: Prefixes, modrm: number): boolean => {
  const mandatory = prefixes.rep === 0xf3 ? PREFIX_F3 : prefixes.rep === 0xf2 ? PREFIX_F2 : prefixes.size66 ? PREFIX_66 : PREFIX_NONE
  if (!(row.prefixes & mandatory) || !modeAllows(row, mode)) return false
  if (row.noRexB && prefixes.rex & 1) return false
  if (row.rexW !== undefined && row.rexW !== ((prefixes.rex & 8) !== 0)) return false
  if (!row.hasModrm) return true
  const memory = modrm < 0xc0 && !ignoresMod(row)
  if (row.mod !== 'any' && (row.mod === 'memory') !== memory) return false
  return (row.digit === undefined || row.digit === ((modrm >> 3) & 7)) && (row.rm === undefined || row.rm === (modrm & 7))
}

export const operandSize = (rule: SizeRule, mode: CodeMode, size66: boolean, rexW: boolean): 1 | 2 | 4 | 8 => {
  const small = (mode === 0) !== size66 ? 2 : 4
  switch (rule) {
    case 'b': return 1
    case 'w': return 2
    case 'd': return 4
    case 'q': return 8
    case 'v': return rexW ? 8 : small
    case 'z': return rexW ? 4 : small
    case 'y': return rexW ? 8 : 4
    case 'd64': return mode !== 2 ? small : rexW || !size66 ? 8 : 2
    case 'f64': return mode === 2 ? 8 : small
    case 'm': return mode === 2 ? 8 : 4
  }
}

const hex = (n: number | bigint): string => `0x${n.toString(16)}`
/** A signed number as objdump shows it: two's complement of so many bytes. */
const truncated = (n: number | bigint, bytes: number): string => hex(BigInt.asUintN(bytes * 8, BigInt(n)))

const gprName = (register: number, bytes: number, rex: number): string => {
  if (bytes === 1 && register < 8) return ((rex ? BYTE_REGISTERS_REX : BYTE_REGISTERS)[register]) as string
  if (register >= 8) return `r${register}${bytes === 1 ? 'b' : bytes === 2 ? 'w' : bytes === 4 ? 'd' : ''}`
  const word = WORD_REGISTERS[register] as string
  return bytes === 2 ? word : bytes === 4 ? `e${word}` : `r${word}`
}

const widthBytes = (width: Width, size: number): number => {
  switch (width) {
    case '': return 0
    case 'b': return 1
    case 'w': return 2
    case 'd': return 4
    case 'q': return 8
    case 't': return 10
    case 'x': return 16
    case 'v': case 'y': return size
    case 'z': return Math.min(size, 4)
  }
}

/** Width of what `M` without a width leads to, where objdump names one. */
const plainMemoryName = (row: Row, size: number): string => {
  switch (row.operation) {
    case 'jmp_far': case 'call_far': case 'lss': case 'lfs': case 'lgs': case 'les': case 'lds':
      return size === 2 ? 'DWORD PTR ' : size === 4 ? 'FWORD PTR ' : 'TBYTE PTR '
    case 'cmpxchg8b': return 'QWORD PTR '
    case 'cmpxchg16b': return 'XMMWORD PTR '
    case 'bound': return size === 2 ? 'DWORD PTR ' : 'QWORD PTR '
    default: return ''
  }
}

interface Instruction {
  readonly row: Row
  readonly mode: CodeMode
  readonly prefixes: Prefixes
  readonly opcode: number
  readonly modrm: number
  readonly size: 1 | 2 | 4 | 8
  readonly addressBytes: 2 | 4 | 8
  readonly memory: boolean
}

/** The bracketed address; RIP-relative ones are completed later, when the length is known. */
const readMemory = (reader: Reader, it: Instruction): { text: string; relative: number | undefined } => {
  const mod = it.modrm >> 6
  const rm = it.modrm & 7
  const segment = it.prefixes.segment >= 0 ? `${SEGMENTS[it.prefixes.segment] as string}:` : ''
  const absolute = segment || 'ds:'
  if (it.addressBytes === 2) {
    if (mod === 0 && rm === 6) return { text: `${absolute}${hex(reader.u16())}`, relative: undefined }
    const disp = mod === 1 ? reader.signed(1) : mod === 2 ? reader.signed(2) : undefined
    const tail = disp === undefined ? '' : disp < 0 ? `-${hex(-disp)}` : `+${hex(disp)}`
    return { text: `${segment}[${ADDRESS_16[rm] as string}${tail}]`, relative: undefined }
  }
  const { rex } = it.prefixes
  const parts: string[] = []
  let disp32 = mod === 2
  let noBase = false
  if (rm === 4) {
    const sib = reader.u8()
    const index = ((sib >> 3) & 7) | ((rex & 2) << 2)
    const base = (sib & 7) | ((rex & 1) << 3)
    noBase = (base & 7) === 5 && mod === 0
    if (!noBase) parts.push(gprName(base, it.addressBytes, 1))
    else disp32 = true
    if (index !== 4) parts.push(`${gprName(index, it.addressBytes, 1)}*${1 << (sib >> 6)}`)
    else if ((sib >> 6) !== 0 || (!noBase && (base & 7) !== 4)) parts.push(`${it.addressBytes === 4 ? 'eiz' : 'riz'}*${1 << (sib >> 6)}`)
    else if (noBase && it.mode !== 2 && it.addressBytes === 4) parts.push('eiz*1')
  } else if (rm === 5 && mod === 0) {
    const disp = reader.signed(4)
    if (it.mode === 2) {
      const name = it.addressBytes === 8 ? 'rip' : 'eip'
      return { text: `${segment}[${name}${disp < 0 ? `-${hex(-disp)}` : `+${hex(disp)}`}]`, relative: disp }
    }
    return { text: `${absolute}${truncated(disp, 4)}`, relative: undefined }
  } else {
    parts.push(gprName(rm | ((rex & 1) << 3), it.addressBytes, 1))
  }
  const disp = mod === 1 ? reader.signed(1) : disp32 ? reader.signed(4) : undefined
  if (parts.length === 0) return { text: `${absolute}${truncated(disp ?? 0, it.addressBytes)}`, relative: undefined }
  // a displacement without base is an address: shown unsigned
  const tail = disp === undefined ? '' : noBase ? (disp < 0 ? `-${hex(-disp)}` : `+${hex(disp)}`) : disp < 0 ? `-${hex(-disp)}` : `+${hex(disp)}`
  return { text: `${segment}[${parts.join('+')}${tail}]`, relative: undefined }
}

const operandText = (spec: OperandSpec, position: number, it: Instruction, reader: Reader, memoryText: string): string => {
  const { rex } = it.prefixes
  const reg = ((it.modrm >> 3) & 7) | ((rex & 4) << 1)
  const rm = (it.modrm & 7) | ((rex & 1) << 3)
  const memory = (): string => {
    const bytes = widthBytes(spec.memoryWidth, it.size)
    return `${bytes ? (MEMORY_NAMES[bytes] as string) : plainMemoryName(it.row, it.size)}${memoryText}`
  }
  switch (spec.addressing) {
    case 'G': return gprName(reg, widthBytes(spec.width, it.size), rex)
    case 'R': return gprName(rm, widthBytes(spec.width, it.size), rex)
    case 'E': return it.memory ? memory() : gprName(rm, widthBytes(spec.width, it.size), rex)
    case 'M': return memory()
    case 'Z': return gprName((it.opcode & 7) | ((rex & 1) << 3), widthBytes(spec.width, it.size), rex)
    case 'fixed-gpr': return gprName(spec.register, widthBytes(spec.width, it.size), 0)
    case 'fixed-sreg': return SEGMENTS[spec.register] as string
    case 'S': return SEGMENTS[(it.modrm >> 3) & 7] ?? '?'
    case 'C': return `cr${reg}`
    case 'D': return `dr${reg}`
    case 'V': return `xmm${reg}`
    case 'U': return `xmm${rm}`
    case 'W': return it.memory ? memory() : `xmm${rm}`
    case 'P': return `mm${reg & 7}`
    case 'N': return `mm${rm & 7}`
    case 'Q': return it.memory ? memory() : `mm${rm & 7}`
    case 'ST': return 'st'
    case 'STi': return `st(${rm & 7})`
    case 'XMM0': return 'xmm0'
    case 'CL': return 'cl'
    case 'DX': return 'dx'
    case '1': return '1'
    case 'I': {
      if (spec.width === 'v') return it.size === 8 ? hex(reader.u64()) : it.size === 4 ? hex(reader.u32()) : hex(reader.u16())
      return spec.width === 'b' ? hex(reader.u8()) : hex(reader.u16())
    }
    case 'sI': {
      const value = reader.signed(spec.width === 'b' ? 1 : it.size === 2 ? 2 : 4)
      return truncated(value, position === 0 && it.row.operation === 'push' && it.size === 8 ? 8 : it.size)
    }
    case 'J': return `@${reader.signed(spec.width === 'b' ? 1 : it.size === 2 ? 2 : 4)}`
    case 'Ap': {
      const offset = it.size === 2 ? reader.u16() : reader.u32()
      return `${hex(reader.u16())}:${hex(offset)}`
    }
    case 'O': {
      const address = it.addressBytes === 2 ? BigInt(reader.u16()) : it.addressBytes === 4 ? BigInt(reader.u32()) : reader.u64()
      return `${it.prefixes.segment >= 0 ? (SEGMENTS[it.prefixes.segment] as string) : 'ds'}:${hex(address)}`
    }
  }
}

const STRING_SUFFIX: Readonly<Record<number, string>> = { 1: 'b', 2: 'w', 4: 'd', 8: 'q' }

const mnemonicOf = (it: Instruction): string => {
  const { row, size } = it
  switch (row.operation) {
    case 'jcc': return `j${CONDITIONS[row.variant] as string}`
    case 'setcc': return `set${CONDITIONS[row.variant] as string}`
    case 'cmovcc': return `cmov${CONDITIONS[row.variant] as string}`
    case 'fcmovcc': return `fcmov${FCMOV[row.variant] as string}`
    case 'cbw': return size === 2 ? 'cbw' : size === 4 ? 'cwde' : 'cdqe'
    case 'cwd': return size === 2 ? 'cwd' : size === 4 ? 'cdq' : 'cqo'
    case 'jcxz': return it.addressBytes === 2 ? 'jcxz' : it.addressBytes === 4 ? 'jecxz' : 'jrcxz'
    case 'ud': return ['ud2', 'ud1', 'ud0'][row.variant] as string
    case 'clflush': return ['clflush', 'clflushopt', 'clwb'][row.variant] as string
    case 'prefetch': {
      const kind = (it.modrm >> 3) & 7
      if (row.opcode === 0x18) return `prefetch${['nta', 't0', 't1', 't2'][kind] ?? ` (${kind})`}`
      return kind === 1 ? 'prefetchw' : kind === 2 ? 'prefetchwt1' : 'prefetch'
    }
    case 'fxsave': case 'fxrstor': case 'xsave': case 'xrstor': case 'xsaveopt': case 'xsavec': case 'xsaves': case 'xrstors':
      return size === 8 ? `${row.operation}64` : row.operation
    case 'push': case 'pop': case 'push_sreg': case 'pop_sreg': case 'ret': case 'ret_imm': {
      const name = MNEMONICS[row.operation] ?? row.operation
      const usual = it.mode === 2 ? 8 : it.mode === 0 ? 2 : 4
      // a general register or memory operand shows its size itself
      return size === usual || row.operands.some((spec) => spec.addressing === 'E' || spec.addressing === 'Z') ? name : `${name}${STRING_SUFFIX[size] as string}`
    }
    case 'mov':
      return it.mode === 2 && it.addressBytes === 8 && row.operands.some((spec) => spec.addressing === 'O' || (spec.width === 'v' && spec.addressing === 'I' && size === 8))
        ? 'movabs' : 'mov'
    case 'iret': case 'pushf': case 'popf': case 'pusha': case 'popa': case 'enter': case 'leave': case 'retf': case 'retf_imm': case 'sysret': case 'sysexit': {
      const name = MNEMONICS[row.operation] ?? row.operation
      const usual = row.size === 'd64' && it.mode === 2 ? 8 : it.mode === 0 ? 2 : 4
      return size === usual ? name : `${name}${STRING_SUFFIX[size] as string}`
    }
    case 'movd': return size === 8 ? 'movq' : 'movd'
    case 'pextrd': return size === 8 ? 'pextrq' : 'pextrd'
    case 'pinsrd': return size === 8 ? 'pinsrq' : 'pinsrd'
    default: return MNEMONICS[row.operation] ?? row.operation
  }
}

const unknown = (reader: Reader, offset: number): Disassembly => ({ text: '(bad)', length: reader.position - offset, row: undefined })

const REP_NAMES: Readonly<Record<'none' | 'rep' | 'repe', readonly [f3: string, f2: string]>> = {
  none: ['', ''], rep: ['rep ', 'repnz '], repe: ['repz ', 'repnz '],
}

/** String operations with their implied operands, as objdump shows them. */
const stringOperands = (it: Instruction): string => {
  const name = (register: number): string => gprName(register, it.addressBytes, 1)
  const width = MEMORY_NAMES[it.size] as string
  const accumulator = gprName(0, it.size, 0)
  const source = `${width}${it.prefixes.segment >= 0 ? (SEGMENTS[it.prefixes.segment] as string) : 'ds'}:[${name(6)}]`
  const destination = `${width}es:[${name(7)}]`
  switch (it.row.operation) {
    case 'movs': return `${destination},${source}`
    case 'cmps': return `${source},${destination}`
    case 'stos': return `${destination},${accumulator}`
    case 'lods': return `${accumulator},${source}`
    case 'scas': return `${accumulator},${destination}`
    case 'ins': return `${destination},dx`
    case 'outs': return `dx,${source}`
    case 'xlat': return `BYTE PTR ${it.prefixes.segment >= 0 ? (SEGMENTS[it.prefixes.segment] as string) : 'ds'}:[${name(3)}]`
    default: return ''
  }
}

const prefixText = (it: Instruction): string => {
  const { repeat } = traitsOf(it.row.operation)
  const rep = it.prefixes.rep ? REP_NAMES[repeat][it.prefixes.rep === 0xf3 ? 0 : 1] : ''
  return `${it.prefixes.lock ? 'lock ' : ''}${rep}`
}

const candidatesOf = (map: number, byte: number): readonly IndexedRow[] => INDEX.get(opcodeKey(map, byte)) ?? []

const decodeOne = (reader: Reader, offset: number, mode: CodeMode, address: bigint): Disassembly => {
  const { prefixes, byte: first } = readPrefixes(reader, mode)
  let map = 0
  let byte = first
  if (byte === 0x0f) {
    map = 1
    byte = reader.u8()
    if (byte === 0x38 || byte === 0x3a) {
      map = byte === 0x38 ? 2 : 3
      byte = reader.u8()
    }
  }
  const candidates = candidatesOf(map, byte)
  const firstCandidate = candidates[0]
  if (!firstCandidate) return unknown(reader, offset)
  const modrm = firstCandidate.row.hasModrm ? reader.u8() : 0
  const row = candidates.find((candidate) => matches(candidate.row, mode, prefixes, modrm))?.row
  if (!row) return unknown(reader, offset)

  const size = operandSize(row.size, mode, prefixes.size66, (prefixes.rex & 8) !== 0)
  const addressBytes = mode === 2 ? (prefixes.address67 ? 4 : 8) : (mode === 0) !== prefixes.address67 ? 2 : 4
  const memory = row.hasModrm && modrm < 0xc0 && !ignoresMod(row)
  const it: Instruction = { row, mode, prefixes, opcode: byte, modrm, size, addressBytes, memory }
  const location = memory ? readMemory(reader, it) : { text: '', relative: undefined }
  const texts = row.operands.map((spec, i) => operandText(spec, i, it, reader, location.text))
  const reg = (modrm >> 3) & 7
  if (row.operands.some((spec, i) => spec.addressing === 'S' && (reg > 5 || (i === 0 && reg === 1)))) return unknown(reader, offset)
  const control = reg | ((prefixes.rex & 4) << 1)
  if (row.operands.some((spec) => (spec.addressing === 'C' && ![0, 2, 3, 4, 8].includes(control)) || (spec.addressing === 'D' && control > 7))) {
    return unknown(reader, offset)
  }
  if (prefixes.lock) {
    const destination = row.operands[0]?.addressing
    if (!traitsOf(row.operation).lockable || !memory || (destination !== 'E' && destination !== 'M')) return unknown(reader, offset)
  }
  const length = reader.position - offset
  const next = address + BigInt(length)
  const operands: string[] = texts.map((text) => {
    if (!text.startsWith('@')) return text
    return truncated(next + BigInt(text.slice(1)), size)
  })
  const comment = location.relative === undefined ? '' : ` # ${truncated(next + BigInt(location.relative), addressBytes)}`
  if (operands.length === 0) operands.push(...[stringOperands(it)].filter((text) => text !== ''))
  if (row.feature === 'x87' && memory && operands[0] === 'st') operands.shift()
  if (/^fu?comip?$/.test(row.operation)) operands.unshift('st')
  const text = `${prefixText(it)}${mnemonicOf(it)}${operands.length ? ` ${operands.join(',')}` : ''}${comment}`
  return { text, length, row }
}

/** Disassembles the instruction at bytes[offset]; `address` is where the guest has it. */
export const disassemble = (bytes: Uint8Array, offset: number, mode: CodeMode, address: number | bigint): Disassembly => {
  const reader = new Reader(bytes, offset)
  try {
    return decodeOne(reader, offset, mode, BigInt(address))
  } catch (error) {
    if (error instanceof Starved) return { text: '(bad)', length: Math.min(LENGTH_MAX, bytes.length - offset), row: undefined }
    throw error
  }
}
