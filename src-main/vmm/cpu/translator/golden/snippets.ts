/** Guest code whose translation is kept in golden files: one of each kind that the translator treats in its own way. */
import { ProgramAssembler } from '../../../testing/program-assembler'
import type { CodeMode, RegisterName } from '../../../testing/snippet-machine'

export interface GoldenSnippet {
  readonly name: string
  readonly about: string
  readonly mode: CodeMode
  readonly code: readonly number[]
  readonly registers: Partial<Record<RegisterName, number>>
}

const RAX = 0
const RCX = 1
const RDX = 2
const RBX = 3
const RSI = 6
const RDI = 7
const JNE = 0x85
const DATA = 0x9000

type Write = (a: ProgramAssembler) => void
const BITS = { real: 16, protected32: 32, long: 64 } as const

const snippet = (name: string, about: string, mode: CodeMode, registers: GoldenSnippet['registers'], write: Write): GoldenSnippet => {
  const assembler = new ProgramAssembler(BITS[mode])
  write(assembler)
  return { name, about, mode, registers, code: [...assembler.finish()] }
}

/** Bitwise CRC-32: for each byte xor it in; eight times shift right and, if a bit fell out, xor the polynomial in. */
const crc: Write = (a) => {
  const word = a.mode === 64 ? 8 : 4
  a.label(0)
  a.instruction([0x0f, 0xb6], 4, RDX, { base: RSI, displacement: 0 })
  a.instruction([0x31], 4, RDX, RAX)
  a.instruction([0x83], word, 0, RSI)
  a.raw(1)
  a.raw(0xb9, 8, 0, 0, 0)
  a.label(1)
  a.instruction([0xd1], 4, 5, RAX)
  a.jump([0x73], 2, false)
  a.raw(0x35, 0x20, 0x83, 0xb8, 0xed)
  a.label(2)
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 1, false)
  a.instruction([0xff], 4, 1, RBX)
  a.jump([0x75], 0, false)
}

/** A loop with calls of a function behind it. */
const calls: Write = (a) => {
  a.label(0)
  a.jump([0xe8], 1, true)
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 0, false)
  a.jump([0xeb], 2, false)
  a.label(1)
  a.raw(0x53)
  a.instruction([0x8d], 4, RBX, { base: RAX, index: RCX, scale: 2, displacement: 3 })
  a.instruction([0x01], 4, RBX, RDX)
  a.raw(0x5b, 0xc3)
  a.label(2)
}

/** if (a < b) x++ else if (a == b) y += x; signed, unsigned and equal; SETcc and CMOVcc. */
const diamonds: Write = (a) => {
  a.label(0)
  a.instruction([0x39], 4, RCX, RAX)
  a.jump([0x7c], 1, false)
  a.jump([0x74], 2, false)
  a.instruction([0xff], 4, 0, RDX)
  a.jump([0xeb], 3, false)
  a.label(1)
  a.instruction([0x83], 4, 0, RAX)
  a.raw(7)
  a.jump([0xeb], 3, false)
  a.label(2)
  a.instruction([0x01], 4, RDX, RBX)
  a.label(3)
  a.instruction([0x3b], 4, RDX, { base: RSI, displacement: 4 })
  a.instruction([0x0f, 0x97], 1, 0, RBX)
  a.instruction([0x0f, 0x4e], 4, RDX, RAX)
  a.instruction([0x83], 4, 5, RCX)
  a.raw(1)
  a.jump([0x0f, JNE], 0, true)
}

/** s += a[i] * b[i] in double precision. */
const dotProduct: Write = (a) => {
  a.label(0)
  a.vector(0xf2, 0x10, 0, { base: RSI, index: RCX, scale: 3, displacement: 0 })
  a.vector(0xf2, 0x59, 0, { base: RDI, index: RCX, scale: 3, displacement: 0 })
  a.vector(0xf2, 0x58, 1, 0)
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 0, false)
}

const packed: Write = (a) => {
  a.label(0)
  a.vector(0xf3, 0x6f, 0, { base: RSI, displacement: 0 })
  a.vector(0x66, 0xfe, 0, { base: RDI, displacement: 0 })
  a.vector(0x66, 0x70, 2, 0)
  a.raw(0x1b)
  a.vector(0x66, 0xef, 1, 2)
  a.vector(0xf3, 0x7f, 1, { base: RDI, displacement: 16 })
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 0, false)
}

