import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { disassemble, type CodeMode } from './disassembler'
import { samplesOf } from './sample'
import { ROWS } from './table'

const MODES: Readonly<Record<string, CodeMode>> = { '16': 0, '32': 1, '64': 2 }
const fixture = readFileSync(fileURLToPath(new URL('./fixtures/objdump.txt', import.meta.url)), 'utf8').trimEnd().split('\n')

/** Rows that objdump knows by other names or not at all, by operation or row id, with the reason. */
const DIFFERENT: Readonly<Record<string, string>> = {
  tzcnt: 'without BMI1 the encoding is BSF',
  salc: 'undocumented; objdump has it only as (bad)',
  ud: 'objdump sizes the operands of UD0 and UD1 by the operand size',
  cmpps: 'objdump writes the predicate into the name', cmppd: 'as cmpps', cmpss: 'as cmpps', cmpsd: 'as cmpps',
  'fxch DD /1 reg': 'undocumented alias', 'fxch DF /1 reg': 'undocumented alias', 'fcom DC /2 reg': 'undocumented alias',
  'fcomp DC /3 reg': 'undocumented alias', 'fcomp DE /2 reg': 'undocumented alias', 'fstp D9 /3 reg': 'undocumented alias',
  'fstp DF /2 reg': 'undocumented alias', 'fstp DF /3 reg': 'undocumented alias',
  'nop 0F 1A': 'MPX where it exists', 'nop 0F 1B': 'MPX where it exists', 'nop 0F 1C': 'CLDEMOTE where it exists', 'nop 0F 1E': 'CET where it exists',
  mov_to_sreg: 'objdump shows a 32-bit source',
  push_sreg: 'objdump names the size',
  mfence: 'objdump knows only r/m 0; processors ignore it', sfence: 'as mfence',
  fnop: 'FENI, FDISI and FSETPM do nothing since the 387',
}

/** Differences of notation that mean nothing. */
const normalize = (text: string): string => text
  .replace(/#.*$/, '').trim()
  .replace(/^(?:(?:fs|gs|cs|ds|es|ss|repz|data16|data32|addr16|addr32|rex(?:\.[WRXB]+)?|bnd) )+(?=\S)/, '')
  .replace(/^(sgdt|sidt|lgdt|lidt|sysret|sysexit)[dwq]\b/, '$1')
  .replace(/^(pushf|popf|pusha|popa|iret|enter|leave|ret|retf|push|pop)[wdq]\b/, '$1')
  .replace(/^(xsave|xrstor|fxsave|fxrstor|invlpg|invpcid|clflush|clflushopt|clwb|prefetch\w*|ldmxcsr|stmxcsr|smsw|lgdt|sgdt|lidt|sidt) (?:BYTE|WORD|DWORD|QWORD|OWORD|XMMWORD|FWORD) PTR /, '$1 ')
  .replace(/^(j\w+|call|loop\w*) 0x[0-9a-f]+$/, '$1 target')
  .replace(/FWORD PTR|TBYTE PTR/, 'FAR PTR')
  .replace(/\bOWORD PTR/, 'XMMWORD PTR')
  .replace(/^lddqu (xmm\d+),XMMWORD PTR /, 'lddqu $1,')

const parse = (line: string): { id: string; operation: string; rowId: string; mode: CodeMode; bytes: Uint8Array; length: number; text: string } => {
  const [id, hex, length, text] = line.split('\t') as [string, string, string, string]
  const bytes = Uint8Array.from(hex.match(/../g) as string[], (pair) => parseInt(pair, 16))
  const mode = MODES[(/ @(\d\d)/.exec(id) as RegExpExecArray)[1] as string] as CodeMode
  const rowId = id.replace(/ @\d\d( m)?$/, '')
  return { id, operation: id.split(' ')[0] as string, rowId, mode, bytes, length: Number(length), text }
}

describe('disassembler', () => {
  it('has a line of the fixture for every sample of every row', () => {
    const ids = new Set(fixture.map((line) => line.split('\t')[0]))
    const missing = ROWS.flatMap(samplesOf).filter((sample) => !ids.has(sample.id)).map((sample) => sample.id)
    expect(missing, 'run tools/isa-fixture.ts').toEqual([])
  })

  it('reads every row as objdump does', () => {
    const wrong: string[] = []
    for (const line of fixture) {
      const { id, operation, rowId, mode, bytes, length, text } = parse(line)
      const known = disassemble(bytes, 0, mode, 0)
      if (known.length !== bytes.length && operation !== 'tzcnt') wrong.push(`${id}: length ${known.length}, encoded ${bytes.length}`)
      if (operation in DIFFERENT || [...Object.keys(DIFFERENT)].some((key) => rowId === key)) continue
      if (text.includes('(bad)') || known.length !== length || normalize(known.text) !== normalize(text)) {
        wrong.push(`${id}: ${known.length} ${known.text} | objdump ${length} ${text}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('shows targets, RIP-relative addresses and 64-bit addresses', () => {
    const show = (hex: string, mode: CodeMode, address: number | bigint): string =>
      disassemble(Uint8Array.from(hex.match(/../g) as string[], (pair) => parseInt(pair, 16)), 0, mode, address).text
    expect(show('ebfe', 1, 0x1000)).toBe('jmp 0x1000')
    expect(show('e90000', 0, 0xfffd)).toBe('jmp 0x0')
    expect(show('e8fbffffff', 2, 0xffffffff81000000n)).toBe('call 0xffffffff81000000')
    expect(show('488b0510000000', 2, 0x400000)).toBe('mov rax,QWORD PTR [rip+0x10] # 0x400017')
    expect(show('f3a4', 1, 0)).toBe('rep movs BYTE PTR es:[edi],BYTE PTR ds:[esi]')
    expect(show('f04887442410', 2, 0)).toBe('lock xchg QWORD PTR [rsp+0x10],rax')
    expect(show('f089d8', 1, 0)).toBe('(bad)')
    expect(show('66ea34127856', 1, 0)).toBe('jmp 0x5678:0x1234')
  })

  it('stays within 15 bytes and the end of the input', () => {
    expect(disassemble(new Uint8Array(20).fill(0x66), 0, 1, 0)).toMatchObject({ text: '(bad)', length: 15 })
    expect(disassemble(Uint8Array.of(0x0f), 0, 1, 0)).toMatchObject({ text: '(bad)', length: 1 })
  })
})
