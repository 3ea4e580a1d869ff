import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../backends/block/memory-disk'
import type { BlockBackend } from '../../backends/block/block-backend'
import type { CompletionGate } from '../../backends/completion-gate'
import { GuestMemoryImpl, linearMemoryBytes } from '../../memory/guest-memory-impl'
import { gpa } from '../../support/branded'
import { describeDevice } from '../../testing/describe-device'
import { RecordingLine } from '../../testing/fake-clock'
import { AtaDisk } from './ata-disk'
import { AtapiCdrom } from './atapi-cdrom'
import { IdeController } from './ide-controller'

/** Completions wait until the test lets them in. */
class TestGate implements CompletionGate {
  private readonly waiting: (() => Promise<void>)[] = []

  submit: CompletionGate['submit'] = (_label, _bytes, work, done) => {
    this.waiting.push(async () => {
      try {
        done({ ok: true, value: await work() })
      } catch (error) {
        done({ ok: false, error: error instanceof Error ? error : new Error(String(error)) })
      }
    })
  }

  async settle(): Promise<void> {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) await next()
  }
}

const DISK_SECTORS = 4096

function setUp(disk: BlockBackend = new MemoryDisk('test', pattern(DISK_SECTORS * 512))): {
  ide: IdeController
  gate: TestGate
  memory: GuestMemoryImpl
  irq: RecordingLine
  cd: AtapiCdrom
} {
  const memory = new GuestMemoryImpl(new ArrayBuffer(linearMemoryBytes(0x200000, [])), 0x200000)
  const gate = new TestGate()
  const irq = new RecordingLine()
  const ide = new IdeController(memory, [irq, new RecordingLine()])
  ide.channels[0].attach(0, (host) => new AtaDisk(host, disk, gate, { model: 'TEST DISK', serial: 'S1' }))
  const cd = ide.channels[1].attach(0, (host) => new AtapiCdrom(host, new MemoryDisk('cd', pattern(64 * 2048)), gate, 'S2'))
  return { ide, gate, memory, irq, cd }
}

function pattern(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i >> 9) ^ i)
}

function port(ide: IdeController, base: number): { read: (offset: number, width?: 1 | 2 | 4) => number; write: (offset: number, value: number, width?: 1 | 2 | 4) => void } {
  const channel = ide.channels[base === 0x1f0 ? 0 : 1]
  return {
    read: (offset, width = 1) => Number(channel.pioRead(base + offset, width)),
    write: (offset, value, width = 1) => void channel.pioWrite(base + offset, width, value),
  }
}

function readWords(io: ReturnType<typeof port>, count: number): Uint8Array {
  const words = Uint16Array.from({ length: count }, () => io.read(0, 2))
  return new Uint8Array(words.buffer)
}

describeDevice(
  'ide-piix3',
  () => ({ device: setUp().ide }),
  ({ device }) => {
    for (const claim of device.claims) if (claim.kind === 'pio' && claim.name.endsWith('command')) claim.handler.pioWrite(claim.first + 2, 1, 0x55)
  },
)

