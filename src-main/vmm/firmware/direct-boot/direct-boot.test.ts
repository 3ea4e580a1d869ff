import { describe, expect, it } from 'vitest'
import { VmmError } from '../../errors/vmm-error'
import { memoryMap } from '../memory-map'
import type { Gpa } from '../../support/branded'
import type { BootEntry, DirectBootRequest } from './boot-image'
import { elf, linuxImage, multibootHeader, PT_LOAD, PT_NOTE, pvhNote, type LinuxOptions } from './images.fixture'
import { checkDirectBoot, loadDirectBoot } from '.'

const MIB = 0x100000
const text = (s: string): Uint8Array => new TextEncoder().encode(s)

/** Guest RAM that refuses to be written outside. */
class Ram {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(readonly ramBytes: number) {
    this.bytes = new Uint8Array(ramBytes)
    this.view = new DataView(this.bytes.buffer)
  }
  get lowRamBytes(): number {
    return this.ramBytes
  }
  write(address: Gpa, source: Uint8Array): void {
    this.bytes.set(source, address)
  }
  fill(address: Gpa, bytes: number, value: number): void {
    if (address < 0 || bytes < 0 || address + bytes > this.ramBytes) throw new RangeError(`fill of ${bytes} bytes at ${address}`)
    this.bytes.fill(value, address, address + bytes)
  }
  string(address: number): string {
    return Buffer.from(this.bytes.subarray(address, this.bytes.indexOf(0, address))).toString()
  }
}

type Given = Partial<Omit<DirectBootRequest, 'kernel' | 'initrd'>> & { readonly initrd?: Uint8Array }

function boot(kernel: Uint8Array, given: Given = {}, ram: Ram = new Ram(64 * MIB)): { entry: BootEntry; ram: Ram } {
  const { initrd, ...rest } = given
  const request: DirectBootRequest = {
    kernel: { name: 'kernel.img', bytes: kernel }, commandLine: '', modules: [], memory: ram, memoryMap: memoryMap(ram), rsdp: 0xf1230,
    ...(initrd ? { initrd: { name: 'initrd.img', bytes: initrd } } : {}), ...rest,
  }
  checkDirectBoot(request) // must agree with what follows
  return { entry: loadDirectBoot(request), ram }
}

function failure(kernel: Uint8Array, given: Given = {}, ram?: Ram): VmmError {
  try {
    boot(kernel, given, ram)
  } catch (error) {
    if (error instanceof VmmError) {
      expect(error.message).not.toContain('\n')
      return error
    }
    throw error
  }
  throw new Error('it was loaded')
}

const CODE = Uint8Array.from({ length: 0x3000 }, (_, i) => i & 0xff)
const linux = (options: Partial<LinuxOptions> & { readonly version: number }): Uint8Array => linuxImage({ code: CODE, ...options })

