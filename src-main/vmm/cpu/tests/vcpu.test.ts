import { beforeEach, describe, expect, it } from 'vitest'
import { cpuSignature, cpuidEntries, excludedFeatures, featureWords } from '../cpuid'
import * as L from '../layout'
import { TestMachine, protect, toUser } from './test-machine'

const m = new TestMachine()

describe('Vcpu', () => {
  beforeEach(() => m.vcpu.reset())

  it('powers on at F000:FFF0 with base FFFF0000h', () => {
    const { vcpu } = m
    expect(vcpu.rip).toBe(0xfff0n)
    expect(vcpu.segment('cs')).toEqual({ selector: 0xf000, access: 0x9b00, base: '00000000ffff0000', limit: 0xffff })
    expect(vcpu.control('cr0')).toBe(0x60000010n)
    expect(vcpu.rflags).toBe(2)
    expect(vcpu.gpr32('rdx')).toBe(cpuSignature())
    expect(vcpu.table('idtr')).toEqual({ base: 0n, limit: 0xffff })
  })

  it('materialises and sets every combination of status flags', () => {
    for (let bits = 0; bits < 64; bits++) {
      const flags = [0, 2, 4, 6, 7, 11].reduce((sum, position, i) => sum | (((bits >> i) & 1) << position), 2)
      m.vcpu.rflags = flags
      expect(m.vcpu.rflags).toBe(flags)
    }
  })

  it('saves and loads canonically', () => {
    protect(m)
    toUser(m, 0x10000)
    m.vcpu.setXmm(3, Uint8Array.from({ length: 16 }, (_, i) => i))
    m.vcpu.setMsr('lstar', 0xffffffff81000000n)
    m.vcpu.setDebug(7, 0x401)
    // different lazy encodings of the same flags must save alike
    m.view.setBigInt64(m.vcpu.base + L.FLAG_RESULT, 0x12n, true)
    const saved = m.vcpu.save()
    m.vcpu.rflags = saved.rflags
    expect(m.vcpu.save()).toEqual(saved)
    m.vcpu.reset()
    expect(m.vcpu.save()).not.toEqual(saved)
    m.vcpu.load(saved)
    expect(m.vcpu.save()).toEqual(saved)
    expect(m.vcpu.cpl).toBe(3)
    expect(m.state32(L.CODE_MODE)).toBe(1)
    expect(m.state32(L.ATTENTION) & L.ATTENTION_DEBUG).not.toBe(0)
  })

  it('keeps the TLB over save and load, and rejects one that points elsewhere', () => {
    m.call64('read_slow', 0x5123n, 4)
    m.call64('write_slow', 0x6123n, 1n, 4)
    const saved = m.vcpu.save()
    expect(saved.tlb.length).toBe(32)
    m.vcpu.load(saved)
    expect(m.vcpu.save()).toEqual(saved)
    expect(m.view.getUint32(m.vcpu.base + L.TLB_CONTEXT, true)).toBe(m.vcpu.base + L.TLB + L.TLB_CONTEXT_BYTES)
    const bad = saved.tlb.slice()
    bad[0] = 3
    expect(() => m.vcpu.load({ ...saved, tlb: bad })).toThrow(/TLB/)
  })

  it('refuses states of other versions and damaged ones', () => {
    const saved = m.vcpu.save()
    expect(() => m.vcpu.load({ ...saved, schema: ['vcpu', 2] as never })).toThrow(/version/)
    expect(() => m.vcpu.load({ ...saved, gpr: [] })).toThrow(/damaged/)
    expect(() => m.vcpu.load({ ...saved, cr3: 'xyz' })).toThrow(/damaged/)
  })

  it('dumps registers', () => {
    expect(m.vcpu.dump()).toMatch(/RIP=000000000000fff0 .*CPL=0/)
  })

  it('boots into 32-bit and 64-bit states', () => {
    m.vcpu.setProtectedFlat(0x100000, { gdt: { base: 0x1000, limit: 0x1f } })
    expect(m.state32(L.CODE_MODE)).toBe(1)
    m.vcpu.reset()
    m.vcpu.setLong(0x100000, 0x1000)
    expect(m.state32(L.CODE_MODE)).toBe(2)
  })
})

describe('CPUID model', () => {
  it('hides features from CPUID and the decoder', () => {
    const model = { disabled: ['sse4.2', 'LM'] }
    expect(featureWords(model)['1.ecx'] & (1 << 20)).toBe(0)
    expect(featureWords(model)['ext.edx'] & (1 << 29)).toBe(0)
    expect(excludedFeatures(model)).toContain('SSE4.2')
  })
  it('encodes family, model and stepping', () => {
    expect(cpuSignature({ family: 6, model: 0x3a, stepping: 9 })).toBe(0x306a9)
    expect(cpuSignature()).toBe(0x60fb1)
  })
  it('an Intel model has no AMD leaves', () => {
    const entries = cpuidEntries({ vendor: 'GenuineIntel', family: 6, model: 60 })
    expect(entries.find(({ leaf }) => leaf === 0x80000005)).toBeUndefined()
    expect(entries.every(({ eax, ebx, ecx, edx }) => [eax, ebx, ecx, edx].every((word) => Number.isInteger(word)))).toBe(true)
  })
})