describe('ATA disk', () => {
  it('identifies itself with its size in all three forms', () => {
    const { ide, irq } = setUp()
    const io = port(ide, 0x1f0)
    io.write(6, 0xa0)
    io.write(7, 0xec)
    expect(io.read(0x206) & 0x08).toBe(8)
    expect(irq.level).toBe(true)
    const words = new Uint16Array(readWords(io, 256).buffer)
    expect(words[60]).toBe(DISK_SECTORS)
    expect(words[100]).toBe(DISK_SECTORS)
    expect(words[1]).toBe(Math.floor(DISK_SECTORS / 1008))
    expect(io.read(7) & 0x08).toBe(0)
    expect(irq.level).toBe(false)
  })

  it('reads two sectors by PIO, an interrupt for each', async () => {
    const { ide, gate, irq } = setUp()
    const io = port(ide, 0x1f0)
    for (const [register, value] of [[2, 2], [3, 5], [4, 0], [5, 0], [6, 0xe0], [7, 0x20]] as const) io.write(register, value)
    expect(io.read(0x206) & 0x80).toBe(0x80)
    await gate.settle()
    expect(irq.level).toBe(true)
    expect(io.read(7) & 0x88).toBe(0x08)
    expect(readWords(io, 256)).toEqual(pattern(7 * 512).subarray(5 * 512, 6 * 512))
    await gate.settle()
    expect(readWords(io, 256)).toEqual(pattern(7 * 512).subarray(6 * 512))
    expect(io.read(7)).toBe(0x50)
  })

  it('writes a sector by PIO and reads it back by 48-bit DMA', async () => {
    const { ide, gate, memory } = setUp()
    const io = port(ide, 0x1f0)
    for (const [register, value] of [[2, 1], [3, 9], [4, 0], [5, 0], [6, 0xe0], [7, 0x30]] as const) io.write(register, value)
    for (let i = 0; i < 256; i++) io.write(0, 0xbeef, 2)
    await gate.settle()
    ide.pioWrite(2, 1, 4) // acknowledges the write's interrupt
    memory.writeU32(gpa(0x1000), 0x8000)
    memory.writeU32(gpa(0x1004), 0x80000000 | 512)
    ide.pioWrite(4, 4, 0x1000)
    for (const [register, value] of [[2, 0], [2, 1], [3, 0], [3, 9], [4, 0], [4, 0], [5, 0], [5, 0], [6, 0xe0], [7, 0x25]] as const) io.write(register, value)
    ide.pioWrite(0, 1, 9)
    expect(ide.pioRead(2, 1)).toBe(1)
    await gate.settle()
    expect(memory.readU32(gpa(0x81fc))).toBe(0xbeefbeef)
    expect(ide.pioRead(2, 1)).toBe(4) // interrupt, no longer active
    expect(io.read(7)).toBe(0x50)
  })

  it('answers a sector beyond its end with IDNF', () => {
    const { ide } = setUp()
    const io = port(ide, 0x1f0)
    for (const [register, value] of [[2, 1], [3, 0], [4, 0x10], [5, 0], [6, 0xe0], [7, 0x20]] as const) io.write(register, value)
    expect(io.read(7) & 1).toBe(1)
    expect(io.read(1)).toBe(0x10)
  })

  it('reports host errors as uncorrectable data', async () => {
    const broken: BlockBackend = { name: 'broken', bytes: 1 << 20, readOnly: false, read: () => Promise.reject(new Error('EIO')), write: () => Promise.reject(new Error('EIO')), flush: () => Promise.resolve(), close: () => Promise.resolve() }
    const { ide, gate } = setUp(broken)
    const io = port(ide, 0x1f0)
    for (const [register, value] of [[2, 1], [3, 0], [4, 0], [5, 0], [6, 0xe0], [7, 0x20]] as const) io.write(register, value)
    await gate.settle()
    expect(io.read(7) & 1).toBe(1)
    expect(io.read(1)).toBe(0x40)
  })

  it('stops at the end of a descriptor table that is too short, with the error bit', async () => {
    const { ide, gate, memory } = setUp()
    const io = port(ide, 0x1f0)
    memory.writeU32(gpa(0x1000), 0x8000)
    memory.writeU32(gpa(0x1004), 0x80000000 | 256)
    ide.pioWrite(4, 4, 0x1000)
    for (const [register, value] of [[2, 1], [3, 9], [4, 0], [5, 0], [6, 0xe0], [7, 0xc8]] as const) io.write(register, value)
    ide.pioWrite(0, 1, 9)
    await gate.settle()
    expect(Number(ide.pioRead(2, 1)) & 2).toBe(2)
    expect(io.read(7) & 1).toBe(1)
  })
})

describe('ATAPI CD-ROM', () => {
  async function packet(env: ReturnType<typeof setUp>, bytes: readonly number[], limit = 0xfffe): Promise<ReturnType<typeof port>> {
    const io = port(env.ide, 0x170)
    io.write(6, 0xa0)
    io.write(1, 0)
    io.write(4, limit & 0xff)
    io.write(5, limit >> 8)
    io.write(7, 0xa0)
    const whole = [...bytes, ...new Array<number>(12 - bytes.length).fill(0)]
    for (let i = 0; i < 12; i += 2) io.write(0, (whole[i] ?? 0) | ((whole[i + 1] ?? 0) << 8), 2)
    await env.gate.settle()
    return io
  }

  it('shows its signature after reset', () => {
    const io = port(setUp().ide, 0x170)
    expect([io.read(4), io.read(5)]).toEqual([0x14, 0xeb])
  })

  it('reads sectors in chunks of the byte count', async () => {
    const env = setUp()
    const io = await packet(env, [0x28, 0, 0, 0, 0, 3, 0, 0, 1], 1024)
    expect(io.read(4) | (io.read(5) << 8)).toBe(1024)
    expect(io.read(2)).toBe(2)
    const first = readWords(io, 512)
    const second = readWords(io, 512)
    expect(Buffer.concat([first, second])).toEqual(Buffer.from(pattern(4 * 2048).subarray(3 * 2048)))
    expect(io.read(7)).toBe(0x50)
    expect(io.read(2)).toBe(3)
  })

  it('reports a changed medium once, by unit attention', async () => {
    const env = setUp()
    env.cd.changeMedium(new MemoryDisk('other', pattern(32 * 2048)))
    let io = await packet(env, [0])
    expect(io.read(7) & 1).toBe(1)
    expect(io.read(1) >> 4).toBe(6)
    io = await packet(env, [0])
    expect(io.read(7) & 1).toBe(0)
  })

  it('refuses to open a locked tray, and opens it when allowed', async () => {
    const env = setUp()
    await packet(env, [0x1e, 0, 0, 0, 1])
    expect((await packet(env, [0x1b, 0, 0, 0, 2])).read(7) & 1).toBe(1)
    await packet(env, [0x1e, 0, 0, 0, 0])
    expect((await packet(env, [0x1b, 0, 0, 0, 2])).read(7) & 1).toBe(0)
    expect((await packet(env, [0x25])).read(1) >> 4).toBe(2)
  })
})