describe('Linux images', () => {
  it('enter in 64-bit mode when their header allows it', () => {
    const { entry, ram } = boot(linux({ version: 0x20f, relocatable: true, xloadFlags: 1, preferredAddress: 0x1000000 }), { commandLine: 'console=ttyS0' })
    if (entry.mode !== 'long') throw new Error(entry.mode)
    expect(entry.rip).toBe(0x1000200)
    expect([...ram.bytes.subarray(0x1000000, 0x1000010)]).toEqual([...CODE.subarray(0, 16)])
    const page = new DataView(ram.bytes.buffer, entry.rsi, 4096)
    expect(page.getUint32(0x202, true)).toBe(0x53726448)
    expect(page.getUint8(0x210)).toBe(0xff)
    expect(ram.string(page.getUint32(0x228, true))).toBe('console=ttyS0')
    expect(page.getBigUint64(0x70, true)).toBe(0xf1230n)
    expect(page.getUint8(0x1e8)).toBe(memoryMap(ram).length)
    // PML4 -> PDPT -> page directory: 1 GiB + 6 MiB maps to itself
    const entryAt = (table: number, index: number): number => Number(ram.view.getBigUint64(table + index * 8, true))
    const directory = entryAt(entryAt(entry.pageTables, 0) & ~0xfff, 1) & ~0xfff
    expect(entryAt(directory, 3)).toBe(0x40600083)
  })

  it('enter in 32-bit mode from 2.08 on, where they ask to be or at 1 MiB', () => {
    const relocatable = boot(linux({ version: 0x20a, relocatable: true, preferredAddress: 0x400000 })).entry
    expect(relocatable).toMatchObject({ mode: 'protected', eip: 0x400000 })
    const fixed = boot(linux({ version: 0x208 }), { commandLine: 'x' })
    if (fixed.entry.mode !== 'protected') throw new Error(fixed.entry.mode)
    expect(fixed.entry.eip).toBe(0x100000)
    expect(fixed.ram.view.getUint32((fixed.entry.registers.esi ?? 0) + 0x214, true)).toBe(0x100000)
  })

  it('enter in real mode before, with their setup code at 90000h', () => {
    const { entry, ram } = boot(linux({ version: 0x202, loadFlags: 0 }), { commandLine: 'old' })
    expect(entry).toEqual({ mode: 'real', cs: 0x9020, ip: 0, ds: 0x9000, ss: 0x9000, sp: 0x9000 })
    expect(ram.view.getUint32(0x90202, true)).toBe(0x53726448)
    expect([...ram.bytes.subarray(0x10000, 0x10004)]).toEqual([0, 1, 2, 3]) // a zImage's code, below 640 KiB
    expect(ram.string(ram.view.getUint32(0x90228, true))).toBe('old')
    expect(ram.view.getUint16(0x90224, true)).toBe(0x8e00)
    expect(ram.bytes[0x90211]).toBe(0x80)
  })

  it('enter where the user says', () => {
    const image = linux({ version: 0x20f, relocatable: true, xloadFlags: 1 })
    expect(boot(image, { linuxEntry: 16 }).entry.mode).toBe('real')
    expect(boot(image, { linuxEntry: 32 }).entry.mode).toBe('protected')
    expect(failure(linux({ version: 0x20b }), { linuxEntry: 64 }).code).toBe('config/contradiction')
  })

  it('get their initrd as high as they allow', () => {
    const initrd = new Uint8Array(5000).fill(0x77)
    const at = (ram: Ram): readonly number[] => [ram.view.getUint32(0x90218, true), ram.view.getUint32(0x9021c, true)]
    const high = boot(linux({ version: 0x208 }), { initrd })
    expect(at(high.ram)).toEqual([Math.floor((64 * MIB - 0x10000 - 5000) / 4096) * 4096, 5000])
    expect(high.ram.bytes[(at(high.ram)[0] ?? 0) + 4999]).toBe(0x77)
    const low = boot(linux({ version: 0x208, initrdMax: 0x1ffffff }), { initrd })
    expect(at(low.ram)).toEqual([0x1ffe000, 5000])
    expect(at(boot(linux({ version: 0x208 }), { initrd: new Uint8Array() }).ram)).toEqual([0, 0])
  })

  it('say when the initrd does not fit', () => {
    const error = failure(linux({ version: 0x208 }), { initrd: new Uint8Array(63 * MIB) })
    expect(error.code).toBe('memory/initrd-does-not-fit')
    expect(error.message).toMatch(/initrd\.img: its 63 MiB do not fit .* 64 MiB; .*--memory/)
    expect(failure(linux({ version: 0x208, initrdMax: 0 }), { initrd: new Uint8Array(1) }).code).toBe('memory/initrd-does-not-fit')
  })

  it('say when the machine is too small for them', () => {
    const error = failure(linux({ version: 0x20a, relocatable: true, preferredAddress: 60 * MIB, initBytes: 8 * MIB }))
    expect(error.code).toBe('memory/too-much')
    expect(error.message).toContain('needs 68 MiB, the machine has 64 MiB')
    expect(failure(linux({ version: 0x208 }), {}, new Ram(1 * MIB + 0x11000)).code).toBe('memory/too-much')
  })

  it('refuse a command line that is too long, and modules', () => {
    expect(failure(linux({ version: 0x208, commandLineMax: 10 }), { commandLine: '12345678901' }).message).toContain('11 characters')
    expect(failure(linux({ version: 0x208, commandLineMax: 0xffffffff }), { commandLine: 'x'.repeat(0x6000) }).code).toBe('config/bad-option')
    expect(failure(linux({ version: 0x205 }), { commandLine: 'x'.repeat(256) }).message).toContain('255 at most')
    expect(failure(linux({ version: 0x208 }), { modules: [{ name: 'm', bytes: CODE, commandLine: '' }] }).message).toContain('--initrd')
  })

  it('are refused when truncated', () => {
    const image = linux({ version: 0x20f, setupSectors: 30 })
    for (const length of [0x280, 0x1000, 31 * 512]) expect(failure(image.subarray(0, length)).code).toBe('file/too-small')
  })

  it('are refused when their parts have no room below 640 KiB', () => {
    expect(failure(linux({ version: 0x202, setupSectors: 255 })).code).toBe('file/wrong-format')
    expect(failure(linux({ version: 0x202, loadFlags: 0, code: new Uint8Array(0x80001) })).message).toContain('bzImage')
  })
})

