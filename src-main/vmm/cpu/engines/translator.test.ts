import { describe, expect, it } from 'vitest'
import type { CpuIo } from '../engine'
import * as L from '../layout'
import { createMachineCore, type MachineCore } from '../machine-core'
import { Vcpu } from '../vcpu'
import { InterpreterEngine } from './interpreter'
import { reportRegion } from './region-report'
import { TranslatorEngine, type TranslatorOptions } from './translator'

const RAM = 0x100000
const CODE = 0x10000
const IO: CpuIo = {
  pioRead: () => 0xff, pioWrite: () => undefined, mmioRead: () => 0xff, mmioWrite: () => undefined, readTsc: () => 0, acknowledgeInterrupt: () => -1,
  readTaskPriority: () => 0, writeTaskPriority: () => undefined, readMsr: () => undefined, writeMsr: () => false, unknownOpcode: () => undefined,
}

interface World {
  readonly core: MachineCore
  readonly vcpu: Vcpu
  readonly bytes: Uint8Array
}

function world(code: readonly number[]): World {
  const core = createMachineCore({ ramBytes: RAM, extraBytes: 0, io: IO })
  const view = new DataView(core.memory.buffer)
  for (let page = 0; page < RAM / 4096; page++) view.setUint32(L.PHYSMAP + page * 4, L.RAM_BASE + page * 4096 + L.PHYS_READ + L.PHYS_WRITE, true)
  const bytes = new Uint8Array(core.memory.buffer, L.RAM_BASE, RAM)
  const vcpu = new Vcpu(core, L.VCPU_BASE)
  vcpu.setModel({})
  vcpu.reset()
  bytes.set(code, CODE)
  vcpu.setProtectedFlat(CODE, { cs: 8, ds: 16, gdt: { base: 0x1000, limit: 0xff } })
  return { core, vcpu, bytes }
}

/** mov ecx, N; xor eax, eax; again: add eax, ecx; dec ecx; jnz again; hlt */
const loop = (count: number): number[] => [0xb9, count & 255, (count >> 8) & 255, (count >> 16) & 255, 0, 0x31, 0xc0, 0x01, 0xc8, 0x49, 0x75, 0xfb, 0xf4]
const sum = (count: number): number => ((count * (count + 1)) / 2) % 2 ** 32

function run(w: World, options: TranslatorOptions = { synchronous: true, threshold: 1 }): TranslatorEngine {
  const engine = new TranslatorEngine(w.core, options)
  expect(engine.run(L.VCPU_BASE, 2 ** 29).kind).toBe('halted')
  return engine
}

