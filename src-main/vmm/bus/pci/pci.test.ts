import { beforeEach, describe, expect, it } from 'vitest'
import type { PioHandler } from '../../devices/device'
import { GuestMemoryImpl, linearMemoryBytes } from '../../memory/guest-memory-impl'
import { gpa } from '../../support/branded'
import { describeDevice } from '../../testing/describe-device'
import { RecordingLine } from '../../testing/fake-clock'
import { attachClaims } from '../attach'
import { MmioBus } from '../mmio-bus'
import { PioBus } from '../pio-bus'
import { assignPciResources } from './assign-resources'
import { HostBridge } from './host-bridge'
import { IsaBridge } from './isa-bridge'
import { PciBus } from './pci-bus'
import type { PciDevice } from './pci-device'

interface Board {
  pio: PioBus
  mmio: MmioBus
  memory: GuestMemoryImpl
  bus: PciBus
  isa: IsaBridge
  host: HostBridge
  gsi: Map<number, RecordingLine>
  resets: number
  line: ReturnType<PciBus['intx']>
  commands: number[]
}

function board(): Board {
  const [pio, mmio] = [new PioBus(), new MmioBus()]
  const memory = new GuestMemoryImpl(new SharedArrayBuffer(linearMemoryBytes(0x200000, [0x20000, 0x100000, 0x10000])), 0x200000)
  const bios = memory.allocateBlock('bios', 0x20000, 'rom')
  memory.blockBytes(bios).fill(0xb1)
  const vram = memory.allocateBlock('vram', 0x100000, 'ram')
  const option = memory.allocateBlock('option', 0x10000, 'rom')
  memory.blockBytes(option)[0] = 0x55
  const gsi = new Map<number, RecordingLine>()
  const result = { resets: 0 }
  const isa = new IsaBridge({
    gsiLine: (n) => {
      const line = new RecordingLine()
      gsi.set(n, line)
      return line
    },
    requestReset: () => result.resets++,
  })
  const bus = new PciBus({ pio, mmio, memory, pirq: isa.pirq, resetControl: isa })
  const host = new HostBridge({ memory, ram: memory.ram, roms: [{ first: 0xe0000, block: bios, offset: 0, bytes: 0x20000 }] })
  bus.attach('host-bridge', 0, 0, host)
  bus.attach('isa-bridge', 1, 0, isa)
  const line = bus.intx(3, 0, 1)
  const commands: number[] = []
  const ports: PioHandler = { pioRead: (port) => port, pioWrite: () => undefined }
  const card: PciDevice = {
    pciIdentity: { vendorId: 0x1234, deviceId: 0x1111, classCode: 0x030000, revision: 2, interruptPin: 1 },
    pciBars: [
      { index: 0, kind: 'ram', name: 'vram', block: vram, prefetchable: true },
      { index: 1, kind: 'pio', name: 'ports', bytes: 16, handler: ports },
      { index: 2, kind: 'mmio', name: 'regs', bytes: 0x1000, handler: { mmioRead: (offset) => offset, mmioWrite: () => undefined } },
    ],
    pciRom: option,
    pciCommandChanged: (command) => commands.push(command),
  }
  bus.attach('card', 3, 0, card)
  for (const device of [bus, isa, host]) attachClaims(pio, mmio, device)
  return Object.assign(result, { pio, mmio, memory, bus, isa, host, gsi, line, commands })
}

let b: Board

beforeEach(() => {
  b = board()
})

function address(slot: number, fn: number, register: number): void {
  b.pio.write(0xcf8, 4, (0x80000000 | (slot << 11) | (fn << 8) | register) >>> 0)
}

describeDevice(
  'pci-bus',
  () => ({ device: board().bus }),
  ({ device }) => {
    if (!(device instanceof PciBus)) return
    device.pioWrite(0xcf8, 4, 0x80001804)
    device.pioWrite(0xcfc, 2, 3)
  },
)