/** Multiboot header first, then 16 bytes to run. */
const multibootElf = (bits: 32 | 64 = 32): Uint8Array => {
  const bytes = new Uint8Array(64)
  bytes.set(multibootHeader(3))
  return elf(bits, 0x100010, [{ type: PT_LOAD, address: 0x100000, bytes, memoryBytes: 0x3001 }])
}

describe('Multiboot images', () => {
  const info = (entry: BootEntry): number => (entry.mode === 'protected' ? (entry.registers.ebx ?? 0) : 0)

  it.each([32, 64] as const)('load as ELF%i, their tail cleared, with modules behind', (bits) => {
    const ram = new Ram(64 * MIB)
    ram.bytes.fill(0xee, 0x100000, 0x110000)
    const modules = [{ name: 'a', bytes: text('first'), commandLine: 'a --one' }, { name: 'b', bytes: new Uint8Array(5000).fill(9), commandLine: 'b' }, { name: 'c', bytes: new Uint8Array(), commandLine: 'c' }]
    const { entry } = boot(multibootElf(bits), { commandLine: 'x=1', modules, initrd: text('initrd') }, ram)
    expect(entry).toMatchObject({ mode: 'protected', eip: 0x100010, registers: { eax: 0x2badb002 } })
    expect([ram.bytes[0x100040], ram.bytes[0x103000], ram.bytes[0x103001]]).toEqual([0, 0, 0xee])
    const at = info(entry)
    const word = (offset: number): number => ram.view.getUint32(offset, true)
    expect(word(at) & 0x4d).toBe(0x4d)
    expect([word(at + 4), word(at + 8)]).toEqual([639, 63 * 1024 - 64])
    expect(ram.string(word(at + 16))).toBe('kernel.img x=1')
    expect(word(at + 20)).toBe(4)
    const list = [0, 1, 2, 3].map((i) => [word(word(at + 24) + i * 16), word(word(at + 24) + i * 16 + 4), ram.string(word(word(at + 24) + i * 16 + 8))])
    expect(list).toEqual([[0x104000, 0x104006, ''], [0x105000, 0x105005, 'a --one'], [0x106000, 0x107388, 'b'], [0x108000, 0x108000, 'c']])
    expect([...ram.bytes.subarray(0x105000, 0x105005)]).toEqual([...text('first')])
    expect(word(at + 44)).toBe(memoryMap(ram).length * 24)
    expect(word(word(at + 48))).toBe(20)
    expect(ram.string(word(at + 64))).toBe('Vitrine')
  })

  it('load by the addresses in their header', () => {
    const image = new Uint8Array(0x2000)
    image.set(multibootHeader(0x10003, [0x200100, 0x200000, 0x201000, 0x203000, 0x200040]), 0x300) // 200h bytes of the file stay out
    image.fill(0x5a, 0x11ff, 0x1201)
    const ram = new Ram(64 * MIB)
    ram.bytes.fill(0xee, 0x200000, 0x210000)
    expect(boot(image, {}, ram).entry).toMatchObject({ eip: 0x200040 })
    expect(ram.view.getUint32(0x200100, true)).toBe(0x1badb002)
    expect([ram.bytes[0x200fff], ram.bytes[0x201000], ram.bytes[0x202fff], ram.bytes[0x203000]]).toEqual([0x5a, 0, 0, 0xee])
  })

  it('load to the end of the file when the header tells no end', () => {
    const image = new Uint8Array(0x1234).fill(0x11)
    image.set(multibootHeader(0x10000, [0x100000, 0x100000, 0, 0, 0x100020]))
    const { ram } = boot(image)
    expect([ram.bytes[0x101233], ram.bytes[0x101234]]).toEqual([0x11, 0])
  })

  it.each<readonly [string, Uint8Array, string]>([
    ['features that nobody knows', multibootHeader(0x8000), 'file/wrong-format'],
    ['no addresses and no ELF', multibootHeader(0), 'file/wrong-format'],
    ['cut off', multibootHeader(0x10000, [1]), 'file/too-small'],
    ['header before the start of the file', multibootHeader(0x10000, [0x200000, 0x100000, 0x100010, 0, 0]), 'file/wrong-format'],
    ['load address above the header', multibootHeader(0x10000, [0x100000, 0x200000, 0x200010, 0, 0]), 'file/wrong-format'],
    ['end before start', multibootHeader(0x10000, [0x100000, 0x100000, 0xff000, 0, 0]), 'file/wrong-format'],
    ['beyond the file', multibootHeader(0x10000, [0x100000, 0x100000, 0x100021, 0, 0]), 'file/wrong-format'],
    ['beyond memory', multibootHeader(0x10000, [0xfffff000, 0xfffff000, 0xfffff010, 0, 0]), 'memory/too-much'],
    ['bss beyond memory', multibootHeader(0x10000, [0x100000, 0x100000, 0x100010, 0xffffffff, 0]), 'memory/too-much'],
    ['in the video memory', multibootHeader(0x10000, [0xa0000, 0xa0000, 0xa0010, 0, 0]), 'memory/too-much'],
  ])('are refused: %s', (_name, image, code) => {
    expect(failure(image).code).toBe(code)
  })

  it('are refused when they enter beyond 32 bits', () => {
    const image = multibootElf(64)
    new DataView(image.buffer).setBigUint64(24, 0x100000000n, true)
    expect(failure(image).message).toContain('4 GiB')
  })

  it('say when modules or command lines do not fit', () => {
    const modules = [{ name: 'big.mod', bytes: new Uint8Array(63 * MIB), commandLine: '' }]
    expect(failure(multibootElf(), { modules }).message).toMatch(/big\.mod: does not fit.*--memory/)
    expect(failure(multibootElf(), { commandLine: 'x'.repeat(4096) }).message).toContain('--append')
    const many = Array.from({ length: 300 }, () => ({ name: 'm', bytes: new Uint8Array(1), commandLine: 'm' }))
    expect(failure(multibootElf(), { modules: many }).code).toBe('config/bad-option')
  })
})