describe('translator engine', () => {
  it('runs a loop in a region, and counts the same instructions as the interpreter', () => {
    const plain = world(loop(100_000))
    expect(new InterpreterEngine(plain.core).run(L.VCPU_BASE, 2 ** 29).kind).toBe('halted')
    const w = world(loop(100_000))
    const engine = run(w)
    expect(w.vcpu.gpr32('rax')).toBe(sum(100_000))
    expect(w.vcpu.dump()).toBe(plain.vcpu.dump())
    expect(w.vcpu.retired).toBe(plain.vcpu.retired)
    const stats = engine.translationStats()
    expect(stats).toMatchObject({ failures: 0, latestFailure: '' })
    expect(stats.regionsTranslated).toBeGreaterThan(0)
    const [hottest] = engine.inspector.hottestRegions(1)
    expect(hottest!.runs).toBeGreaterThan(0)
  })

  it('plans what is entered very often again, with the functions that it calls', () => {
    // mov ecx, 1000000; xor eax, eax; again: call add; dec ecx; jnz again; hlt; add: add eax, ecx; ret
    const code = [0xb9, 0x40, 0x42, 0x0f, 0, 0x31, 0xc0, 0xe8, 4, 0, 0, 0, 0x49, 0x75, 0xf8, 0xf4, 0x01, 0xc8, 0xc3]
    const w = world(code)
    w.vcpu.setGpr('rsp', 0x8000n)
    const engine = new TranslatorEngine(w.core, { synchronous: true, threshold: 10, hotEntries: 1000 })
    while (engine.run(L.VCPU_BASE, 100_000).kind === 'deadline') continue
    expect(w.vcpu.gpr32('rax')).toBe(sum(1_000_000))
    expect(w.vcpu.retired).toBe(2 + 1_000_000 * 5 + 1)
    const stats = engine.translationStats()
    expect(stats).toMatchObject({ failures: 0, hotRegions: 2 })
    const [hottest] = engine.inspector.hottestRegions(1)
    expect(hottest!.runs).toBeLessThan(500_000)
    expect(engine.inspector.hottestRegions(10).some(({ linked, blocks }) => linked && blocks >= 3)).toBe(true)
  })

  it.each([
    ['where the region goes anyway', 0x40, 0x80],
    ['other pages', 0x1040, 0x2080],
  ])('follows indirect jumps and calls to %s', (_, functions, cases) => {
    const le = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255]
    // again: edx = ecx & 7; call CODE + functions + edx * 8; edx = ecx & 7; jmp CODE + cases + edx * 8; back: dec ecx; jnz again; hlt
    const code = new Array<number>(cases + 0x40).fill(0x90)
    const pick = (table: number): number[] => [0x89, 0xca, 0x83, 0xe2, 7, 0x8d, 0x14, 0xd5, ...le(CODE + table)]
    const start = [0xb9, ...le(600_000), 0x31, 0xc0, ...pick(functions), 0xff, 0xd2, ...pick(cases), 0xff, 0xe2, 0x49, 0x75, 0xe1, 0xf4]
    code.splice(0, start.length, ...start)
    for (let i = 0; i < 8; i++) {
      code.splice(functions + i * 8, 4, 0x83, 0xc0, i + 1, 0xc3)
      code.splice(cases + i * 8, 8, 0x83, 0xf0, i * 7, 0xe9, ...le(35 - (cases + 8 + i * 8)))
    }
    const ran = (make: (core: MachineCore) => Pick<TranslatorEngine, 'run'>): World => {
      const w = world(code)
      w.vcpu.setGpr('rsp', 0x8000n)
      const engine = make(w.core)
      while (engine.run(L.VCPU_BASE, 10_007).kind === 'deadline') continue
      return w
    }
    const plain = ran((core) => new InterpreterEngine(core))
    let engine: TranslatorEngine | undefined
    const w = ran((core) => (engine = new TranslatorEngine(core, { synchronous: true, threshold: 10, hotEntries: 1000 })))
    expect(w.vcpu.dump()).toBe(plain.vcpu.dump())
    expect(w.vcpu.retired).toBe(plain.vcpu.retired)
    expect(engine!.translationStats()).toMatchObject({ failures: 0 })
    const entered = engine!.inspector.hottestRegions(100).reduce((all, { runs }) => all + runs, 0)
    expect(entered).toBeLessThan(300_000)
  })

  it('shows its regions', async () => {
    const { inspector } = run(world(loop(1000)))
    const snapshots = inspector.regionsAt(CODE + 7)
    expect(snapshots.length).toBeGreaterThan(0)
    expect(inspector.regionsAt(CODE + 0x100)).toEqual([])
    const [first] = snapshots
    expect(inspector.region(first!.id)).toEqual(first)
    expect(inspector.region(-1)).toBeUndefined()
    const report = await reportRegion(structuredClone(first!))
    expect(report.x86.join('\n')).toContain('add eax,ecx')
    expect(report.functionBytes).toBe(first!.wasmBytes)
    expect(WebAssembly.Module.exports(new WebAssembly.Module(new Uint8Array(report.wasm))).length).toBe(1)
    expect(report.wasmText).toMatch(/^\(module\n[^]*\(func \$region0 [^]*i32\.add[^]*\(export "region0" \(func \$region0\)\)\)\n$/)
    expect(report.steps.every(({ milliseconds }) => milliseconds >= 0)).toBe(true)
  })

  it('shows what each pass leaves of the IR', async () => {
    const { inspector } = run(world(loop(1000)))
    const { passes } = await reportRegion(inspector.regionsAt(CODE + 7)[0]!)
    expect(passes.map(({ name }) => name)).toEqual(['emit', 'fold', 'liveness and locals'])
    const [emitted, folded, encoded] = passes.map(({ text }) => text)
    for (const { text, lines } of passes) {
      expect(text).toMatch(/^func region0 \(i32 i32\) -> \(i32\)\n/)
      expect(text.trimEnd().split('\n').length).toBe(lines)
    }
    expect(folded!.length).toBeLessThan(emitted!.length)
    expect(encoded!.split('\n').length).toBeLessThan(folded!.split('\n').length)
    expect(folded).toMatch(/^ +%\d+ = /m)
    expect(encoded).not.toMatch(/%|\$|undefined|!-/)
  })

  it('ends slices at exactly the budget', () => {
    const w = world(loop(1000))
    const engine = new TranslatorEngine(w.core, { synchronous: true, threshold: 1 })
    for (let i = 1; i <= 400; i++) {
      expect(engine.run(L.VCPU_BASE, 7).kind).toBe('deadline')
      expect(w.vcpu.retired).toBe(i * 7)
    }
    expect(engine.run(L.VCPU_BASE, 2 ** 29).kind).toBe('halted')
    expect(w.vcpu.gpr32('rax')).toBe(sum(1000))
  })

  it('drops what the guest writes to, and links it again when it is as before', () => {
    const w = world(loop(1000))
    const engine = run(w)
    const { regionsTranslated } = engine.translationStats()
    const again = (): number => {
      w.vcpu.halted = false
      w.vcpu.rip = CODE
      expect(engine.run(L.VCPU_BASE, 2 ** 29).kind).toBe('halted')
      return w.vcpu.gpr32('rax')
    }
    const write = (offset: number, byte: number): void => {
      w.bytes[CODE + offset] = byte
      w.core.core('invalidate_code_range')(CODE + offset, 1)
    }
    write(7, 0x29) // sub eax, ecx
    expect(again()).toBe(2 ** 32 - sum(1000))
    expect(engine.translationStats().regionsTranslated).toBeGreaterThan(regionsTranslated)
    write(7, 0x01)
    const before = engine.translationStats()
    expect(again()).toBe(sum(1000))
    expect(engine.translationStats().regionsTranslated).toBe(before.regionsTranslated)
    expect(engine.translationStats().relinks).toBeGreaterThan(before.relinks)
    w.core.core('flush_code')()
    expect(again()).toBe(sum(1000))
    expect(engine.translationStats().regionsTranslated).toBe(before.regionsTranslated)
  })

  it('compiles in its thread while the guest goes on', async () => {
    const w = world(loop(0xffffff))
    const engine = new TranslatorEngine(w.core)
    for (let turns = 0; engine.run(L.VCPU_BASE, 100_000).kind !== 'halted' && turns < 1000; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(w.vcpu.gpr32('rax')).toBe(sum(0xffffff))
    const stats = engine.translationStats()
    expect(stats).toMatchObject({ failures: 0, latestFailure: '', queued: 0 })
    expect(stats.regionsLinked).toBeGreaterThan(0)
    expect(engine.inspector.hottestRegions(1)[0]!.runs).toBeGreaterThan(0)
  })

  it('goes on in the interpreter when compiling fails', async () => {
    const broken: TranslatorOptions = { synchronous: true, threshold: 1, emit: () => { throw new Error('no such thing') } }
    const w = world(loop(1000))
    expect(run(w, broken).translationStats()).toMatchObject({ regionsTranslated: 0, latestFailure: expect.stringContaining('no such thing') as string })
    expect(w.vcpu.gpr32('rax')).toBe(sum(1000))

    const dead = world(loop(100_000))
    const engine = new TranslatorEngine(dead.core, { compiler: { compile: (_plans, done) => void setImmediate(() => done({ kind: 'failed', message: 'thread lost' })) } })
    while (engine.run(L.VCPU_BASE, 10_000).kind !== 'halted') await new Promise((resolve) => setImmediate(resolve))
    expect(dead.vcpu.gpr32('rax')).toBe(sum(100_000))
  })
})
