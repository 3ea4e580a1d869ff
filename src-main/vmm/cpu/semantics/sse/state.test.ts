/** FXSAVE, XSAVE and what guards SIMD and x87 instructions. */
import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../../layout'
import { SnippetMachine } from '../../../testing/snippet-machine'

const AREA = 0x9000
const FXSAVE = [0x0f, 0xae, 0x07]
const FXRSTOR = [0x0f, 0xae, 0x0f]
const XSAVE = [0x0f, 0xae, 0x27]
const XRSTOR = [0x0f, 0xae, 0x2f]
const CR4_OSXSAVE = 0x40000n
const CR0_TS = 8n
const CR0_EM = 4n
const HEADER = 512
const X87 = 1
const SSE = 2

let m: SnippetMachine
const area = (offset: number, length: number): number[] => [...m.memory.bytes(AREA + offset, length)]
const xmm = (i: number): bigint => m.state64(L.XMM + i * L.XMM_STRIDE)
const setXmm = (i: number, value: bigint): void => {
  m.setState64(L.XMM + i * L.XMM_STRIDE, value)
  m.setState64(L.XMM + i * L.XMM_STRIDE + 8, ~value & 0xffffffffffffffffn)
}
const start = (mode: 'real' | 'protected32' | 'long'): void => {
  m = new SnippetMachine(mode)
  m.set('rdi', AREA)
  m.set('rax', X87 | SSE)
  m.set('rdx', 0)
  m.setState64(L.REG_CR4, m.state64(L.REG_CR4) | CR4_OSXSAVE | 0x600n)
  m.setState64(L.REG_XCR0, 3n)
  m.setState32(L.FPU_CW, 0x37f)
  for (let i = 0; i < 16; i++) setXmm(i, 0x1111111111111111n * BigInt(i))
  for (let i = 0; i < 8; i++) {
    m.setState64(L.FPU_REGS + i * 16, 0x8000000000000000n + BigInt(i))
    m.setState32(L.FPU_REGS + i * 16 + 8, 0x3fff + i)
  }
  m.setState32(L.FPU_TAGS, 0xa5)
  m.setState32(L.FPU_TOP, 3)
}
/** There is no interrupt table: a fault ends in a triple fault. */
const faults = (bytes: readonly number[]): void => expect(m.runSnippet(bytes).kind).toBe('shutdown')
const runs = (bytes: readonly number[]): void => expect(m.runSnippet(bytes).kind).toBe('halted')

describe('XSAVE and XRSTOR', () => {
  beforeEach(() => start('long'))

  it('bring everything back', () => {
    runs(XSAVE)
    expect(m.memory.u32(AREA + HEADER)).toBe(3)
    for (let i = 0; i < 16; i++) setXmm(i, 7n)
    m.setState32(L.MXCSR, 0x9fc0)
    m.setState32(L.FPU_TOP, 0)
    m.setState32(L.FPU_TAGS, 0)
    m.setState64(L.FPU_REGS, 5n)
    runs(XRSTOR)
    expect(xmm(15)).toBe(0xffffffffffffffffn)
    expect(xmm(9)).toBe(0x9999999999999999n)
    expect(m.state32(L.MXCSR)).toBe(0x1f80)
    expect([m.state32(L.FPU_TOP), m.state32(L.FPU_TAGS)]).toEqual([3, 0xa5])
    expect(m.state64(L.FPU_REGS)).toBe(0x8000000000000000n)
  })

  it('XSAVE of x87 alone leaves MXCSR and the XMM registers in memory alone, and the other component bit', () => {
    m.memory.write(AREA, new Array<number>(576).fill(0xcc))
    m.memory.writeU64(AREA + HEADER, 2n)
    m.set('rax', X87)
    runs(XSAVE)
    expect(area(24, 8)).toEqual(new Array(8).fill(0xcc))
    expect(area(160, 256)).toEqual(new Array(256).fill(0xcc))
    expect(area(0, 4)).toEqual([0x7f, 0x03, 0x00, 0x18])
    expect(m.memory.u32(AREA + HEADER)).toBe(3)
    expect(area(HEADER + 8, 8)).toEqual(new Array(8).fill(0xcc))
  })

  it('XRSTOR gives components that are not in the image their initial state, but takes MXCSR', () => {
    m.memory.write(AREA, new Array<number>(576).fill(0))
    m.memory.writeU32(AREA + 24, 0x1fa0)
    runs(XRSTOR)
    expect(xmm(3)).toBe(0n)
    expect(m.state32(L.MXCSR)).toBe(0x1fa0)
    expect([m.state32(L.FPU_CW), m.state32(L.FPU_TAGS), m.state32(L.FPU_TOP)]).toEqual([0x37f, 0, 0])
    expect(m.state64(L.FPU_REGS + 16)).toBe(0n)
  })

  it.each([
    ['a component that XCR0 does not have', HEADER, 4],
    ['a compacted image', HEADER + 15, 0x80],
    ['a reserved byte of the header', HEADER + 16, 1],
    ['a reserved bit of MXCSR', 26, 1],
  ])('XRSTOR refuses %s', (_, offset, value) => {
    m.memory.write(AREA, new Array<number>(576).fill(0))
    m.memory.write(AREA + HEADER, [3])
    m.memory.write(AREA + offset, [value])
    faults(XRSTOR)
    expect(xmm(3)).toBe(0x3333333333333333n)
  })

  it('need 64-byte alignment, CR4.OSXSAVE, and CR0.TS clear', () => {
    m.set('rdi', AREA + 16)
    faults(XSAVE)
    start('long')
    m.setState64(L.REG_CR4, m.state64(L.REG_CR4) & ~CR4_OSXSAVE)
    faults(XSAVE)
    start('long')
    m.setState64(L.REG_CR0, m.state64(L.REG_CR0) | CR0_TS)
    faults(XSAVE)
  })
})