const pvhElf = (bits: 32 | 64 = 64): Uint8Array =>
  elf(bits, 0, [{ type: PT_LOAD, address: 0x200000, bytes: text('run me'), memoryBytes: 4096 }, { type: PT_NOTE, address: 0, bytes: pvhNote(0x200002) }])

describe('PVH images', () => {
  it.each([32, 64] as const)('enter by their note, as ELF%i', (bits) => {
    const { entry, ram } = boot(pvhElf(bits), { commandLine: 'hello', initrd: text('ramdisk'), modules: [{ name: 'm', bytes: text('module'), commandLine: 'm 1' }] })
    if (entry.mode !== 'protected') throw new Error(entry.mode)
    expect(entry.eip).toBe(0x200002)
    const at = entry.registers.ebx ?? 0
    const word = (offset: number): number => ram.view.getUint32(offset, true)
    expect([word(at), word(at + 4), word(at + 12)]).toEqual([0x336ec578, 1, 2])
    expect(ram.string(word(at + 24))).toBe('hello')
    expect(word(at + 32)).toBe(0xf1230)
    const list = word(at + 16)
    expect([0, 1].map((i) => ram.string(word(list + i * 32)))).toEqual(['ramdisk', 'module'])
    expect([word(list + 8), word(list + 40), ram.string(word(list + 48))]).toEqual([7, 6, 'm 1'])
    const map = memoryMap(ram)
    expect(word(at + 48)).toBe(map.length)
    expect(map.map((_range, i) => word(word(at + 40) + i * 24))).toEqual(map.map(({ address }) => address))
  })

  it('need a note', () => {
    expect(failure(elf(64, 0x100000, [{ type: PT_LOAD, address: 0x100000, bytes: CODE }])).message).toContain('PVH entry note')
    const short = pvhNote(1).slice(0, 36)
    new DataView(short.buffer).setUint32(24, 0, true)
    expect(failure(elf(64, 0, [{ type: PT_NOTE, address: 0, bytes: short }])).message).toContain('PVH entry note')
  })

  it('say when command lines or modules are too many', () => {
    expect(failure(pvhElf(), { commandLine: 'x'.repeat(5000) }).message).toContain('--append')
    const modules = (n: number, commandLine: string): DirectBootRequest['modules'] => Array.from({ length: n }, () => ({ name: 'm', bytes: CODE, commandLine }))
    expect(failure(pvhElf(), { modules: modules(25, '') }).message).toContain('24')
    expect(failure(pvhElf(), { modules: modules(24, 'x'.repeat(200)) }).message).toContain('too long')
    expect(boot(pvhElf(), { modules: modules(24, 'x'.repeat(100)) }).entry.mode).toBe('protected')
  })
})

