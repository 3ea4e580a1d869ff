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

const PATTERN = Uint8Array.from({ length: DISK_SECTORS * 512 }, (_, i) => (i >> 9) ^ i)

function pattern(bytes: number): Uint8Array {
  return PATTERN.slice(0, bytes)
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

/** Remembers what was asked of it; reads give zeros. */
class RecordingDisk implements BlockBackend {
  readonly name = 'recorded'
  readonly readOnly = false
  readonly asked: string[] = []

  constructor(readonly bytes: number) {}

  read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    return this.note(`read ${offset / 512} ${size(targets)}`)
  }
  write(offset: number, sources: readonly Uint8Array[]): Promise<void> {
    return this.note(`write ${offset / 512} ${size(sources)}`)
  }
  flush(): Promise<void> {
    return this.note('flush')
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
  private note(what: string): Promise<void> {
    this.asked.push(what)
    return Promise.resolve()
  }
}

function size(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0) / 512
}

describe('ATA disk, what drivers use beyond single sectors', () => {
  function big(): { disk: RecordingDisk; io: ReturnType<typeof port>; gate: TestGate; ide: IdeController; memory: GuestMemoryImpl } {
    const disk = new RecordingDisk(200 * 2 ** 30)
    const env = setUp(disk)
    return { disk, io: port(env.ide, 0x1f0), ...env }
  }
  const command = (io: ReturnType<typeof port>, count: number, lba: number, code: number): void => {
    for (const [register, value] of [[2, count], [3, lba & 0xff], [4, (lba >> 8) & 0xff], [5, (lba >> 16) & 0xff], [6, 0xe0 | (lba >>> 24)], [7, code]] as const) io.write(register, value)
  }
  /** 48-bit: each register twice, its high byte first. */
  const commandExt = (io: ReturnType<typeof port>, count: number, lba: number, code: number): void => {
    const byte = (n: number): number => Math.floor(lba / 2 ** (8 * n)) & 0xff
    io.write(6, 0xe0)
    for (const [register, value] of [[2, count >> 8], [2, count & 0xff], [3, byte(3)], [3, byte(0)], [4, byte(4)], [4, byte(1)], [5, byte(5)], [5, byte(2)], [7, code]] as const) io.write(register, value)
  }

  it('READ MULTIPLE: an interrupt for each block of the size set', async () => {
    const { io, gate, disk } = big()
    command(io, 4, 0, 0xc6)
    command(io, 6, 100, 0xc4)
    for (const words of [1024, 512]) {
      await gate.settle()
      expect(io.read(7) & 0x89).toBe(0x08)
      readWords(io, words)
    }
    expect(io.read(7)).toBe(0x50)
    expect(disk.asked).toEqual(['read 100 4', 'read 104 2'])
    command(io, 3, 0, 0xc6) // not a power of two
    expect(io.read(7) & 1).toBe(1)
  })

  it('48-bit commands reach beyond 128 GiB, by PIO in blocks and by DMA; the registers tell the last sector by HOB', async () => {
    const { io, gate, disk, ide, memory } = big()
    const lba = 0x1234_5678
    commandExt(io, 2, lba, 0x39)
    for (let i = 0; i < 512; i++) io.write(0, 0, 2)
    await gate.settle()
    expect(io.read(7)).toBe(0x50)
    expect([5, 4, 3].map((register) => io.read(register))).toEqual([0x34, 0x56, 0x79])
    io.write(0x206, 0x80)
    expect([5, 4, 3].map((register) => io.read(register))).toEqual([0, 0, 0x12])
    memory.writeU32(gpa(0x1000), 0x8000)
    memory.writeU32(gpa(0x1004), 0x80000000 | 1024)
    ide.pioWrite(4, 4, 0x1000)
    commandExt(io, 2, lba, 0x35)
    ide.pioWrite(0, 1, 1)
    await gate.settle()
    expect(io.read(7)).toBe(0x50)
    expect(disk.asked).toEqual([`write ${lba} 2`, `write ${lba} 2`])
  })

  it('FLUSH CACHE is busy until the host has flushed; without a write cache every write is', async () => {
    const { io, gate, disk } = big()
    io.write(7, 0xe7)
    expect(io.read(0x206) & 0x80).toBe(0x80)
    await gate.settle()
    expect(io.read(7)).toBe(0x50)
    io.write(1, 0x82)
    io.write(7, 0xef)
    await gate.settle()
    command(io, 1, 7, 0x30)
    for (let i = 0; i < 256; i++) io.write(0, 0, 2)
    await gate.settle()
    expect(disk.asked).toEqual(['flush', 'flush', 'write 7 1', 'flush'])
  })

  it('a hardware reset takes back what the guest has set up, a software reset does not', () => {
    const { ide, io } = big()
    io.write(1, 3)
    io.write(2, 0x42) // Ultra DMA mode 2
    io.write(7, 0xef)
    const ultra = (): number => {
      io.write(7, 0xec)
      return new Uint16Array(readWords(io, 256).buffer)[88] ?? 0
    }
    io.write(0x206, 4)
    io.write(0x206, 0)
    expect(ultra() >> 8).toBe(1 << 2)
    ide.reset('hard')
    expect(ultra() >> 8).toBe(1 << 5)
  })

  it('a drive that is not there has status 0; diagnostics select the first', () => {
    const { io } = big()
    io.write(6, 0xb0)
    expect(io.read(7)).toBe(0)
    io.write(7, 0x90)
    expect(io.read(6) & 0x10).toBe(0)
    expect([1, 2, 3, 4, 5].map((register) => io.read(register))).toEqual([1, 1, 1, 0, 0])
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

  it('tells a guest that has locked the tray that the eject button was pressed, and opens it otherwise', async () => {
    const env = setUp()
    const event = [0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8]
    await packet(env, [0x1e, 0, 0, 0, 1])
    env.cd.pressEject()
    expect(env.cd.trayOpen).toBe(false)
    expect([...readWords(await packet(env, event), 4)].slice(4, 6)).toEqual([1, 2]) // eject request; a medium is there
    expect([...readWords(await packet(env, event), 4)].slice(4, 6)).toEqual([0, 2])
    await packet(env, [0x1e, 0, 0, 0, 0])
    env.cd.pressEject()
    expect(env.cd.trayOpen).toBe(true)
  })

  it('tells media events: ejected, then a new medium of another size', async () => {
    const env = setUp()
    const event = [0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8]
    await packet(env, [0x1b, 0, 0, 0, 2])
    let io = await packet(env, event)
    expect([...readWords(io, 4)].slice(4, 6)).toEqual([3, 1]) // removed; tray open, nothing there
    env.cd.changeMedium(new MemoryDisk('other', pattern(32 * 2048)))
    io = await packet(env, event)
    expect([...readWords(io, 4)].slice(4, 6)).toEqual([2, 2])
    expect((await packet(env, [0x25])).read(1) >> 4).toBe(6)
    expect([...readWords(await packet(env, [0x25]), 4)]).toEqual([0, 0, 0, 31, 0, 0, 8, 0])
  })

  it('a hardware reset unlocks the tray', async () => {
    const env = setUp()
    await packet(env, [0x1e, 0, 0, 0, 1])
    env.ide.reset('hard')
    expect(env.cd.locked).toBe(false)
  })

  it('a guest cannot make it buffer a whole disc by DMA', async () => {
    const env = setUp()
    env.cd.changeMedium({ ...new RecordingDisk(8 * 2 ** 30), read: () => Promise.reject(new Error('must not be read')), write: () => Promise.reject(new Error()), flush: () => Promise.resolve(), close: () => Promise.resolve() })
    await packet(env, [0])
    const io = port(env.ide, 0x170)
    io.write(1, 1)
    io.write(7, 0xa0)
    for (const word of [0x00a8, 0, 0, 0x3f00, 0xffff, 0]) io.write(0, word, 2)
    await env.gate.settle()
    expect(io.read(7) & 1).toBe(1)
    expect(io.read(1) >> 4).toBe(5)
  })
})
