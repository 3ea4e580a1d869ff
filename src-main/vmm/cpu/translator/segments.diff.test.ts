/**
 * Random programs with segments of all kinds, at ring 0: bases that are no multiple of a page, limits that end in the code or in the data, expand-down
 * and 16-bit stacks, instruction pointers around 64 KiB. Interpreter and translator must agree after each slice, in exits, registers, count and memory.
 */
import { expect, it } from 'vitest'
import { selectRows } from '../../testing/case-generator'
import { PAGE_BYTES, STATE_GPR, STATE_RFLAGS } from '../../testing/diff-engine'
import type { DiffCase } from '../../testing/diff-engine'
import { describeMismatch } from '../../testing/differential'
import { generatePrograms } from '../../testing/program-generator'
import { Random } from '../../testing/random'
import { InterpreterEngine } from '../engines/interpreter'
import { TranslatorEngine } from '../engines/translator'
import * as L from '../layout'
import { CODE_0, DATA_0, TestMachine, protect } from '../tests/test-machine'

const CODE_AT = 0x80000
const DATA_AT = 0xa0000
const STACK_AT = 0xc0000
const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const
const TWO_TO_32 = 0x100000000
const ACCESS_CODE = 0x9b00
const ACCESS_DATA = 0x9300
const ACCESS_DOWN = 0x9700
const DEFAULT_32 = 0x400000
const GRANULAR = 0x800000
const BATCHES = 12
const SLICES = [1, 2, 4, 9, 30, 1000]
const INSTRUCTIONS = 4000

interface SegmentChoice {
  readonly name: 'cs' | 'ds' | 'es' | 'ss'
  readonly access: number
  readonly base: number
  readonly limit: number
}

/** Where the program lies, and what its segments are. */
interface Setting {
  readonly ip: number
  readonly at: number
  readonly segments: readonly SegmentChoice[]
}

const wrap = (address: number): number => ((address % TWO_TO_32) + TWO_TO_32) % TWO_TO_32

const choose = (random: Random, { mode, code }: DiffCase): Setting => {
  const at = CODE_AT + random.below(PAGE_BYTES * 2)
  const ip = random.chance(70) ? random.below(0x8000) : 0x10000 - random.below(Math.max(2, code.length + 4))
  const wide = mode === 32 ? DEFAULT_32 : 0
  // pointers of 32-bit programs lie at their places in the address space of the differential tests
  const [data, stack] = mode === 32 ? [0x20000000, 0x30000000] : [0, 0]
  const limit = (usual: number, end: number): number => (random.chance(60) ? usual : Math.max(0, end - 8 + random.below(16)))
  const whole = mode === 32 && random.chance(50) ? 0xffffffff : 0xffff
  const dataSegment = (name: 'ds' | 'es'): SegmentChoice => ({
    name,
    access: (random.chance(8) ? ACCESS_DOWN : random.chance(5) ? 0x9100 : ACCESS_DATA) | wide | GRANULAR,
    base: wrap(DATA_AT + (name === 'es' ? random.below(64) : 0) - data + (random.chance(50) ? random.below(32) : 0)),
    limit: mode === 32 ? (random.chance(70) ? 0xffffffff : data + 0x1f00 + random.below(0x200)) : limit(0xffff, 0x1f00),
  })
  return {
    ip,
    at,
    segments: [
      { name: 'cs', access: ACCESS_CODE | wide | (whole > 0xffff ? GRANULAR : 0), base: wrap(at - ip), limit: whole > 0xffff ? whole : limit(0xffff, Math.min(0xffff, ip + code.length)) },
      dataSegment('ds'),
      dataSegment('es'),
      { name: 'ss', access: ACCESS_DATA | (random.chance(85) ? wide : DEFAULT_32 ^ wide) | GRANULAR, base: wrap(STACK_AT - stack), limit: mode === 32 ? 0xffffffff : limit(0xffff, 0x1000) },
    ],
  }
}

const load = (m: TestMachine, one: DiffCase, { ip, at, segments }: Setting): void => {
  protect(m)
  m.clear(CODE_AT, 4 * PAGE_BYTES)
  for (const place of [DATA_AT, STACK_AT]) for (let i = 0; i < 0x3000; i += 4) m.write32(place + i, Math.imul(i, 0x9e3779b1))
  m.write(at, [...one.code, 0xf4])
  m.core.core('flush_code')()
  const view = new DataView(one.state.buffer, one.state.byteOffset)
  REGISTERS.forEach((name, i) => m.vcpu.setGpr32(name, view.getUint32(STATE_GPR + i * 8, true)))
  m.vcpu.rflags = view.getUint32(STATE_RFLAGS, true) & ~0x200
  for (const { name, access, base, limit } of segments) m.vcpu.setSegment(name, name === 'cs' ? CODE_0 : DATA_0, access, base, limit)
  m.vcpu.rip = ip
}

const see = (m: TestMachine, retired: number): string => {
  const memory = (gpa: number): string => Buffer.from(m.bytes.subarray(L.RAM_BASE + gpa, L.RAM_BASE + gpa + 3 * PAGE_BYTES)).toString('base64')
  // the latest exception is remembered from case to case
  const dump = m.vcpu.dump().replace(/last exception.*/, '')
  return [dump, m.vcpu.retired - retired, memory(CODE_AT), memory(DATA_AT), memory(STACK_AT)].join('\n')
}

const interpreter = new TestMachine((core) => new InterpreterEngine(core))
const engines: TranslatorEngine[] = []
const translators = [1, 2].map(
  (threshold) =>
    new TestMachine((core) => {
      const engine = new TranslatorEngine(core, { synchronous: true, threshold })
      engines.push(engine)
      return engine
    }),
)

it.each([16, 32] as const)('%i-bit programs', (mode) => {
  const { rows } = selectRows({ has: () => true })
  for (let batch = 0; batch < BATCHES; batch++) {
    const seed = mode * 1000 + batch
    const programs = generatePrograms(seed, { modes: [mode], rows, length: 24 }, 16)
    programs.cases.forEach((one, index) => {
      const setting = choose(new Random(seed * 64 + index), one)
      const machines = [interpreter, translators[index % translators.length]!]
      for (const m of machines) load(m, one, setting)
      const before = machines.map((m) => m.vcpu.retired)
      const random = new Random(index)
      for (let left = INSTRUCTIONS, at = 0; left > 0; at++) {
        const slice = Math.min(left, random.pick(SLICES))
        left -= slice
        const exits = machines.map((m) => m.run(slice).kind)
        const [expected, found] = machines.map((m, i) => see(m, before[i]!))
        if (exits[0] !== exits[1] || expected !== found) {
          const description = describeMismatch({ batch: programs, index, expected: { state: one.state, words: [] }, actual: { state: one.state, words: [] }, differences: [] })
          expect([exits[1], found], `seed ${seed}, case ${index}, slice ${at} of ${slice}: ${JSON.stringify(setting)}\n${description}`).toEqual([exits[0], expected])
        }
        if (exits[0] !== 'deadline') break
      }
    })
  }
  for (const engine of engines) expect(engine.translationStats()).toMatchObject({ failures: 0, latestFailure: '' })
  expect(engines[0]!.translationStats().regionsTranslated).toBeGreaterThan(400)
})
