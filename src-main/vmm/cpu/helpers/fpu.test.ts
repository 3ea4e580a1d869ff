/** The floating-point helpers against the real processor, operation by operation, with random and special operands. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const RECORD = 192
const RECORDS_AT = 0x20000
const VCPU_AT = 0x10000

/** A small seeded generator (xorshift). */
const generator = (seed: number): (() => number) => {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
type Random = () => number

const SPECIAL_64: readonly bigint[] = [
  0n,
  1n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x0010000000000001n,
  0x3ff0000000000000n,
  0x3fefffffffffffffn,
  0x3ff0000000000001n,
  0x3fe0000000000000n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0x7ff0000000000001n,
  0x7ff8000000000000n,
  0x7fffffffffffffffn,
  0x7ff4000000000123n,
  0x41dfffffffc00000n,
  0x41e0000000000000n,
  0x43e0000000000000n,
  0x43dfffffffffffffn,
  0x4330000000000000n,
  0x3cb0000000000000n,
  0x36a0000000000000n,
  0x47efffffe0000000n,
  0x380fffffffffffffn,
]
const SPECIAL_32: readonly number[] = [
  0, 1, 0x7fffff, 0x800000, 0x800001, 0x3f800000, 0x3f7fffff, 0x3f800001, 0x3f000000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000,
  0x7fffffff, 0x7fa00001, 0x4f000000, 0x4effffff, 0x5f000000, 0x4b000000, 0x4b800000, 0x34000000,
]

const float64 = (random: Random): bigint => {
  const sign = random() & 1 ? 1n << 63n : 0n
  const kind = random() % 8
  if (kind < 2) return (SPECIAL_64[random() % SPECIAL_64.length] ?? 0n) | sign
  const bits = (BigInt(random()) << 32n) | BigInt(random())
  if (kind === 2) return bits
  const exponent = kind === 3 ? BigInt(random() % 60) : kind === 4 ? BigInt(1990 + (random() % 57)) : BigInt(960 + (random() % 130))
  const fraction = kind >= 6 ? bits & 0xffff000000000000n & 0xfffffffffffffn : bits & 0xfffffffffffffn
  return sign | (exponent << 52n) | fraction
}
const float32 = (random: Random): number => {
  const sign = random() & 1 ? 0x80000000 : 0
  const kind = random() % 8
  if (kind < 2) return ((SPECIAL_32[random() % SPECIAL_32.length] ?? 0) | sign) >>> 0
  if (kind === 2) return random()
  const exponent = kind === 3 ? random() % 30 : kind === 4 ? 230 + (random() % 25) : 96 + (random() % 64)
  return (sign | (exponent << 23) | (random() & (kind >= 6 ? 0x7f8000 : 0x7fffff))) >>> 0
}

interface Extended {
  readonly sig: bigint
  readonly se: number
}
const TOP = 1n << 63n
const SPECIAL_SIGS: readonly bigint[] = [
  TOP,
  TOP + 1n,
  0xffffffffffffffffn,
  0xc000000000000000n,
  0xa000000000000000n,
  0x8000000000000400n,
  0x80000000000003ffn,
  0n,
  1n,
  0x7fffffffffffffffn,
  0x4000000000000000n,
]
const SPECIAL_SES: readonly number[] = [
  0, 1, 2, 0x3fff, 0x3ffe, 0x4000, 0x403d, 0x403e, 0x403f, 0x7ffe, 0x7fff, 0x3fbf, 0x3c01, 0x43fe, 0x3f81, 0x407e, 0x400e, 0x401e, 0x402d,
]
const extended80 = (random: Random): Extended => {
  const sign = random() & 1 ? 0x8000 : 0
  const kind = random() % 10
  const bits = (BigInt(random()) << 32n) | BigInt(random())
  const special = SPECIAL_SIGS[random() % SPECIAL_SIGS.length] ?? TOP
  const se = SPECIAL_SES[random() % SPECIAL_SES.length] ?? 0
  if (kind === 0) return { sig: special, se: se | sign }
  if (kind === 1) return { sig: bits | TOP, se: se | sign }
  if (kind === 2) return { sig: random() % 3 ? special | TOP : 0n, se: random() % 3 ? (0x3ff0 + (random() % 80)) | sign : sign }
  if (kind === 3) return { sig: bits, se: random() & 0xffff }
  if (kind === 4) return { sig: bits | TOP, se: (random() % 100) | sign }
  if (kind === 5) return { sig: bits | TOP, se: (0x7fa0 + (random() % 0x60)) | sign }
  if (kind === 6) return { sig: (bits & 0xffff000000000000n) | TOP, se: (0x3fe0 + (random() % 80)) | sign }
  return { sig: bits | TOP, se: (0x3fc0 + (random() % 140)) | sign }
}
const decimal = (random: Random): Extended => {
  let sig = 0n
  for (let i = 0; i < 16; i++) sig = (sig << 4n) | BigInt(random() % 10)
  return { sig, se: (random() % 10) | ((random() % 10) << 4) | (random() & 0x8000) }
}

/** Masks often all set, then random; rounding, FZ, DAZ; some flags already set. */
const mxcsr = (random: Random): number => {
  const masks = random() % 3 ? 0x1f80 : random() & 0x1f80
  const modes = random() % 3 ? 0 : random() & 0xe040
  return masks | modes | (random() % 4 ? 0 : random() & 0x3f)
}

const DOUBLE_OPERATIONS = [0, 1, 2, 3, 4, 5, 6, 20, 21, 22, 23, 24, 25, 26, 27, 40, 42, 50, 52, 60, 61, 64, 65, 73, 83, 84, 86, 90, 92, 95]
const SINGLE_OPERATIONS = [
  10, 11, 12, 13, 14, 15, 16, 30, 31, 32, 33, 34, 35, 36, 37, 41, 43, 51, 53, 62, 63, 66, 67, 72, 81, 82, 85, 91, 93, 94,
]
const INTEGER_OPERATIONS = [70, 71, 80]

interface Exports {
  readonly memory: WebAssembly.Memory
  runRecords(vcpu: number, records: number, count: number): void
}

const compiler = ((): string | undefined => ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0))()
const unavailable =
  compiler === undefined ? 'no C compiler (cc, gcc, clang)' : process.arch !== 'x64' ? 'not an x86-64 processor' : undefined

