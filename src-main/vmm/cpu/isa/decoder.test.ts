import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import * as L from '../layout'
import { buildDecoderTables } from './decoder-tables'
import { disassemble, type CodeMode } from './disassembler'
import { forms } from './forms'
import type { Form } from './form'
import { samplesOf } from './sample'
import { ROWS } from './table'
import { compileCore } from './testing/compile-core'

const CODE = 0x180000
const RECORD = 0x181000
const MEMORY_PAGES = 32
const INSTRUCTION_MAX = 15
const MODES = [0, 1, 2] as const

interface Decoded {
  readonly length: number
  readonly form: Form
  readonly record: DataView
  byte(offset: number): number
}

let decodeBytes: (bytes: Uint8Array, mode: CodeMode) => Decoded

beforeAll(async () => {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: 0x10000 })
  const { exports } = new WebAssembly.Instance(await compileCore('./core/decode/decode'), { env: { memory } })
  const decode = exports['decode_instruction'] as (code: number, available: number, mode: number, record: number) => number
  const bytes = new Uint8Array(memory.buffer)
  bytes.set(buildDecoderTables(), L.DECODER_TABLES)
  decodeBytes = (code, mode) => {
    bytes.set(code, CODE)
    const length = decode(CODE, code.length, mode, RECORD)
    const record = new DataView(memory.buffer.slice(RECORD, RECORD + L.REC_BYTES))
    return { length, form: forms[record.getUint16(L.REC_HANDLER, true)] as Form, record, byte: (offset) => record.getUint8(offset) }
  }
})

const fromHex = (hex: string): Uint8Array => Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (pair) => parseInt(pair, 16))
const decode = (hex: string, mode: CodeMode): Decoded => decodeBytes(fromHex(hex), mode)

/** Deterministic bytes (Numerical Recipes' generator). */
const randomBytes = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  }
}

const PREFIXES = [0x66, 0xf3, 0xf2, 0x67, 0x64, 0x2e, 0xf0]

/** Random instructions, biased towards prefixes and the two-byte maps; padded with NOP. */
const randomCode = (next: () => number, mode: CodeMode): Uint8Array => {
  const code = new Uint8Array(INSTRUCTION_MAX + 1)
  const kind = next()
  let at = 0
  if (kind & 1) code[at++] = PREFIXES[next() % PREFIXES.length] as number
  if (kind & 2 && mode === 2) code[at++] = 0x40 | (next() & 15)
  if (kind & 4) {
    code[at++] = 0x0f
    if ((kind & 0x38) === 0x38) code[at++] = kind & 0x40 ? 0x38 : 0x3a
  }
  while (at < code.length) code[at++] = next()
  return code
}

