import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../layout'
import { TestMachine } from './test-machine'

const CR0_BASE = 0x80000011
const WP = 0x10000
const PSE = 0x10
const PAE = 0x20
const PGE = 0x80
const SMEP = 0x100000
const SMAP = 0x200000
const LME_LMA = 0x500
const NXE = 0x800

const P = 1n
const W = 2n
const U = 4n
const A = 0x20n
const D = 0x40n
const PS = 0x80n
const G = 0x100n
const NX = 1n << 63n

const ROOT = 0x100000
const LEVEL3 = 0x101000
const LEVEL2 = 0x102000
const LEVEL1 = 0x103000
const TARGET = 0x200000
const LINEAR = 0x40201000n

type FormName = '32-bit' | '32-bit 4M' | 'PAE' | 'PAE 2M' | '4-level' | '4-level 2M' | '4-level 1G'

interface Form {
  readonly name: FormName
  readonly entryBytes: 4 | 8
  /** Physical address of each entry that the walk of LINEAR uses, from the top; the last is the leaf. */
  readonly entries: readonly number[]
  readonly cr4: number
  readonly efer: number
  /** Physical address that LINEAR maps to. */
  readonly page: number
  /** The leaf's page-size bit. */
  readonly large: boolean
}

const FORMS: readonly Form[] = [
  { name: '32-bit', entryBytes: 4, entries: [ROOT + 0x100 * 4, LEVEL1 + 0x201 * 4], cr4: 0, efer: 0, page: TARGET, large: false },
  { name: '32-bit 4M', entryBytes: 4, entries: [ROOT + 0x100 * 4], cr4: PSE, efer: 0, page: 0x201000, large: true },
  { name: 'PAE', entryBytes: 8, entries: [ROOT + 8, LEVEL2 + 8, LEVEL1 + 8], cr4: PAE, efer: NXE, page: TARGET, large: false },
  { name: 'PAE 2M', entryBytes: 8, entries: [ROOT + 8, LEVEL2 + 8], cr4: PAE, efer: NXE, page: 0x1000, large: true },
  { name: '4-level', entryBytes: 8, entries: [ROOT, LEVEL3 + 8, LEVEL2 + 8, LEVEL1 + 8], cr4: PAE, efer: LME_LMA | NXE, page: TARGET, large: false },
  { name: '4-level 2M', entryBytes: 8, entries: [ROOT, LEVEL3 + 8, LEVEL2 + 8], cr4: PAE, efer: LME_LMA | NXE, page: 0x1000, large: true },
  { name: '4-level 1G', entryBytes: 8, entries: [ROOT, LEVEL3 + 8], cr4: PAE, efer: LME_LMA | NXE, page: 0x201000, large: true },
]

const machine = new TestMachine()
const CODE_32 = 0xc09b00
const CODE_64 = 0xa09b00

/** Builds the tables of a form; `rights` by level from the top (default: all allowed), ORed to the leaf last. */
function build(form: Form, rights: readonly bigint[] = []): void {
  machine.clear(ROOT, 0x4000)
  form.entries.forEach((at, i) => {
    const isLeaf = i === form.entries.length - 1
    const isPdpte = form.cr4 === PAE && form.efer === NXE && i === 0
    const next = (form.entries[i + 1] ?? 0) & ~0xfff
    const target = isLeaf ? (form.large ? 0n | PS : BigInt(TARGET)) : BigInt(next)
    const bits = isPdpte ? P : (rights[i] ?? P | W | U)
    if (form.entryBytes === 4) machine.write32(at, Number(target | bits))
    else machine.write64(at, target | bits)
  })
}

function enter(form: Form, { cr0 = CR0_BASE | WP, cr4 = 0, cpl = 0, efer = 0 }: { cr0?: number; cr4?: number; cpl?: number; efer?: number } = {}): void {
  const { vcpu } = machine
  const long = (form.efer & LME_LMA) !== 0
  vcpu.reset()
  vcpu.setSegment('cs', 8 | cpl, (long ? CODE_64 : CODE_32) | (cpl << 13), 0, 0xffffffff)
  vcpu.setControl('efer', form.efer ^ efer)
  vcpu.setControl('cr3', ROOT)
  vcpu.setControl('cr4', form.cr4 | cr4)
  vcpu.setControl('cr0', cr0 >>> 0)
  vcpu.cpl = cpl
  machine.call64('load_pdptes', BigInt(ROOT))
  machine.takeFault()
  vcpu.refresh()
}