describe('FXSAVE and FXRSTOR', () => {
  it('outside 64-bit mode have eight XMM registers', () => {
    start('protected32')
    m.memory.write(AREA, new Array<number>(512).fill(0xcc))
    runs(FXSAVE)
    expect(area(160 + 7 * 16, 8)).toEqual(new Array(8).fill(0x77))
    expect(area(160 + 8 * 16, 224)).toEqual(new Array(224).fill(0xcc))
    setXmm(8, 5n)
    setXmm(7, 5n)
    runs(FXRSTOR)
    expect([xmm(7), xmm(8)]).toEqual([0x7777777777777777n, 5n])
  })

  it('put ST(0) first and the tags by physical register', () => {
    start('long')
    runs(FXSAVE)
    expect(area(4, 1)).toEqual([0xa5])
    expect(area(32, 10)).toEqual([3, 0, 0, 0, 0, 0, 0, 0x80, 2, 0x40])
  })

  it('fault under CR0.TS and CR0.EM, and when not aligned to 16 bytes', () => {
    for (const bit of [CR0_TS, CR0_EM]) {
      start('long')
      m.setState64(L.REG_CR0, m.state64(L.REG_CR0) | bit)
      faults(FXSAVE)
    }
    start('long')
    m.set('rdi', AREA + 8)
    faults(FXSAVE)
  })
})

describe('availability', () => {
  const ADDPS = [0x0f, 0x58, 0xc1]
  const PADDB = [0x0f, 0xfc, 0xc1]
  const FLD1 = [0xd9, 0xe8]
  const FNINIT = [0xdb, 0xe3]
  const FWAIT = [0x9b]

  it.each([
    ['ADDPS', ADDPS, CR0_TS, false],
    ['ADDPS', ADDPS, CR0_EM, false],
    ['PADDB', PADDB, CR0_TS, false],
    ['PADDB', PADDB, CR0_EM, false],
    ['FLD1', FLD1, CR0_TS, false],
    ['FLD1', FLD1, CR0_EM, false],
    ['FWAIT', FWAIT, CR0_TS, true],
    ['FWAIT', FWAIT, CR0_EM, true],
    ['FWAIT', FWAIT, CR0_TS | 2n, false],
  ] as const)('%s (%j) with CR0 bits %d: runs = %s', (_, bytes, bits, works) => {
    start('long')
    m.setState64(L.REG_CR0, (m.state64(L.REG_CR0) & ~2n) | bits)
    if (works) runs(bytes)
    else faults(bytes)
  })

  it('SSE needs CR4.OSFXSR', () => {
    start('long')
    m.setState64(L.REG_CR4, m.state64(L.REG_CR4) & ~0x200n)
    faults(ADDPS)
  })

  it('a pending x87 exception stops waiting instructions and MMX, not FNINIT', () => {
    const pending = (): void => {
      start('long')
      m.setState32(L.FPU_CW, 0x37b)
      m.setState32(L.FPU_SW, 0x8084)
    }
    pending()
    faults(FLD1)
    pending()
    faults(PADDB)
    pending()
    faults(FWAIT)
    pending()
    runs([...FNINIT, ...FWAIT, ...FLD1])
    expect(m.state32(L.FPU_SW)).toBe(0)
  })

  it('MMX takes over the x87 registers: TOP 0, all in use, exponents all ones', () => {
    start('long')
    runs(PADDB)
    expect([m.state32(L.FPU_TOP), m.state32(L.FPU_TAGS), m.state32(L.FPU_REGS + 8) & 0xffff]).toEqual([0, 0xff, 0xffff])
    runs([0x0f, 0x77])
    expect(m.state32(L.FPU_TAGS)).toBe(0)
  })
})

describe('FNSTENV', () => {
  it('real mode, 16 bits: 20-bit addresses with the opcode', () => {
    start('real')
    // FINIT; FLD1; FNSTENV [DI]
    runs([0x9b, 0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0x35])
    const words = Array.from({ length: 7 }, (_, i) => m.memory.u32(AREA + i * 2) & 0xffff)
    expect(words).toEqual([0x37f, 0x3800, 0x3fff, 0x8003, 0x1e8, 0, 0])
    expect(m.state32(L.FPU_CW)).toBe(0x37f)
  })

  it('protected mode, 32 bits, masks all exceptions', () => {
    start('protected32')
    m.setState32(L.FPU_TAGS, 0)
    m.setState32(L.FPU_CW, 0x340)
    // FLD DWORD [EDI + 64]; FNSTENV [EDI]
    m.memory.writeU32(AREA + 64, 0x3f800000)
    runs([0xd9, 0x47, 0x40, 0xd9, 0x37])
    const dwords = Array.from({ length: 7 }, (_, i) => m.memory.u32(AREA + i * 4))
    expect(dwords).toEqual([0xffff0340, 0xffff1000, 0xffffffcf, 0x8000, 0x01470008, AREA + 64, 0xffff0010])
    expect(m.state32(L.FPU_CW)).toBe(0x37f)
  })
})
