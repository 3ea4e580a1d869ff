/**
 * Writes what GNU objdump makes of a sample of every row of the instruction table, for the disassembler's test:
 * npx tsx tools/isa-fixture.ts > src-main/vmm/cpu/isa/fixtures/objdump.txt
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { samplesOf, type Sample } from '../src-main/vmm/cpu/isa/sample'
import { ROWS } from '../src-main/vmm/cpu/isa/table'

const STRIDE = 32
const NOP = 0x90
const MACHINES = ['i8086,intel', 'i386,intel', 'x86-64,intel,intel64'] as const

const dump = (samples: readonly Sample[], mode: 0 | 1 | 2, folder: string): readonly string[] => {
  const code = new Uint8Array(samples.length * STRIDE).fill(NOP)
  samples.forEach((sample, i) => code.set(sample.bytes, i * STRIDE))
  const path = join(folder, 'code.bin')
  writeFileSync(path, code)
  const output = execFileSync('objdump', ['-D', '-z', '-b', 'binary', '-m', 'i386', '-M', MACHINES[mode], '--insn-width=16', path], { maxBuffer: 1 << 28 })
  const lines = new Map<number, string>()
  for (const line of output.toString().split('\n')) {
    const match = /^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*(?:\t(.*))?$/.exec(line)
    if (match) lines.set(parseInt(match[1] as string, 16), `${(match[2] as string).trim().split(/\s+/).length}\t${(match[3] ?? '').replace(/\s+/g, ' ').trim()}`)
  }
  return samples.map((sample, i) => {
    const hex = [...sample.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    return `${sample.id}\t${hex}\t${lines.get(i * STRIDE) ?? '0\t?'}`
  })
}

const folder = mkdtempSync(join(tmpdir(), 'isa-fixture-'))
try {
  const samples = ROWS.flatMap(samplesOf)
  for (const mode of [0, 1, 2] as const) process.stdout.write(`${dump(samples.filter((sample) => sample.mode === mode), mode, folder).join('\n')}\n`)
} finally {
  rmSync(folder, { recursive: true })
}