const read = (linear = LINEAR): number | bigint => machine.call64('read_slow', linear, 4)
const write = (linear = LINEAR): number | bigint => machine.call64('write_slow', linear, 0x1234n, 4)
const fetch = (linear = LINEAR): number | bigint => machine.call64('fetch_page', linear)
const entry = (form: Form, i: number): bigint => {
  const at = form.entries.at(i)!
  return form.entryBytes === 4 ? BigInt(machine.read32(at)) : machine.read64(at)
}

describe.each(FORMS)('paging: $name', (form) => {
  const pae = form.efer !== 0
  beforeEach(() => build(form))

  it('maps reads, writes and fetches', () => {
    enter(form)
    machine.write32(form.page + 0x123, 0xcafebabe)
    expect(machine.call64('read_slow', LINEAR + 0x123n, 4)).toBe(0xcafebaben)
    expect(write()).toBe(L.STATUS_NEXT)
    expect(machine.read32(form.page)).toBe(0x1234)
    expect(Number(fetch()) >>> 0).toBe(L.RAM_BASE + form.page)
    expect(machine.takeFault()).toBeUndefined()
  })

  it('sets accessed on all levels, dirty only in the leaf and only by writes', () => {
    enter(form)
    read()
    const first = form.name.startsWith('PAE') ? 1 : 0
    for (let i = first; i < form.entries.length; i++) expect(entry(form, i) & (A | D)).toBe(A)
    write()
    expect(entry(form, -1) & (A | D)).toBe(A | D)
    for (let i = first; i < form.entries.length - 1; i++) expect(entry(form, i) & D).toBe(0n)
  })

  it('leaves accessed alone when the access faults, and in translate()', () => {
    enter(form, { cpl: 3 })
    build(form, form.entries.map(() => P | W))
    read()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 5 })
    expect(entry(form, -1) & A).toBe(0n)
    build(form)
    expect(machine.vcpu.translate(LINEAR + 5n)).toBe(form.page + 5)
    expect(entry(form, -1) & A).toBe(0n)
  })

  it.each([
    ['supervisor read', 0, 'read', 0],
    ['supervisor write', 0, 'write', 2],
    ['user read', 3, 'read', 4],
    ['user write', 3, 'write', 6],
    ['supervisor fetch', 0, 'fetch', 0],
    ['user fetch', 3, 'fetch', 4],
  ] as const)('not present: %s', (_name, cpl, kind, code) => {
    enter(form, { cpl })
    for (let level = form.name.startsWith('PAE') ? 1 : 0; level < form.entries.length; level++) {
      build(form, form.entries.map((_, i) => (i === level ? W | U : P | W | U)))
      const result = { read, write, fetch }[kind]()
      // the I/D bit is reported with NX (or SMEP) only
      expect(machine.takeFault()).toEqual({ vector: 14, error: kind === 'fetch' && pae ? code | 16 : code })
      expect(machine.faultAddress).toBe(LINEAR)
      if (kind === 'fetch') expect(result).toBe(0)
    }
  })

  it('ANDs W and U over the levels', () => {
    const levels = form.entries.map((_, i) => i).slice(form.name.startsWith('PAE') ? 1 : 0)
    for (const level of levels) {
      build(form, form.entries.map((_, i) => (i === level ? P | U : P | W | U)))
      enter(form, { cpl: 3 })
      expect(write()).toBe(L.STATUS_FAULT)
      expect(machine.takeFault()).toEqual({ vector: 14, error: 7 })
      enter(form)
      write()
      expect(machine.takeFault()).toEqual({ vector: 14, error: 3 })
      enter(form, { cr0: CR0_BASE })
      expect(write()).toBe(L.STATUS_NEXT)
      build(form, form.entries.map((_, i) => (i === level ? P | W : P | W | U)))
      enter(form, { cpl: 3 })
      read()
      expect(machine.takeFault()).toEqual({ vector: 14, error: 5 })
    }
  })

  it('SMEP: the supervisor may not fetch user pages', () => {
    enter(form, { cr4: SMEP })
    fetch()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 0x11 })
    build(form, form.entries.map(() => P | W))
    expect(fetch()).not.toBe(0)
  })

  it('SMAP: the supervisor may not touch user pages, but may with AC; implicit accesses never', () => {
    enter(form, { cr4: SMAP })
    read()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 1 })
    write()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 3 })
    machine.call('set_ac', 1)
    read()
    expect(machine.takeFault()).toBeUndefined()
    machine.call64('read_system_u32', LINEAR)
    expect(machine.takeFault()).toEqual({ vector: 14, error: 1 })
    machine.call('set_ac', 0)
    read()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 1 })
  })

  it('caches in the TLB until INVLPG or CR3', () => {
    enter(form)
    read()
    build(form, form.entries.map(() => 0n))
    read()
    expect(machine.takeFault()).toBeUndefined()
    machine.call64('invlpg', LINEAR)
    read()
    expect(machine.takeFault()?.vector).toBe(14)
    build(form)
    enter(form)
    read()
    build(form, form.name.startsWith('PAE') ? [P, 0n, 0n] : form.entries.map(() => 0n))
    machine.call64('write_cr', 3, BigInt(ROOT))
    machine.takeFault()
    read()
    expect(machine.takeFault()?.vector).toBe(14)
  })

  it('drops all pieces of a large page by INVLPG of any of its addresses, also after a state was loaded', () => {
    for (const reload of [false, true]) {
      enter(form)
      build(form)
      read()
      if (reload) machine.vcpu.load(machine.vcpu.save())
      build(form, form.entries.map(() => 0n))
      machine.call64('invlpg', LINEAR + 0x5000n)
      read()
      expect(machine.takeFault()?.vector).toBe(form.large ? 14 : undefined)
    }
  })

  it('keeps global pages over CR3 writes while PGE is set', () => {
    build(form, form.entries.map((_, i) => P | W | U | (i === form.entries.length - 1 ? G : 0n)))
    enter(form, { cr4: PGE })
    read()
    build(form, form.entries.map((_, i) => (i === 0 && form.entries.length > 1 ? P : 0n)))
    machine.call64('write_cr', 3, BigInt(ROOT))
    read()
    expect(machine.takeFault()).toBeUndefined()
    machine.call64('write_cr', 4, BigInt(form.cr4))
    machine.takeFault()
    read()
    expect(machine.takeFault()?.vector).toBe(14)
  })

  it('does not cache a write before the dirty bit is set', () => {
    enter(form)
    read()
    write()
    expect(entry(form, -1) & D).toBe(D)
  })
})