describe('decoder', () => {
  it('decodes every row of the table to a form of its operation, with the right length', () => {
    const wrong: string[] = []
    for (const row of ROWS) {
      for (const { id, mode, memory, bytes } of samplesOf(row)) {
        const { length, form } = decodeBytes(bytes, mode)
        const isMemory = form.operands.some((operand) => operand.kind === 'mem')
        const expected = row.feature === 'BMI1' ? 'bsf' : row.operation
        if (length !== bytes.length || form.operation !== expected || (isMemory && !memory)) wrong.push(`${id}: ${length} ${form.key}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('agrees with the disassembler over random bytes in all modes', () => {
    const wrong: string[] = []
    for (const mode of MODES) {
      const next = randomBytes(mode + 1)
      for (let i = 0; i < 30_000; i++) {
        const code = randomCode(next, mode)
        const { length, form } = decodeBytes(code, mode)
        const expected = disassemble(code, 0, mode, 0)
        const known = form.handler !== 0 && form.operation !== 'too_long' && (form.operation !== 'ud' || /^ud/.test(expected.text))
        const same = known ? expected.row?.operation === form.operation && expected.length === length : expected.row === undefined
        if (!same) wrong.push(`${mode} ${Buffer.from(code).toString('hex')}: ${length} ${form.key} | ${expected.length} ${expected.text}`)
      }
    }
    expect(wrong.slice(0, 20)).toEqual([])
  })

  it('needs every byte of the instruction and no more', () => {
    const next = randomBytes(99)
    for (let i = 0; i < 3000; i++) {
      const code = randomCode(next, 2)
      const { length, form } = decodeBytes(code, 2)
      if (form.handler === 0 || form.operation === 'ud' || form.operation === 'too_long') continue
      expect(decodeBytes(code.slice(0, length), 2).length).toBe(length)
      expect(decodeBytes(code.slice(0, length - 1), 2).length).toBe(0)
    }
  })

  it('takes the operand size from mode, 66 and REX.W', () => {
    expect(decode('01d8', 0).form.key).toBe('add 2 gpr2 gpr2')
    expect(decode('6601d8', 0).form.key).toBe('add 4 gpr4 gpr4')
    expect(decode('6601d8', 1).form.key).toBe('add 2 gpr2 gpr2')
    expect(decode('4801d8', 2).form.key).toBe('add 8 gpr8 gpr8')
    expect(decode('664801d8', 2).form.key).toBe('add 8 gpr8 gpr8')
    expect(decode('50', 2).form.key).toBe('push 8 gpr8')
    expect(decode('6650', 2).form.key).toBe('push 2 gpr2')
    expect(decode('66e800000000', 2).form.key).toBe('call_rel 8 rel')
    expect(decode('66e80000', 1)).toMatchObject({ length: 4, form: { key: 'call_rel 2 rel' } })
    // REX counts only right before the opcode
    expect(decode('486601d8', 2).form.key).toBe('add 2 gpr2 gpr2')
  })

  it('finds high-byte registers without REX and the low ones with it', () => {
    expect(decode('88e0', 1).byte(L.REC_OP1)).toBe(1)
    expect(decode('88f8', 1).byte(L.REC_OP1)).toBe(3 * 8 + 1)
    expect(decode('4088f8', 2).byte(L.REC_OP1)).toBe(7 * 8)
    expect(decode('4488f8', 2).byte(L.REC_OP1)).toBe(15 * 8)
  })

  it('addresses memory in the 16-bit forms', () => {
    const bpSi = decode('8b4210', 0)
    expect([bpSi.byte(L.REC_BASE), bpSi.byte(L.REC_INDEX), bpSi.byte(L.REC_SEGMENT), bpSi.byte(L.REC_ADDRESS_SHIFT)]).toEqual([40, 48, L.SEG_SS, 48])
    const direct = decode('8b06f0ff', 0)
    expect([direct.byte(L.REC_BASE), direct.byte(L.REC_INDEX), direct.byte(L.REC_SEGMENT)]).toEqual([L.REG_ZERO, L.REG_ZERO, L.SEG_DS])
    expect(direct.record.getInt32(L.REC_DISP, true)).toBe(-16)
    expect(decode('268b4600', 0).byte(L.REC_SEGMENT)).toBe(L.SEG_ES)
  })

  it('addresses memory in the 32- and 64-bit forms', () => {
    const sib = decode('8b448d7f', 1)
    expect([sib.byte(L.REC_BASE), sib.byte(L.REC_INDEX), sib.byte(L.REC_SCALE), sib.byte(L.REC_SEGMENT)]).toEqual([40, 8, 2, L.SEG_SS])
    expect(decode('8b0424', 1).byte(L.REC_INDEX)).toBe(L.REG_ZERO)
    const noBase = decode('8b048d78563412', 1)
    expect([noBase.byte(L.REC_BASE), noBase.record.getInt32(L.REC_DISP, true), noBase.byte(L.REC_SEGMENT)]).toEqual([L.REG_ZERO, 0x12345678, L.SEG_DS])
    const relative = decode('488b0510000000', 2)
    expect([relative.byte(L.REC_BASE), relative.byte(L.REC_ADDRESS_SHIFT)]).toEqual([L.REG_NEXT_RIP, 0])
    expect(decode('67488b0510000000', 2).byte(L.REC_ADDRESS_SHIFT)).toBe(32)
    // R12 as base needs a SIB and has SS no more; R13 with mod 0 is RIP-relative too
    expect(decode('498b0424', 2).byte(L.REC_BASE)).toBe(12 * 8)
    expect(decode('498b0424', 2).byte(L.REC_SEGMENT)).toBe(L.SEG_DS)
    expect(decode('498b0500000000', 2).byte(L.REC_BASE)).toBe(L.REG_NEXT_RIP)
    expect(decode('4a8b0420', 2).byte(L.REC_INDEX)).toBe(12 * 8)
  })

  it('knows only FS and GS overrides in 64-bit mode', () => {
    expect(decode('3e8b4500', 2).byte(L.REC_SEGMENT)).toBe(L.SEG_SS)
    expect(decode('648b4500', 2).byte(L.REC_SEGMENT)).toBe(L.SEG_FS)
    expect(decode('642e8b4500', 2).byte(L.REC_SEGMENT)).toBe(L.SEG_FS)
  })

  it('extends immediates as the encoding says', () => {
    const immediate = (hex: string, mode: CodeMode): bigint => decode(hex, mode).record.getBigInt64(L.REC_IMM, true)
    expect(immediate('83c0ff', 1)).toBe(-1n)
    expect(immediate('4881c000000080', 2)).toBe(-0x80000000n)
    expect(immediate('48b8efcdab8967452301', 2)).toBe(0x0123456789abcdefn)
    expect(immediate('c1e0ff', 1)).toBe(0xffn)
    expect(immediate('a178563412', 1)).toBe(0x12345678n)
    expect(immediate('48a1efcdab8967452301', 2)).toBe(0x0123456789abcdefn)
    expect(immediate('74fe', 1)).toBe(-2n)
    const enter = decode('c8341205', 1)
    expect([enter.form.key, enter.record.getBigInt64(L.REC_IMM, true), enter.record.getUint32(L.REC_IMM2, true)]).toEqual(['enter 4 imm2 imm21', 0x1234n, 5])
    const far = decode('ea785634120800', 1)
    expect([far.record.getBigInt64(L.REC_IMM, true), far.record.getUint32(L.REC_IMM2, true)]).toEqual([0x12345678n, 8])
  })

  it('selects by mandatory prefix, F3 and F2 before 66', () => {
    expect(decode('0f58c1', 1).form.operation).toBe('addps')
    expect(decode('660f58c1', 1).form.operation).toBe('addpd')
    expect(decode('f30f58c1', 1).form.operation).toBe('addss')
    expect(decode('66f20f58c1', 1).form.operation).toBe('addsd')
    expect(decode('f2f30f58c1', 1).form.operation).toBe('addss')
    expect(decode('f30fbcc1', 1).form.operation).toBe('bsf')
    expect(decode('f30fbdc1', 1).form.operation).toBe('lzcnt')
    expect(decode('66f20f38f1c1', 1).form.key).toBe('crc32 2 gpr4 gpr2')
    expect(decode('f390', 2).form.operation).toBe('pause')
    expect(decode('4190', 2).form.key).toBe('xchg 4 gpr4 gpr4')
    expect(decode('480fc70f', 2).form.operation).toBe('cmpxchg16b')
    expect(decode('0fc70f', 2).form.operation).toBe('cmpxchg8b')
  })

  it('allows LOCK only before operations that take it, with a memory destination', () => {
    const lock = decode('f00108', 1)
    expect([lock.form.key, lock.byte(L.REC_FLAGS) & L.REC_FLAG_LOCK]).toEqual(['add 4 mem4 gpr4', L.REC_FLAG_LOCK])
    for (const hex of ['f001c8', 'f00308', 'f08908', 'f03908', 'f090', 'f00fa308']) expect(decode(hex, 1).form.operation, hex).toBe('ud')
    expect(decode('f00fc70f', 1).form.operation).toBe('cmpxchg8b')
  })

  it('repeats string operations, and tells REPNE from REPE where it matters', () => {
    expect(decode('f3a4', 1).form.key).toBe('movs 1 a4 rep')
    expect(decode('f2a4', 1).form.key).toBe('movs 1 a4 rep')
    expect(decode('f267a6', 1).form.key).toBe('cmps 1 a2 repne')
    expect(decode('f348ab', 2).form.key).toBe('stos 8 a8 rep')
    expect(decode('64a5', 1).byte(L.REC_SEGMENT)).toBe(L.SEG_FS)
  })

  it('makes #UD records of what is undefined, counted only when nothing describes it', () => {
    expect(decode('0f0b', 1).form.operation).toBe('ud')
    // PUSH ES and AAA exist, but not in 64-bit mode
    expect(decode('06', 2).form.operation).toBe('ud')
    expect(decode('37', 2).form.operation).toBe('ud')
    // MOV CS, AX; CR1; DR8
    expect(decode('8ec8', 1).form.operation).toBe('ud')
    expect(decode('0f20c8', 1).form.operation).toBe('ud')
    expect(decode('440f21c0', 2).form.operation).toBe('ud')
    // VEX
    const vex = decode('c5f877', 2)
    expect([vex.form.handler, vex.record.getUint32(L.REC_OPCODE, true)]).toEqual([0, 0xc5])
    expect(decode('660f38ff00', 1).record.getUint32(L.REC_OPCODE, true)).toBe(0x266ff)
  })

  it('gives #GP after 15 bytes', () => {
    expect(decode(`${'66'.repeat(14)}90`, 1)).toMatchObject({ length: 15, form: { operation: 'nop' } })
    expect(decode(`${'66'.repeat(15)}90`, 1)).toMatchObject({ length: 15, form: { operation: 'too_long' } })
    expect(decode(`${'66'.repeat(13)}b80000`, 1)).toMatchObject({ length: 15, form: { operation: 'too_long' } })
  })

  const hasObjdump = ((): boolean => {
    try {
      execFileSync('objdump', ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()

  it.skipIf(!hasObjdump)('agrees with objdump about lengths of random instructions (needs binutils)', () => {
    const stride = 32
    const count = 2000
    const folder = mkdtempSync(join(tmpdir(), 'decoder-test-'))
    const wrong: string[] = []
    for (const mode of MODES) {
      const next = randomBytes(mode + 1000)
      const codes = Array.from({ length: count }, () => randomCode(next, mode))
      const file = new Uint8Array(count * stride).fill(0x90)
      codes.forEach((code, i) => file.set(code, i * stride))
      const path = join(folder, 'code.bin')
      writeFileSync(path, file)
      const machine = ['i8086', 'i386', 'x86-64,intel64'][mode] as string
      const dump = execFileSync('objdump', ['-D', '-z', '-b', 'binary', '-m', 'i386', '-M', `${machine},intel`, '--insn-width=16', path], { maxBuffer: 1 << 26 })
      for (const line of dump.toString().split('\n')) {
        const match = /^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(.*)$/.exec(line)
        const address = match ? parseInt(match[1] as string, 16) : 1
        // objdump shows misplaced REX prefixes, and prefixes that it cannot place, as lines of their own
        if (!match || address % stride !== 0 || /\(bad\)|^rex\S*\s*$|^(?:\w+ )*rex\S*\s*$|^(?:repn?z|data16|addr32|[c-gs]s|lock)\s*$/.test(match[3] as string)) continue
        const code = codes[address / stride] as Uint8Array
        const { length, form } = decodeBytes(code, mode)
        if (form.handler === 0 || form.operation === 'ud' || form.operation === 'too_long') continue
        const expected = (match[2] as string).trim().split(/\s+/).length
        if (length !== expected && !/\b(?:fwait|bnd|bndldx|bndstx|bndmov|bndcl|bndcu|bndcn|bndmk|f[a-z]+)\b/.test(match[3] as string)) {
          wrong.push(`${mode} ${Buffer.from(code).toString('hex')}: ${length} ${form.key} | ${line.trim()}`)
        }
      }
    }
    rmSync(folder, { recursive: true })
    expect(wrong).toEqual([])
  })
})

describe('decoder tables', () => {
  it('leave out features that the processor lacks', () => {
    expect(buildDecoderTables([]).length).toBeGreaterThan(buildDecoderTables(['SSE4.1', 'SSE4.2']).length)
    expect(buildDecoderTables().length).toBeLessThanOrEqual(L.DECODER_TABLES_BYTES)
  })
})
