import { describe, expect, it } from 'vitest'
import { BiosBench } from './bios.fixture'

/** Key buffer pointers in the BIOS data area (40:1Ah, 1Ch, 80h, 82h). */
const KEY_HEAD = 0x41a
const KEY_TAIL = 0x41c
const BUFFER_START = 0x480
const BUFFER_END = 0x482

/** A buffer that never looks empty, full of a key. */
function endlessKeys(b: BiosBench, key: number): void {
  b.memory.view.setUint16(KEY_HEAD, 0x1e, true)
  b.memory.view.setUint16(KEY_TAIL, 0x1f, true)
  b.memory.view.setUint16(BUFFER_START, 0x1e, true)
  b.memory.view.setUint16(BUFFER_END, 0x3e, true)
  for (let at = 0x41e; at < 0x43e; at += 2) b.memory.view.setUint16(at, key, true)
}

describe('a guest that arranges the data area against the BIOS', () => {
  it('does not catch INT 16h in a buffer of keys that it passes over', () => {
    const b = new BiosBench()
    b.powerOn()
    endlessKeys(b, 0x85f0)
    // Status: answers, or there is no key; read: waits.
    expect(b.begin(0x16, { eax: 0x0100 })).toBe(true)
    expect(b.begin(0x16, { eax: 0x0000 })).toBe(false)
  })

  it('does not catch the boot menu in a buffer of keys that choose nothing', () => {
    const b = new BiosBench({ showMenu: true })
    b.powerOn()
    endlessKeys(b, 0x2e63)
    expect(b.begin(0x101)).toBe(false)
    for (let i = 0; i < 50; i++) expect(b.again()).toBe(false)
  })

  it('gets turns while INT 10h AH=13h writes 65,535 line feeds', () => {
    const b = new BiosBench()
    b.powerOn()
    b.memory.bytes.fill(10, 0x20000, 0x30000)
    let isDone = b.begin(0x10, { eax: 0x1301, ebx: 7, ecx: 0xffff, edx: 0x1800, es: 0x2000 })
    expect(isDone).toBe(false)
    let turns = 0
    while (!isDone && turns < 10) {
      const begin = performance.now()
      isDone = b.again()
      turns++
      expect(performance.now() - begin).toBeLessThan(1000)
    }
    expect(isDone).toBe(false)
  })

  it('gets one call of a string instruction on the call port', () => {
    let instruction = 1
    const b = new BiosBench({ instruction: () => instruction })
    b.powerOn()
    instruction = 2
    expect(b.begin(0x12)).toBe(true)
    b.memory.view.setUint32(b.context.frame + 34, 0x1234, true)
    expect(b.again()).toBe(true)
    expect(b.context.ax).toBe(0x1234)
    instruction = 3
    b.again()
    expect(b.context.ax).toBe(639)
  })
})