describe.each(FORMS.filter(({ efer }) => efer !== 0))('NX and reserved bits: $name', (form) => {
  it('faults on fetches from NX pages only', () => {
    const levels = form.entries.map((_, i) => i).slice(form.name.startsWith('PAE') ? 1 : 0)
    for (const level of levels) {
      build(form, form.entries.map((_, i) => P | W | U | (i === level ? NX : 0n)))
      enter(form)
      fetch()
      expect(machine.takeFault()).toEqual({ vector: 14, error: 0x11 })
      read()
      expect(machine.takeFault()).toBeUndefined()
    }
  })

  it('NX is a reserved bit while NXE is off', () => {
    build(form, form.entries.map((_, i) => P | W | U | (i === form.entries.length - 1 ? NX : 0n)))
    enter(form, { efer: NXE })
    read()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 9 })
  })

  it('reserved address bits', () => {
    build(form, form.entries.map((_, i) => P | W | U | (i === form.entries.length - 1 ? 1n << 45n : 0n)))
    enter(form, { cpl: 3 })
    write()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 15 })
  })
})

describe('paging details', () => {
  it('PSE36: bits 13..20 are address bits; bit 21 is reserved', () => {
    const form = FORMS[1]!
    build(form)
    enter(form)
    machine.write32(form.entries[0]!, Number(P | W | U | PS) | 0x200000)
    read()
    expect(machine.takeFault()).toEqual({ vector: 14, error: 9 })
    machine.write32(form.entries[0]!, Number(P | W | U | PS) | (1 << 13))
    expect(machine.vcpu.translate(LINEAR)).toBe(0x100201000)
  })

  it('a PDPTE with reserved bits is #GP at the CR3 write, and nothing changes', () => {
    const form = FORMS[2]!
    build(form)
    enter(form)
    machine.write64(0x110000, P | W)
    expect(machine.call64('write_cr', 3, 0x110000n)).toBe(L.STATUS_FAULT)
    expect(machine.takeFault()).toEqual({ vector: 13, error: 0 })
    expect(machine.vcpu.control('cr3')).toBe(BigInt(ROOT))
  })

  it('an access that crosses into a faulting page writes nothing', () => {
    const form = FORMS[0]!
    build(form)
    enter(form)
    machine.write32(TARGET + 0xffc, 0)
    expect(machine.call64('write_slow', LINEAR + 0xffen, -1n, 4)).toBe(L.STATUS_FAULT)
    expect(machine.takeFault()).toEqual({ vector: 14, error: 2 })
    expect(machine.faultAddress).toBe(LINEAR + 0x1000n)
    expect(machine.read32(TARGET + 0xffc)).toBe(0)
  })

  it('crossing accesses read and write both pages', () => {
    const form = FORMS[0]!
    build(form)
    machine.write32(form.entries[1]! + 4, 0x210000 | 7)
    enter(form)
    expect(machine.call64('write_slow', LINEAR + 0xffdn, 0x8877665544332211n, 8)).toBe(L.STATUS_NEXT)
    expect(machine.read8(TARGET + 0xfff)).toBe(0x33)
    expect(machine.read32(0x210000)).toBe(0x77665544)
    expect(BigInt.asUintN(64, BigInt(machine.call64('read_slow', LINEAR + 0xffdn, 8)))).toBe(0x8877665544332211n)
  })

  it('non-canonical addresses are #GP(0), through the stack #SS(0)', () => {
    const form = FORMS[4]!
    build(form)
    enter(form)
    machine.call64('read_slow', 0x0000800000000000n, 8)
    expect(machine.takeFault()).toEqual({ vector: 13, error: 0 })
    machine.call64('write_slow', 0x00007ffffffffffcn, 0n, 8 | 0x100)
    expect(machine.takeFault()).toEqual({ vector: 12, error: 0 })
  })

  it('MMIO is split into natural pieces; ROM ignores writes', () => {
    machine.vcpu.reset()
    machine.mmioReads.length = 0
    machine.call64('read_slow', 0xfee00001n, 4)
    expect(machine.mmioReads).toEqual([[0xfee00001, 1], [0xfee00002, 2], [0xfee00004, 1]])
    machine.mapPage(0x300000, L.RAM_BASE + 0x300000, L.PHYS_READ)
    machine.write32(0x300000, 7)
    expect(machine.call64('write_slow', 0x300000n, 9n, 4)).toBe(L.STATUS_NEXT)
    expect(machine.read32(0x300000)).toBe(7)
    machine.mapPage(0x300000, L.RAM_BASE + 0x300000, L.PHYS_READ | L.PHYS_WRITE)
  })

  it('A20 masks bit 20 of every address while it is off', () => {
    machine.vcpu.reset()
    machine.write32(0, 0x11111111)
    machine.write32(0x100000, 0x22222222)
    expect(read(0x100000n)).toBe(0x22222222n)
    machine.vcpu.setA20(false)
    expect(read(0x100000n)).toBe(0x11111111n)
    machine.vcpu.setA20(true)
    expect(read(0x100000n)).toBe(0x22222222n)
  })

  it('#AC: unaligned user accesses with AM and AC', () => {
    const form = FORMS[0]!
    build(form)
    enter(form, { cr0: CR0_BASE | 0x40000, cpl: 3 })
    read(LINEAR + 1n)
    expect(machine.takeFault()).toBeUndefined()
    machine.vcpu.rflags = 0x40002
    read(LINEAR + 1n)
    expect(machine.takeFault()).toEqual({ vector: 17, error: 0 })
    read(LINEAR + 4n)
    expect(machine.takeFault()).toBeUndefined()
  })

  it('CR0, CR4 and EFER refuse what the manual forbids', () => {
    machine.vcpu.reset()
    const refused = (name: string, ...args: (number | bigint)[]): void => {
      expect(machine.call64(name, ...args)).toBe(L.STATUS_FAULT)
      expect(machine.takeFault()).toEqual({ vector: 13, error: 0 })
    }
    refused('write_cr', 0, 0x80000000n)
    refused('write_cr', 0, 0x20000001n)
    refused('write_cr', 4, 0x1n)
    refused('write_cr', 4, 0x2000n)
    machine.vcpu.setControl('efer', 0x100)
    refused('write_cr', 0, 0x80000001n)
    machine.vcpu.setSegment('cs', 8, CODE_64, 0, 0xffffffff)
    machine.vcpu.setControl('cr4', PAE)
    refused('write_cr', 0, 0x80000001n)
  })
})