/** x = x * a + b on the stack of the x87. */
const x87: Write = (a) => {
  const memory = (opcode: number, register: number, displacement: number): void =>
    a.instruction([opcode], 4, register, { base: RSI, displacement }, { plain: true, bytes: false })
  a.raw(0xdb, 0xe3)
  memory(0xdd, 0, 0)
  a.label(0)
  memory(0xdc, 1, 8)
  memory(0xdc, 0, 16)
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 0, false)
  memory(0xdd, 3, 24)
}

const strings: Write = (a) => {
  a.label(0)
  a.raw(0xac, 0xaa) // lodsb; stosb
  a.raw(0xa5) // movsd
  a.raw(0x51)
  a.raw(0xb9, 4, 0, 0, 0)
  a.raw(0xf3, 0xa5) // rep movsd
  a.raw(0x59)
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 0, false)
}

/** A boot sector's way: segment prefixes, 16-bit addresses, LOOP. */
const realMode: Write = (a) => {
  a.label(0)
  a.instruction([0x8a], 1, RAX, { base: RSI, displacement: 0 })
  a.raw(0x26)
  a.instruction([0x88], 1, RAX, { base: RDI, displacement: 2 })
  a.raw(0x46, 0x47)
  a.instruction([0x01], 2, RAX, RDX)
  a.raw(0x52, 0x5a)
  a.jump([0xe2], 0, false)
}

/** Sum of long numbers: CF lives through INC and DEC and around the loop. */
const carries: Write = (a) => {
  a.raw(0xf8)
  a.label(0)
  a.instruction([0x8b], 4, RAX, { base: RSI, displacement: 0 })
  a.instruction([0x11], 4, RAX, { base: RDI, displacement: 0 })
  a.instruction([0x8d], a.mode === 64 ? 8 : 4, RSI, { base: RSI, displacement: 4 })
  a.instruction([0x8d], a.mode === 64 ? 8 : 4, RDI, { base: RDI, displacement: 4 })
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 0, false)
}

/** A loop with two entries. */
const jumpIntoLoop: Write = (a) => {
  a.instruction([0xf6], 1, 0, RDX)
  a.raw(1)
  a.jump([0x75], 1, false)
  a.label(0)
  a.instruction([0x83], 4, 0, RAX)
  a.raw(3)
  a.label(1)
  a.instruction([0x01], 4, RAX, RBX)
  a.instruction([0xff], 4, 1, RCX)
  a.jump([0x75], 0, false)
}

const pointer = { rsi: DATA, rdi: DATA + 0x800, rcx: 5, rbx: 3 }

export const SNIPPETS: readonly GoldenSnippet[] = [
  snippet('crc-64', 'Bitwise CRC-32, 64-bit code', 'long', pointer, crc),
  snippet('crc-32', 'Bitwise CRC-32, flat 32-bit code', 'protected32', pointer, crc),
  snippet('call-ret-64', 'A loop that calls a function, 64-bit code', 'long', pointer, calls),
  snippet('call-ret-32', 'A loop that calls a function, flat 32-bit code', 'protected32', pointer, calls),
  snippet('diamonds-32', 'Compare and branch, SETcc, CMOVcc', 'protected32', pointer, diamonds),
  snippet('sse2-scalar-64', 'Dot product in double precision', 'long', pointer, dotProduct),
  snippet('sse2-packed-64', 'Packed integers', 'long', pointer, packed),
  snippet('x87-32', 'Horner step on the x87 stack', 'protected32', pointer, x87),
  snippet('strings-32', 'String instructions, one with REP', 'protected32', pointer, strings),
  snippet('real-mode-16', 'Real mode: segments, 16-bit addresses, LOOP', 'real', pointer, realMode),
  snippet('carries-32', 'ADC, with CF kept by LEA and DEC', 'protected32', pointer, carries),
  snippet('two-entries-64', 'A jump into the middle of a loop', 'long', { ...pointer, rdx: 1 }, jumpIntoLoop),
]
