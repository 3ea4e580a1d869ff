import { beforeEach, describe, expect, it } from 'vitest'
import { DIRTY_MAP, PHYS_CODE, PHYSMAP, RAM_BASE } from '../cpu/layout'
import { gpa } from '../support/branded'
import { GuestMemoryImpl, linearMemoryBytes } from './guest-memory-impl'

const MIB = 0x100000
const RAM = 4 * MIB
let buffer: SharedArrayBuffer
let memory: GuestMemoryImpl
let calls: string[]

beforeEach(() => {
  buffer = new SharedArrayBuffer(linearMemoryBytes(RAM, [0x40000, 0x10000]))
  memory = new GuestMemoryImpl(buffer, RAM)
  calls = []
  memory.connect({
    onCodeWritten: (address, bytes) => calls.push(`code ${address.toString(16)} ${bytes}`),
    onMapChanged: () => calls.push('map'),
    onDirtyCleared: () => calls.push('dirty'),
  })
})

function markCode(address: number): void {
  const physmap = new Uint32Array(buffer, PHYSMAP)
  physmap[address >> 12] = (physmap[address >> 12] ?? 0) | PHYS_CODE
}

describe('GuestMemoryImpl', () => {
  it('reads and writes all sizes, across pages', () => {
    memory.writeU32(gpa(0x1ffe), 0x89abcdef)
    expect(memory.readU16(gpa(0x1ffe))).toBe(0xcdef)
    expect(memory.readU8(gpa(0x2001))).toBe(0x89)
    expect(memory.readU32(gpa(0x1ffe))).toBe(0x89abcdef)
    memory.writeU64(gpa(0x2ffc), 0x1122334455667788n)
    expect(memory.readU64(gpa(0x2ffc))).toBe(0x1122334455667788n)
    expect(new Uint8Array(buffer)[RAM_BASE + 0x2ffc]).toBe(0x88)
  })

  it('reads ones and drops writes where nothing is', () => {
    for (const address of [RAM, RAM - 1, 0xfffffffe, 0x100000000, 2 ** 33, 2 ** 45, 2 ** 52]) {
      memory.writeU32(gpa(address), 0)
      if (address !== RAM - 1) expect(memory.readU32(gpa(address))).toBe(0xffffffff)
    }
    expect(memory.readU32(gpa(RAM - 1))).toBe(0xffffff00)
    const bytes = new Uint8Array(8).fill(1)
    memory.read(gpa(RAM - 4), bytes)
    expect([...bytes.subarray(4)]).toEqual([255, 255, 255, 255])
    memory.fill(gpa(2 ** 40), 2 ** 50, 1)
    expect(memory.views(gpa(RAM - 4), 8)).toBe(undefined)
    expect(memory.views(gpa(0), 2 ** 50)).toBe(undefined)
    expect(memory.droppedWrites).toBeGreaterThan(0)
  })

  it('drops decoded code that is written, by bytes', () => {
    markCode(0x3000)
    memory.writeU8(gpa(0x3123), 1)
    memory.write(gpa(0x2ff0), new Uint8Array(0x20))
    memory.writeU8(gpa(0x4000), 1)
    const views = memory.views(gpa(0x2000), 0x2000)
    expect(views?.length).toBe(1)
    memory.finishWrite(gpa(0x2000), 0x2000)
    expect(calls).toEqual(['code 3123 1', 'code 3000 16', 'code 3000 4096'])
  })

  it('marks dirty pages by host page, and tells when marks were cleared', () => {
    memory.takeDirty(memory.ram)
    calls.length = 0
    memory.writeU16(gpa(0x5fff), 0)
    expect(new Uint8Array(buffer)[DIRTY_MAP + (RAM_BASE >> 12) + 5]).toBe(1)
    const dirty = memory.takeDirty(memory.ram)
    expect([...dirty.subarray(4, 8)]).toEqual([0, 1, 1, 0])
    expect(calls).toEqual(['dirty'])
    expect(memory.takeDirty(memory.ram).includes(1)).toBe(false)
    expect(calls).toEqual(['dirty'])
  })

  it('maps ROM read-only and drops code of what was there', () => {
    const rom = memory.allocateBlock('bios', 0x10000, 'rom')
    memory.blockBytes(rom)[0x10] = 0x55
    markCode(0xf0000)
    memory.map(gpa(0xf0000), rom, 0, 0x10000)
    expect(calls).toEqual(['code f0000 4096', 'map'])
    memory.map(gpa(0xf0000), rom, 0, 0x10000)
    expect(calls.length).toBe(2)
    memory.writeU8(gpa(0xf0010), 1)
    expect(memory.readU8(gpa(0xf0010))).toBe(0x55)
    memory.unmap(gpa(0xf0000), 0x1000)
    expect(memory.readU8(gpa(0xf0010))).toBe(0xff)
    expect(memory.isFree(gpa(0xf0000), 0x1000)).toBe(true)
    expect(memory.isFree(gpa(0xf0000), 0x1001)).toBe(false)
    expect(memory.ranges().map((r) => [r.first, r.last, r.block, r.access])).toEqual([
      [0, 0xeffff, 'ram', 'read-write'],
      [0xf1000, 0xfffff, 'bios', 'read'],
      [0x100000, RAM - 1, 'ram', 'read-write'],
    ])
  })

  it('refuses blocks that do not fit', () => {
    expect(() => memory.allocateBlock('vram', 64 * MIB, 'ram')).toThrow(/vram/)
    expect(() => new GuestMemoryImpl(buffer, 64 * MIB)).toThrow(/RAM/)
  })
})