describe('configuration space', () => {
  it('is found by mechanism #1, with byte enables', () => {
    b.pio.write(0xcfb, 1, 1)
    address(0, 0, 0)
    expect(b.pio.read(0xcf8, 4)).toBe(0x80000000)
    expect(b.pio.read(0xcfc, 4)).toBe(0x12378086)
    expect(b.pio.read(0xcfe, 2)).toBe(0x1237)
    address(1, 0, 0x0c)
    expect(b.pio.read(0xcfe, 1)).toBe(0x80)
    address(7, 0, 0)
    expect(b.pio.read(0xcfc, 4)).toBe(0xffffffff)
    b.pio.write(0xcf8, 4, 0x80010000)
    expect(b.pio.read(0xcfc, 4)).toBe(0xffffffff)
  })

  it('sizes BARs and the ROM', () => {
    const size = (register: number): string => {
      address(3, 0, register)
      b.pio.write(0xcfc, 4, 0xffffffff)
      return b.pio.read(0xcfc, 4).toString(16)
    }
    expect([0x10, 0x14, 0x18, 0x1c, 0x30].map(size)).toEqual(['fff00008', 'fffffff1', 'fffff000', '0', 'ffff0001'])
  })

  it('maps windows when decoding is on, and moves them', () => {
    b.bus.configWrite(3, 0, 0x10, 4, 0xe0000000)
    b.bus.configWrite(3, 0, 0x14, 4, 0xc000)
    b.bus.configWrite(3, 0, 0x18, 4, 0xe0200000)
    b.bus.configWrite(3, 0, 0x30, 4, 0xe0300001)
    expect(b.pio.read(0xc004, 1)).toBe(0xff)
    b.bus.configWrite(3, 0, 4, 2, 7)
    expect(b.commands).toEqual([7])
    expect(b.pio.read(0xc004, 1)).toBe(4)
    expect(b.mmio.read(0xe0200010, 4)).toBe(0x10)
    expect(b.memory.readU8(gpa(0xe0300000))).toBe(0x55)
    b.memory.writeU32(gpa(0xe0000000), 0x1234)
    b.bus.configWrite(3, 0, 0x10, 4, 0xe1000000)
    expect(b.memory.readU32(gpa(0xe0000000))).toBe(0xffffffff)
    expect(b.memory.readU32(gpa(0xe1000000))).toBe(0x1234)
    b.bus.configWrite(3, 0, 4, 2, 0)
    expect(b.memory.readU32(gpa(0xe1000000))).toBe(0xffffffff)
    expect(b.pio.read(0xc004, 1)).toBe(0xff)
  })

  it('a BAR over RAM or ROM maps nothing, and harms nothing', () => {
    b.bus.configWrite(3, 0, 4, 2, 7)
    b.memory.writeU32(gpa(0x100000), 0x5a5a5a5a)
    b.bus.configWrite(3, 0, 0x10, 4, 0x100000)
    b.bus.configWrite(3, 0, 0x30, 4, 0x100001)
    expect(b.memory.readU32(gpa(0x100000))).toBe(0x5a5a5a5a)
    b.bus.configWrite(3, 0, 0x10, 4, 0xf0000000)
    expect(b.memory.readU32(gpa(0x100000))).toBe(0x5a5a5a5a)
  })

  it('gives every BAR a place as firmware does, and restores it', () => {
    assignPciResources(b.bus)
    expect(b.bus.configRead(3, 0, 0x10, 4)).toBe(0xe0000008)
    expect(b.bus.configRead(3, 0, 0x3c, 2)).toBe(0x010b)
    expect(b.pio.read(0xc00f, 1)).toBe(0x0f)
    const saved = b.bus.save()
    b = board()
    b.bus.load(saved)
    expect(b.pio.read(0xc00f, 1)).toBe(0x0f)
  })
})

describe('interrupts', () => {
  it('INTA# of slot 3 is PIRQC, routed by 62h', () => {
    b.line.setLevel(true)
    expect(b.gsi.size).toBe(0)
    address(1, 0, 0x60)
    b.pio.write(0xcfe, 1, 0x0b)
    expect(b.gsi.get(11)?.level).toBe(true)
    expect(b.bus.configRead(3, 0, 6, 2) & 8).toBe(8)
    b.pio.write(0xcfe, 1, 0x0a)
    expect([b.gsi.get(11)?.level, b.gsi.get(10)?.level]).toEqual([false, true])
    b.bus.configWrite(3, 0, 4, 2, 0x400)
    expect(b.gsi.get(10)?.level).toBe(false)
    b.bus.configWrite(3, 0, 4, 2, 0)
    expect(b.gsi.get(10)?.level).toBe(true)
    b.pio.write(0xcfe, 1, 0x80)
    expect(b.gsi.get(10)?.level).toBe(false)
  })
})

describe('chipset', () => {
  it('leaves the video window to the bus', () => {
    b.memory.writeU8(gpa(0xb8000), 0x41)
    expect([b.memory.readU8(gpa(0xb8000)), b.memory.readU8(gpa(0x9ffff)), b.memory.isFree(gpa(0xa0000), 0x20000)]).toEqual([0xff, 0, true])
  })

  it('resets through CF9h only on the rise of bit 2', () => {
    b.pio.write(0xcf9, 1, 2)
    b.pio.write(0xcf9, 1, 6)
    b.pio.write(0xcf9, 1, 6)
    expect(b.resets).toBe(1)
    expect(b.pio.read(0xcf9, 1)).toBe(6)
  })

  it('PAM: ROM, write-only, read-only and read-write shadow', () => {
    const at = gpa(0xf0000)
    const pam = (value: number): void => b.bus.configWrite(0, 0, 0x59, 1, value)
    expect(b.memory.readU8(at)).toBe(0xb1)
    pam(0x20)
    b.mmio.write(0xf0000, 2, 0xabcd)
    expect(b.memory.readU8(at)).toBe(0xb1)
    pam(0x10)
    expect(b.memory.readU16(at)).toBe(0xabcd)
    b.memory.writeU8(at, 0)
    b.mmio.write(0xf0000, 1, 0)
    expect(b.memory.readU8(at)).toBe(0xcd)
    pam(0x30)
    b.memory.writeU8(at, 0x11)
    expect(b.memory.readU8(at)).toBe(0x11)
    b.bus.reset('hard')
    expect(b.memory.readU8(at)).toBe(0xb1)
    b.bus.configWrite(0, 0, 0x5a, 1, 0x30)
    b.memory.writeU8(gpa(0xc4000), 0x77)
    expect([b.memory.readU8(gpa(0xc3fff)), b.memory.readU8(gpa(0xc4000))]).toEqual([0xff, 0x77])
  })
})
