/** Runs batches on the real processor, through the harness native.c, which is compiled on the spot. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  CODE_BASE,
  CODE_PAGES,
  CODE_STRIDE,
  DATA_BASE,
  DATA_LIMIT_16,
  DATA_PAGES,
  DATA_WRITABLE_PAGES,
  STACK_BASE,
  STACK_LIMIT_16,
  STACK_PAGES,
  STATE_BYTES,
  STATE_WORDS,
  codePages,
} from '../diff-engine'
import type { DiffBatch, DiffEngine, Outcome } from '../diff-engine'
import type { Feature } from '../../cpu/isa/row'

const MAGIC = 0x4352434f
const HEADER_BYTES = 64
const WORD_BYTES = 16
const SOURCE = fileURLToPath(new URL('./native.c', import.meta.url))

/** Features as Linux names them in /proc/cpuinfo; those not listed (which Vitrine's processor lacks, too) are never run. */
const CPUINFO_FLAGS: Partial<Readonly<Record<Feature, string>>> = {
  x87: 'fpu',
  CMOV: 'cmov',
  CX8: 'cx8',
  CX16: 'cx16',
  MMX: 'mmx',
  SSE: 'sse',
  SSE2: 'sse2',
  SSE3: 'pni',
  SSSE3: 'ssse3',
  'SSE4.1': 'sse4_1',
  'SSE4.2': 'sse4_2',
  POPCNT: 'popcnt',
  LZCNT: 'abm',
  BMI1: 'bmi1',
  MOVBE: 'movbe',
  FXSR: 'fxsr',
  CLFSH: 'clflush',
  CLFLUSHOPT: 'clflushopt',
  CLWB: 'clwb',
  LAHF64: 'lahf_lm',
  MSR: 'msr',
  TSC: 'tsc',
  ADX: 'adx',
  PREFETCHW: '3dnowprefetch',
  SMAP: 'smap',
}

export interface NativeOracle extends DiffEngine {
  /** Does this processor have the feature? */
  has(feature: Feature): boolean
  readonly cpu: string
}

/** Why there is no native oracle here, or the oracle. */
export const openNativeOracle = (): NativeOracle | string => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'the native oracle needs Linux on x86-64'
  const compiled = compile()
  if (compiled.path === undefined) return compiled.reason
  const cpuinfo = readFileSync('/proc/cpuinfo', 'utf8')
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' '))
  return {
    name: 'native',
    cpu: /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? 'unknown',
    has: (feature) => flags.has(CPUINFO_FLAGS[feature] ?? 'none'),
    run: (batch) => runNatively(compiled.path, batch),
  }
}

type Compiled = { readonly path: string; readonly reason?: undefined } | { readonly path?: undefined; readonly reason: string }

const compile = (): Compiled => {
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16)
  const folder = join(tmpdir(), 'vitrine-native-oracle')
  const path = join(folder, digest)
  if (existsSync(path)) return { path }
  mkdirSync(folder, { recursive: true })
  const scratch = `${path}.${process.pid}`
  const result = spawnSync('cc', ['-O1', '-o', scratch, SOURCE], { encoding: 'utf8' })
  if (result.error) return { reason: 'the native oracle needs a C compiler (cc)' }
  if (result.status !== 0) return { reason: `cc cannot compile native.c: ${result.stderr.trim().split('\n')[0] ?? ''}` }
  renameSync(scratch, path)
  return { path }
}

const runNatively = (path: string, batch: DiffBatch): readonly Outcome[] => {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES))
  const fields32 = [MAGIC, batch.cases.length, CODE_PAGES, CODE_STRIDE]
  fields32.forEach((value, i) => header.setUint32(i * 4, value, true))
  const fields64 = [CODE_BASE, DATA_BASE, STACK_BASE]
  fields64.forEach((value, i) => header.setBigUint64(16 + i * 8, BigInt(value), true))
  const pages = [DATA_PAGES, DATA_WRITABLE_PAGES, STACK_PAGES, DATA_LIMIT_16, STACK_LIMIT_16]
  pages.forEach((value, i) => header.setUint32(40 + i * 4, value, true))
  const states = batch.cases.map(({ state }) => state)
  const input = Buffer.concat([new Uint8Array(header.buffer), batch.image.data, batch.image.stack, codePages(batch), ...states])
  const result = spawnSync(path, [], { input, maxBuffer: 1 << 30 })
  if (result.status !== 0) {
    throw new Error(`native oracle: ${result.stderr.toString().trim() || `status ${result.status}, signal ${result.signal}`}`)
  }
  return parse(result.stdout, batch.cases.length)
}

const parse = (output: Buffer, count: number): readonly Outcome[] => {
  const outcomes: Outcome[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const state = new Uint8Array(output.subarray(at, at + STATE_BYTES))
    const words: (readonly [number, number, number])[] = []
    const wordCount = output.readUInt32LE(at + STATE_WORDS)
    at += STATE_BYTES
    for (let word = 0; word < wordCount; word++, at += WORD_BYTES) {
      words.push([output.readUInt32LE(at), output.readUInt32LE(at + 8), output.readUInt32LE(at + 12)])
    }
    outcomes.push({ state, words })
  }
  return outcomes
}
