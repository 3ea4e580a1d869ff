import { describe, expect, it } from 'vitest'
import { gpa, vmTime } from '../../support/branded'
import { describeDevice } from '../../testing/describe-device'
import { BiosBench, FakeDisk } from './bios.fixture'
import { buildBiosRom } from './rom'
import { SERVICE_KEY } from './rom-source'
import { monitorEdid, VBE_MODES, vbeModeInfo, vbeModesThatFit } from './services/vbe-modes'
import { paletteEntry, VIDEO_MODES } from './services/video-modes'

function ready(options: ConstructorParameters<typeof BiosBench>[0] = {}): BiosBench {
  const b = new BiosBench(options)
  b.powerOn()
  return b
}
/** Scan codes through the translation, as IRQ 1 brings them. */
const type = (b: BiosBench, ...codes: number[]): number[] => codes.map((code) => b.call(SERVICE_KEY, { eax: code }).ah)
const read = (b: BiosBench, ah = 0): number | undefined => {
  const r = b.begin(0x16, { eax: ah << 8 })
  return r ? b.context.ax : undefined
}

describe('ROM', () => {
  const font = new Uint8Array(4096)
  const { bytes, symbols } = buildBiosRom({ font8x8: font, font8x14: font, font8x16: font })
  it('is 64 KiB with the reset vector at its end', () => {
    expect(bytes.length).toBe(0x10000)
    expect([...bytes.subarray(0xfff0, 0xfff5)]).toEqual([0xea, 0x5b, 0xe0, 0x00, 0xf0])
    expect(bytes[0xfffe]).toBe(0xfc)
  })
  it('has a BIOS32 directory with the right sum, on a paragraph', () => {
    const at = symbols.get('bios32') ?? 1
    expect(at % 16).toBe(0)
    expect(bytes.subarray(at, at + 16).reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
    expect(String.fromCharCode(...bytes.subarray(at, at + 4))).toBe('_32_')
  })
})

describe('power-on', () => {
  it('fills vectors, data area and tables', () => {
    const b = ready()
    const far = (vector: number): string => `${b.memory.readU16(gpa(vector * 4 + 2)).toString(16)}:${b.memory.readU16(gpa(vector * 4)).toString(16)}`
    expect(far(0x10)).toBe(`f000:${(b.bios.rom.symbols.get('int_10') ?? 0).toString(16)}`)
    expect(far(0x60)).toBe('0:0')
    expect(b.memory.readU16(gpa(0x40e))).toBe(0x9fc0)
    expect(b.memory.readU16(gpa(0x413))).toBe(639)
    expect(String.fromCharCode(...b.memory.bytes.subarray(b.bios.rsdp, b.bios.rsdp + 8))).toBe('RSD PTR ')
    expect(b.written).toContainEqual({ port: 0x21, value: 0xb8 })
  })
  it('jumps on after a reset that a program asked for', () => {
    const b = new BiosBench()
    b.ports.set(0x71, 0x0a)
    b.memory.writeU16(gpa(0x467), 0x1234)
    b.memory.writeU16(gpa(0x469), 0x5678)
    b.powerOn()
    expect(b.target).toBe('5678:1234')
  })
})

describe('INT 15h', () => {
  it('tells the memory map entry by entry', () => {
    const b = ready({ ramBytes: 64 << 20 })
    const entries: [number, number, number][] = []
    let ebx = 0
    do {
      const r = b.call(0x15, { eax: 0xe820, ebx, ecx: 20, edx: 0x534d4150, edi: 0x1000 })
      expect([r.carry, r.eax, r.ecx]).toEqual([false, 0x534d4150, 20])
      entries.push([Number(b.memory.readU64(gpa(0x1000))), Number(b.memory.readU64(gpa(0x1008))), b.memory.readU32(gpa(0x1010))])
      ebx = r.ebx
    } while (ebx !== 0)
    expect(entries[0]).toEqual([0, 0x9fc00, 1])
    expect(entries).toContainEqual([0x100000, (64 << 20) - 0x110000, 1])
    expect(entries).toContainEqual([(64 << 20) - 0x10000, 0xf000, 3])
  })
  it.each([[0x12345678, 20, 0], [0x534d4150, 19, 0], [0x534d4150, 20, 99]])('refuses EDX=%i ECX=%i EBX=%i', (edx, ecx, ebx) => {
    expect(ready().call(0x15, { eax: 0xe820, ebx, ecx, edx }).carry).toBe(true)
  })
  it('tells sizes the older ways', () => {
    const b = ready({ ramBytes: 64 << 20 })
    expect(b.call(0x15, { eax: 0x8800 }).ax).toBe(63 * 1024)
    const r = b.call(0x15, { eax: 0xe801 })
    expect([r.cx, r.dx]).toEqual([15 * 1024, 48 * 16])
    expect(b.call(0x12).ax).toBe(639)
  })
  it('moves blocks by descriptors', () => {
    const b = ready()
    b.memory.bytes.set([1, 2, 3, 4], 0x200000)
    b.memory.view.setUint32(0x3000 + 16 + 2, 0x93200000, true)
    b.memory.view.setUint32(0x3000 + 24 + 2, 0x93300000, true)
    expect(b.call(0x15, { eax: 0x8700, ecx: 2, esi: 0x3000 }).carry).toBe(false)
    expect([...b.memory.bytes.subarray(0x300000, 0x300004)]).toEqual([1, 2, 3, 4])
  })
  it('waits in virtual time, halting while it is long', () => {
    const b = ready()
    expect(b.begin(0x15, { eax: 0x8600, ecx: 2, edx: 0 })).toBe(false)
    expect(b.context.progress & 0x8000).toBe(0x8000)
    b.time = vmTime(131_071_000)
    expect(b.again()).toBe(false)
    expect(b.context.progress & 0x8000).toBe(0)
    b.time = vmTime(131_072_000)
    expect(b.again()).toBe(true)
  })
  it('has no APM', () => {
    const r = ready().call(0x15, { eax: 0x5300 })
    expect([r.carry, r.ah]).toEqual([true, 0x86])
  })
})

describe('keyboard', () => {
  it.each([
    ['a', [0x1e, 0x9e], 0x1e61], ['A with shift', [0x2a, 0x1e, 0x9e, 0xaa], 0x1e41], ['A with caps lock', [0x3a, 0xba, 0x1e], 0x1e41],
    ['Ctrl-C', [0x1d, 0x2e], 0x2e03], ['Alt-x', [0x38, 0x2d], 0x2d00], ['F1', [0x3b], 0x3b00], ['Shift-F10', [0x36, 0x44], 0x5d00],
    ['Enter', [0x1c], 0x1c0d], ['Backspace', [0x0e], 0x0e08], ['Shift-Tab', [0x2a, 0x0f], 0x0f00], ['1', [0x02], 0x0231], ['!', [0x2a, 0x02], 0x0221],
    ['5 of the keypad', [0x45, 0xc5, 0x4c], 0x4c35], ['Home of the keypad', [0x47], 0x4700], ['Alt 6 5', [0x38, 0x4d, 0x4c, 0xb8], 0x0041],
  ])('translates %s', (_, codes, expected) => {
    const b = ready()
    type(b, ...codes)
    expect(read(b)).toBe(expected)
  })
  it('gives grey keys as such to extended calls only', () => {
    const b = ready()
    type(b, 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x48)
    expect(read(b, 0x10)).toBe(0x48e0)
    expect(read(b, 0x00)).toBe(0x4800)
  })
  it('hides F12 from the old calls', () => {
    const b = ready()
    type(b, 0x58, 0x1e)
    expect(read(b)).toBe(0x1e61)
    type(b, 0x58)
    expect(read(b, 0x10)).toBe(0x8600)
  })
  it('waits for a key, halting; peeking says there is none', () => {
    const b = ready()
    expect(b.begin(0x16, { eax: 0 })).toBe(false)
    expect(b.context.progress & 0x8000).toBe(0x8000)
    type(b, 0x1e)
    expect(read(b)).toBe(0x1e61)
    b.call(0x16, { eax: 0x0100 })
    expect(b.memory.readU16(gpa(b.context.frame + 44)) & 0x40).toBe(0x40)
  })
  it('drops keys when the buffer is full', () => {
    const b = ready()
    for (let i = 0; i < 20; i++) type(b, 0x1e)
    let count = 0
    while (read(b) !== undefined) count++
    expect(count).toBe(15)
  })
  it('asks for INT 1Bh on Ctrl-Break and INT 05h on Print Screen', () => {
    const b = ready()
    expect(type(b, 0x1d, 0xe0, 0x46)).toEqual([0, 0, 1])
    expect(type(b, 0xe0, 0xc6, 0x9d, 0xe0, 0x37)).toEqual([0, 0, 0, 0, 2])
  })
  it('resets on Ctrl-Alt-Del', () => {
    const b = ready()
    type(b, 0x1d, 0x38, 0xe0, 0x53)
    expect(b.written).toContainEqual({ port: 0x64, value: 0xfe })
  })
})

describe('INT 10h', () => {
  it('writes as a terminal and scrolls', () => {
    const b = ready()
    for (const c of 'one\r\ntwo') b.call(0x10, { eax: 0x0e00 | c.charCodeAt(0) })
    expect([b.row(0), b.row(1)]).toEqual(['one', 'two'])
    b.call(0x10, { eax: 0x0200, edx: 0x1800 })
    for (const c of 'last\n') b.call(0x10, { eax: 0x0e00 | c.charCodeAt(0) })
    expect([b.row(0), b.row(23), b.row(24)]).toEqual(['two', 'last', ''])
    const r = b.call(0x10, { eax: 0x0300 })
    expect([r.dh, r.dl, r.cx]).toEqual([24, 4, 0x0607])
  })
  it('writes strings with attributes and reads cells back', () => {
    const b = ready()
    b.memory.bytes.set([0x41, 0x1f, 0x42, 0x2e], 0x2000)
    b.call(0x10, { eax: 0x1303, ecx: 2, edx: 0x0305, ebp: 0x2000 })
    b.call(0x10, { eax: 0x0200, edx: 0x0306 })
    expect(b.call(0x10, { eax: 0x0800 }).ax).toBe(0x2e42)
  })
  it('sets modes and says which', () => {
    const b = ready()
    b.call(0x10, { eax: 0x0013 })
    const r = b.call(0x10, { eax: 0x0f00 })
    expect([r.al, r.ah]).toEqual([0x13, 40])
    b.call(0x10, { eax: 0x0012 + 0x80 })
    expect(b.call(0x10, { eax: 0x0f00 }).al).toBe(0x92)
    b.call(0x10, { eax: 0x0055 })
    expect(b.unsupported).toEqual(['video mode 55h'])
  })
  it('identifies itself as a VGA', () => {
    const r = ready().call(0x10, { eax: 0x1a00 })
    expect([r.al, r.bx]).toEqual([0x1a, 8])
  })
  it('survives a data area full of nonsense', () => {
    const b = ready()
    b.memory.bytes.fill(0xff, 0x449, 0x4c0)
    for (const ah of [2, 3, 5, 6, 7, 8, 9, 0x0a, 0x0c, 0x0d, 0x0e, 0x0f, 0x13, 0x1b, 0x1c]) {
      b.call(0x10, { eax: (ah << 8) | 0xff, ebx: 0xffff, ecx: 0xffff, edx: 0xffff, ebp: 0xffff, es: 0xffff })
    }
    expect(b.context.progress).toBe(0)
  })
  it('says that VBE is not there without the display interface', () => {
    expect(ready().call(0x10, { eax: 0x4f00 }).ax).toBe(0x0100)
  })
})

describe('VBE modes', () => {
  it('reach 1920x1200 in 32-bit colour, have numbers of their own, and need the memory they say', () => {
    expect(new Set(VBE_MODES.map((mode) => mode.number)).size).toBe(VBE_MODES.length)
    expect(VBE_MODES).toContainEqual(expect.objectContaining({ width: 1920, height: 1200, bitsPerPixel: 32 }))
    expect(vbeModesThatFit(0x400000).some((mode) => mode.width === 1920 && mode.bitsPerPixel === 32)).toBe(false)
    expect(VBE_MODES.length).toBeLessThan(110)
  })
  it('describes a mode', () => {
    const info = vbeModeInfo({ number: 0x144, width: 1024, height: 768, bitsPerPixel: 32 }, { videoMemoryBytes: 0x1000000, frameBuffer: 0xe0000000, windowFunction: 0 })
    const view = new DataView(info.buffer)
    expect([view.getUint16(0, true), view.getUint16(16, true), view.getUint32(40, true), info[31], info[32]]).toEqual([0xbb, 4096, 0xe0000000, 8, 16])
  })
  it('has a monitor whose EDID sums to 0', () => {
    expect(monitorEdid().reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
  })
})

describe('VGA mode tables', () => {
  it('have a value for every register', () => {
    for (const mode of VIDEO_MODES) {
      expect([mode.mode, mode.sequencer.length, mode.crtc.length, mode.attribute.length, mode.graphics.length]).toEqual([mode.mode, 4, 25, 20, 9])
    }
  })
  it('has the usual palette entries', () => {
    expect(paletteEntry('ega', 0x14)).toEqual([0x2a, 0x15, 0])
    expect(paletteEntry('256', 15)).toEqual([0x3f, 0x3f, 0x3f])
    expect(paletteEntry('256', 32)).toEqual([0, 0, 0x3f])
    expect(paletteEntry('256', 40)).toEqual([0x3f, 0, 0])
    expect(paletteEntry('256', 255)).toEqual([0, 0, 0])
  })
})

describe('the call port', () => {
  it('ignores services and frames that make no sense', () => {
    const b = ready()
    expect(b.begin(0x77)).toBe(true)
    b.bios.pioWrite(0xb4, 4, 0xffffffff)
    expect(b.bios.pioWrite(0xb5, 1, 0)).toEqual({ fault: 'bad-width' })
  })
  it('forgets the oldest of too many waiting calls', () => {
    const b = ready()
    for (let i = 0; i < 100; i++) {
      const frame = 0x50000 + i * 64
      b.memory.view.setUint16(frame + 38, 0x16, true)
      b.bios.pioWrite(0xb4, 4, ((frame >> 4) << 16) >>> 0)
    }
    expect(read(b)).toBeUndefined()
  })
})

describeDevice(
  'built-in BIOS',
  () => {
    const { bios } = new BiosBench({ disks: [new FakeDisk('cdrom', new Uint8Array(40 * 2048))] })
    return { device: bios }
  },
  ({ device }) => {
    const state = device.save()
    device.load({ ...state, rsdp: 0xf1230, bootTarget: 0, cdLocks: [2], emulation: { media: 2, disk: 0, lba: 20, loadSegment: 0x1000, sectorCount: 8, heads: 0, sectorsPerTrack: 0 } })
  },
)