describe.skipIf(unavailable !== undefined)(
  `floating-point helpers against this processor${unavailable ? ` (skipped: ${unavailable})` : ''}`,
  () => {
    let folder = ''
    let core: Exports
    let oracle = ''

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'vitrine-fpu-'))
      oracle = join(folder, 'oracle')
      execFileSync(compiler ?? 'cc', ['-O1', '-o', oracle, join(HERE, 'oracle/float-oracle.c')])
      const wasm = join(folder, 'fpu.wasm')
      const asc = fileURLToPath(new URL('../../../../node_modules/assemblyscript/bin/asc.js', import.meta.url))
      execFileSync(process.execPath, [
        asc,
        join(HERE, '../core/fpu/test-entry.ts'),
        '--runtime',
        'stub',
        '--enable',
        'simd',
        '-O2',
        '--disableWarning',
        '112',
        '--initialMemory',
        '1024',
        '--outFile',
        wasm,
      ])
      const { instance } = await WebAssembly.instantiate(readFileSync(wasm), { env: { abort: () => undefined } })
      core = instance.exports as unknown as Exports
    }, 60_000)
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    /** Runs the records both ways and returns the first mismatches as text. */
    const mismatches = (records: Buffer, differ: (native: DataView, ours: DataView) => boolean): readonly string[] => {
      const count = records.length / RECORD
      const native = execFileSync(oracle, { input: records, maxBuffer: records.length + 1024 })
      const memory = new Uint8Array(core.memory.buffer)
      memory.set(records, RECORDS_AT)
      core.runRecords(VCPU_AT, RECORDS_AT, count)
      const found: string[] = []
      let total = 0
      for (let i = 0; i < count; i++) {
        const left = new DataView(native.buffer, native.byteOffset + i * RECORD, RECORD)
        const right = new DataView(memory.buffer, RECORDS_AT + i * RECORD, RECORD)
        if (!differ(left, right)) continue
        total++
        if (found.length < 12) found.push(describeRecord(left, right))
      }
      return total === 0 ? [] : [`${total} of ${count}`, ...found]
    }
    const hex = (view: DataView, at: number): string =>
      `${view.getBigUint64(at + 8, true).toString(16)}:${view.getBigUint64(at, true).toString(16)}`
    const x87State = (view: DataView): string =>
      `sw ${view.getUint16(84, true).toString(16)} tw ${view.getUint16(88, true).toString(16)} ` +
      [0, 1]
        .map((i) => `${view.getUint16(108 + i * 10 + 8, true).toString(16)}:${view.getBigUint64(108 + i * 10, true).toString(16)}`)
        .join(' ')
    const describeRecord = (native: DataView, ours: DataView): string =>
      `op ${native.getUint32(0, true)} ${native.getUint32(0, true) >= 1000 ? `${x87State(native)} / ${x87State(ours)} ` : ''}control ${native.getUint32(4, true).toString(16)} imm ${native.getUint32(8, true)} a ${hex(native, 16)} b ${hex(native, 32)}: ` +
      `native ${hex(native, 48)} flags ${native.getUint32(64, true).toString(16)} fault ${native.getUint32(68, true)} status ${native.getUint32(72, true).toString(16)}, ` +
      `ours ${hex(ours, 48)} flags ${ours.getUint32(64, true).toString(16)} fault ${ours.getUint32(68, true)} status ${ours.getUint32(72, true).toString(16)}`

    const sseRecords = (random: Random, count: number): Buffer => {
      const records = Buffer.alloc(count * RECORD)
      for (let i = 0; i < count; i++) {
        const at = i * RECORD
        const kind = random() % 9
        const list = kind < 4 ? DOUBLE_OPERATIONS : kind < 8 ? SINGLE_OPERATIONS : INTEGER_OPERATIONS
        records.writeUInt32LE(list[random() % list.length] ?? 0, at)
        records.writeUInt32LE(mxcsr(random), at + 4)
        records.writeUInt32LE(random() & 15, at + 8)
        for (let offset = 16; offset < 48; offset += 8) {
          if (kind < 4) records.writeBigUInt64LE(float64(random), at + offset)
          else if (kind < 8) for (const half of [0, 4]) records.writeUInt32LE(float32(random), at + offset + half)
          else records.writeBigUInt64LE(((BigInt(random()) << 32n) | BigInt(random())) >> BigInt(random() % 64), at + offset)
        }
      }
      return records
    }
    const sseDiffers = (native: DataView, ours: DataView): boolean => {
      if (native.getUint32(64, true) !== ours.getUint32(64, true) || native.getUint32(68, true) !== ours.getUint32(68, true)) return true
      if (native.getUint32(72, true) !== ours.getUint32(72, true)) return true
      return native.getUint32(68, true) === 0 && hex(native, 48) !== hex(ours, 48)
    }

    it('SSE arithmetic, comparisons and conversions give the same bits, flags and faults', () => {
      for (let round = 0; round < 4; round++) expect(mismatches(sseRecords(generator(1000 + round), 50_000), sseDiffers)).toEqual([])
    })

    const X87_OPERATIONS = [
      1000, 1001, 1004, 1005, 1006, 1007, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019, 1020, 1021, 1022, 1023, 1024, 1025,
      1026, 1027, 1028, 1030, 1031, 1032, 1033, 1034, 1035, 1036, 1037, 1040, 1041, 1042, 1043, 1044, 1045, 1046, 1047, 1048, 1049, 1060,
      1061, 1062, 1063, 1064, 1065, 1066,
    ]
    const x87Records = (random: Random, count: number, operations: readonly number[], extended: (random: Random) => Extended): Buffer => {
      const records = Buffer.alloc(count * RECORD)
      for (let i = 0; i < count; i++) {
        const at = i * RECORD
        const op = operations[random() % operations.length] ?? 0
        const masks = random() % 3 ? 0x3f : random() & 0x3f
        records.writeUInt32LE(op, at)
        records.writeUInt32LE(0x40 | masks | (random() % 2 ? 0x300 : random() & 0xf00), at + 4)
        const stack = random() % 12 ? 0 : random() & 0x700
        records.writeUInt32LE(stack | (random() % 3 ? 0 : (random() & 0x4700) << 16), at + 8)
        let second = extended(random)
        const first = random() % 20 ? extended(random) : second
        if (op === 1048) second = decimal(random)
        else if (op >= 1040 && op <= 1046)
          second = { sig: random() % 2 ? float64(random) : (BigInt(random()) << 32n) | BigInt(float32(random)), se: 0 }
        else if (op === 1047) second = { sig: second.sig >> BigInt(random() % 64), se: 0 }
        records.writeBigUInt64LE(first.sig, at + 16)
        records.writeUInt16LE(first.se, at + 24)
        records.writeBigUInt64LE(second.sig, at + 32)
        records.writeUInt16LE(second.se, at + 40)
      }
      return records
    }
    /** Everything but the pointers: memory result, EFLAGS, control, status and tag words, registers. */
    const x87Differs = (native: DataView, ours: DataView): boolean => {
      if (hex(native, 48) !== hex(ours, 48)) return true
      if (native.getUint32(72, true) !== ours.getUint32(72, true)) return true
      for (let i = 80; i < 188; i++) if (native.getUint8(i) !== ours.getUint8(i)) return true
      return false
    }

    it('x87 arithmetic, comparisons, loads and stores leave the same state', () => {
      for (let round = 0; round < 4; round++)
        expect(mismatches(x87Records(generator(2000 + round), 50_000, X87_OPERATIONS, extended80), x87Differs)).toEqual([])
    })

    /** ST(0) and ST(1) may be one unit apart in the last place, and C1 and PE with them; the rest must be equal. */
    const transcendentalDiffers = (native: DataView, ours: DataView): boolean => {
      const APPROXIMATE = 0x220
      if ((native.getUint16(84, true) | APPROXIMATE) !== (ours.getUint16(84, true) | APPROXIMATE)) return true
      for (let i = 80; i < 188; i++) {
        if (i >= 84 && i < 86) continue
        if (i >= 108 && i < 128) continue
        if (native.getUint8(i) !== ours.getUint8(i)) return true
      }
      return [108, 118].some((at) => {
        const key = (view: DataView): bigint =>
          (BigInt(view.getUint16(at + 8, true) & 0x7fff) << 63n) + (view.getBigUint64(at, true) & 0x7fffffffffffffffn)
        const difference = key(native) - key(ours)
        const sign = (native.getUint16(at + 8, true) ^ ours.getUint16(at + 8, true)) & 0x8000
        return sign !== 0 || difference > 1n || difference < -1n
      })
    }
    const ordinary80 = (random: Random): Extended => {
      if (random() % 6 === 0) return extended80(random)
      const bits = (BigInt(random()) << 32n) | BigInt(random())
      return {
        sig: (random() % 3 ? bits : bits & 0xfff0000000000000n) | TOP,
        se: (0x3fff - (random() % 24) + (random() % 16)) | (random() & 1 ? 0x8000 : 0),
      }
    }

    it.each([
      ['F2XM1', 1050],
      ['FYL2X', 1051],
      ['FYL2XP1', 1052],
      ['FPATAN', 1053],
      ['FPTAN', 1054],
      ['FSIN', 1055],
      ['FCOS', 1056],
      ['FSINCOS', 1057],
    ])('%s is within one unit in the last place', (_, op) => {
      expect(mismatches(x87Records(generator(3000 + op), 10_000, [op], ordinary80), transcendentalDiffers)).toEqual([])
    })
  },
)
