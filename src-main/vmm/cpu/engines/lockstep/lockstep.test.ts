import { describe, expect, it } from 'vitest'
import type { CpuIo } from '../../engine'
import * as L from '../../layout'
import type { RegionFunction } from '../../code-cache/region'
import { Vcpu } from '../../vcpu'
import { createLockstep, type LockstepParts } from './create-lockstep'
import { observed } from './observed-region'

const RAM = 0x100000
const CODE = 0x10000

function world(code: readonly number[]): LockstepParts & { readonly vcpu: Vcpu; readonly writes: number[] } {
  const made: { vcpu?: Vcpu } = {}
  const writes: number[] = []
  const io: CpuIo = {
    pioRead: () => writes.length * 3, pioWrite: (_port, _width, value) => void writes.push(value), mmioRead: () => 0xff, mmioWrite: () => undefined, readTsc: () => writes.length,
    acknowledgeInterrupt: () => -1, readTaskPriority: () => 0, writeTaskPriority: () => undefined, readMsr: () => undefined, writeMsr: () => false, unknownOpcode: () => undefined,
    hypercall: () => {
      made.vcpu!.setGpr('rax', BigInt(writes.length) + 0x1_0000_0000n)
      writes.push(made.vcpu!.gpr32('rcx'))
      return 'done'
    },
  }
  const parts = createLockstep({ ramBytes: RAM, extraBytes: 0, io }, { threshold: 2 })
  const view = new DataView(parts.core.memory.buffer)
  for (let page = 0; page < RAM / 4096; page++) view.setUint32(L.PHYSMAP + page * 4, L.RAM_BASE + page * 4096 + L.PHYS_READ + L.PHYS_WRITE, true)
  new Uint8Array(parts.core.memory.buffer, L.RAM_BASE, RAM).set(code, CODE)
  const vcpu = new Vcpu(parts.core, L.VCPU_BASE)
  made.vcpu = vcpu
  vcpu.setModel({})
  vcpu.reset()
  vcpu.setProtectedFlat(CODE, { cs: 8, ds: 16, gdt: { base: 0x1000, limit: 0xff } })
  return { ...parts, vcpu, writes }
}

/** mov ecx, 1000; again: in al, 60h; add eax, ecx; mov [ecx * 4 + 20000h], eax; out 61h, al; dec ecx; jnz again; hlt */
const PROGRAM = [0xb9, 0xe8, 3, 0, 0, 0xe4, 0x60, 0x01, 0xc8, 0x89, 0x04, 0x8d, 0, 0, 2, 0, 0xe6, 0x61, 0x49, 0x75, 0xf0, 0xf4]

describe('lockstep', () => {
  it('runs a program on both, and asks devices once', () => {
    const w = world(PROGRAM)
    let exit = w.engine.run(L.VCPU_BASE, 1000)
    for (let slices = 0; exit.kind === 'deadline' && slices < 100; slices++) exit = w.engine.run(L.VCPU_BASE, 1000)
    expect(exit.kind).toBe('halted')
    expect(w.writes.length).toBe(1000)
    expect(w.engine.translationStats!().regionsTranslated).toBeGreaterThan(0)
    const bytes = (memory: WebAssembly.Memory): Uint8Array => new Uint8Array(memory.buffer, L.RAM_BASE, RAM).slice()
    expect(Buffer.compare(bytes(w.core.memory), bytes(w.mirror.memory))).toBe(0)
  })

  it('does to both what a hypercall changes', () => {
    // mov ecx, 1000; again: vmcall; mov [ecx * 4 + 20000h], eax; dec ecx; jnz again; hlt
    const w = world([0xb9, 0xe8, 3, 0, 0, 0x0f, 0x01, 0xc1, 0x89, 0x04, 0x8d, 0, 0, 2, 0, 0x49, 0x75, 0xf3, 0xf4])
    let exit = w.engine.run(L.VCPU_BASE, 500)
    for (let slices = 0; exit.kind === 'deadline' && slices < 100; slices++) exit = w.engine.run(L.VCPU_BASE, 500)
    expect(exit.kind).toBe('halted')
    expect([w.writes.length, w.writes[0], w.writes[999], w.vcpu.gpr('rax')]).toEqual([1000, 1000, 1, 0x1_0000_03e7n])
    expect(w.engine.translationStats!().regionsTranslated).toBeGreaterThan(0)
  })

  it('reports a difference, with the region that made it', () => {
    const w = world(PROGRAM)
    // as a wrong translation would
    const table = w.core.regionTable
    const set = table.set.bind(table)
    table.set = (slot, fn): void => {
      if (fn === null) return set(slot, fn)
      const words = new Int32Array(w.core.memory.buffer)
      let runs = 0
      set(slot, observed(w.core.memory, fn as RegionFunction, () => {
        if (++runs === 100) words[(L.VCPU_BASE + 3 * 8) >> 2] = 0x1234
      }, () => undefined))
    }
    const go = (): void => {
      while (w.engine.run(L.VCPU_BASE, 1000).kind === 'deadline');
    }
    expect(go).toThrow(/registers differ[^]*rbx: translator 1234, interpreter 0/)
  })
})