describe('hostile images', () => {
  it('are refused when they are nothing known', () => {
    expect(failure(new Uint8Array()).code).toBe('file/too-small')
    for (const image of [text('#!/bin/sh\necho hello\n'), new Uint8Array(1), new Uint8Array(10_000), new Uint8Array(0x280).fill(0xff)]) {
      expect(failure(image).message).toMatch(/kernel\.img: not a Linux bzImage, Multiboot or PVH image; give/)
    }
  })

  const samples: readonly (readonly [string, Uint8Array, number])[] = [
    ['Linux 64-bit', linux({ version: 0x20f, relocatable: true, xloadFlags: 1 }), 0x290],
    ['Linux 32-bit', linux({ version: 0x208 }), 0x290],
    ['Linux real mode', linux({ version: 0x203 }), 0x290],
    ['Multiboot ELF32', multibootElf(32), 0xa0],
    ['Multiboot ELF64', multibootElf(64), 0xc0],
    ['Multiboot addresses', multibootHeader(0x10000, [0x100000, 0x100000, 0x100020, 0x102000, 0x100010]), 0x20],
    ['PVH ELF32', pvhElf(32), 0xb8],
    ['PVH ELF64', pvhElf(64), 0x100],
  ]
  const given: Given = { initrd: text('initrd'), commandLine: 'a=b' }
  const VALUES = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0xfffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff] as const

  /** Loads or refuses; anything else is thrown on. */
  function attempt(image: Uint8Array): void {
    try {
      boot(image, image[0x202] === 0x48 || image[0] === 0x7f ? given : {}, shared)
    } catch (error) {
      if (!(error instanceof VmmError)) throw error
    }
  }
  const shared = new Ram(8 * MIB)

  it.each(samples)('are loaded or refused with every field bent: %s', (_name, image, headerBytes) => {
    attempt(image)
    for (let at = 0; at + 4 <= Math.min(headerBytes, image.length); at++) {
      const bent = Uint8Array.from(image)
      const view = new DataView(bent.buffer)
      const original = view.getUint32(at, true)
      for (const value of VALUES) {
        view.setUint32(at, value, true)
        attempt(bent)
        view.setUint16(at, value & 0xffff, true)
        view.setUint16(at + 2, original >>> 16, true)
        attempt(bent)
        view.setUint32(at, original, true)
      }
      if (at + 8 > image.length) continue
      const whole = view.getBigUint64(at, true)
      for (const value of [0xffffffffffffffffn, 0x7fffffffffffffffn, 0x8000000000000001n, 0x20000000000001n, 0x100000000n]) {
        view.setBigUint64(at, value, true)
        attempt(bent)
      }
      view.setBigUint64(at, whole, true)
    }
  })

  it.each(samples)('are loaded or refused wherever they are cut off: %s', (_name, image, headerBytes) => {
    for (let length = 0; length < Math.min(image.length, headerBytes + 64); length++) attempt(image.subarray(0, length))
  })

  it('do not make long work of endless notes', () => {
    const notes = new Uint8Array(1 << 20) // 80,000 notes of nothing, seen by every one of 128 headers
    const image = elf(64, 0, Array.from({ length: 128 }, () => ({ type: PT_NOTE, address: 0, bytes: new Uint8Array() })).concat({ type: PT_NOTE, address: 0, bytes: notes }).slice(1))
    const view = new DataView(image.buffer)
    const offset = Number(view.getBigUint64(64 + 127 * 56 + 8, true))
    for (let i = 0; i < 127; i++) {
      view.setBigUint64(64 + i * 56 + 8, BigInt(offset), true)
      view.setBigUint64(64 + i * 56 + 32, BigInt(notes.length), true)
    }
    expect(failure(image).code).toBe('file/wrong-format')
  })
})
