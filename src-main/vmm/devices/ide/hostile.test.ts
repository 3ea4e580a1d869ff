import { describe, expect, it } from 'vitest'
import type { BlockBackend } from '../../backends/block/block-backend'
import { MemoryDisk } from '../../backends/block/memory-disk'
import type { CompletionGate, Outcome } from '../../backends/completion-gate'
import { GuestMemoryImpl, linearMemoryBytes } from '../../memory/guest-memory-impl'
import { gpa } from '../../support/branded'
import { RecordingLine } from '../../testing/fake-clock'
import { AtaDisk } from './ata-disk'
import { HostRequests } from './host-requests'
import { IdeController } from './ide-controller'

/** Starts work at once and delivers when told. */
class CountingGate implements CompletionGate {
  readonly deliveries: (() => void)[] = []
  mostUnderWay = 0

  submit<T>(_label: string, _bytes: number, work: () => Promise<T>, done: (outcome: Outcome<T>) => void): void {
    const outcome = work()
    this.deliveries.push(() => void outcome.then((value) => done({ ok: true, value })))
    this.mostUnderWay = Math.max(this.mostUnderWay, this.deliveries.length)
  }

  async deliver(): Promise<void> {
    for (let next = this.deliveries.shift(); next; next = this.deliveries.shift()) {
      next()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

class CountingDisk extends MemoryDisk implements BlockBackend {
  reads = 0
  readonly writes: { readonly offset: number; readonly bytes: number }[] = []

  override read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    this.reads++
    return super.read(offset, targets)
  }

  override write(offset: number, sources: readonly Uint8Array[]): Promise<void> {
    this.writes.push({ offset, bytes: sources.reduce((sum, source) => sum + source.length, 0) })
    return Promise.resolve()
  }
}

const SECTORS = 0x10000

function setUp(): { ide: IdeController; gate: CountingGate; disks: readonly [CountingDisk, CountingDisk]; memory: GuestMemoryImpl } {
  const memory = new GuestMemoryImpl(new ArrayBuffer(linearMemoryBytes(0x200000, [])), 0x200000)
  const gate = new CountingGate()
  const ide = new IdeController(memory, [new RecordingLine(), new RecordingLine()])
  const disks = [new CountingDisk('0', new Uint8Array(SECTORS * 512)), new CountingDisk('1', new Uint8Array(SECTORS * 512))] as const
  disks.forEach((disk, i) => ide.channels[0].attach(i === 0 ? 0 : 1, (host) => new AtaDisk(host, disk, gate, { model: 'D', serial: 'S' })))
  return { ide, gate, disks, memory }
}

/** A command to drive 0 or 1 by 48-bit addressing. */
function command(ide: IdeController, drive: 0 | 1, code: number, lba: number, count: number): void {
  const out = (register: number, value: number): void => void ide.channels[0].pioWrite(0x1f0 + register, 1, value)
  out(6, 0x40 | (drive << 4))
  out(2, count >> 8)
  out(2, count & 0xff)
  for (const [register, shift] of [[3, 0], [4, 8], [5, 16]] as const) {
    out(register, 0)
    out(register, (lba >> shift) & 0xff)
  }
  out(7, code)
}

describe('a guest that abandons its disk commands', () => {
  it('has one request at the host at a time, however often it resets', async () => {
    const { ide, gate, disks } = setUp()
    for (let i = 0; i < 1000; i++) {
      command(ide, 0, 0x24, i, 1)
      ide.channels[0].pioWrite(0x3f6, 1, 4)
      ide.channels[0].pioWrite(0x3f6, 1, 0)
    }
    command(ide, 0, 0x24, 5, 1)
    expect([gate.mostUnderWay, disks[0].reads]).toEqual([1, 1])
    await gate.deliver()
    // The first, and the last in place of all that waited before it.
    expect([gate.mostUnderWay, disks[0].reads]).toEqual([1, 2])
    expect(Number(ide.channels[0].pioRead(0x1f7, 1)) & 0x88).toBe(0x08)
  })

  it('cannot start one drive with the DMA request of the other', () => {
    const { ide, disks, memory } = setUp()
    memory.writeU32(gpa(0x1000), 0x2000)
    memory.writeU32(gpa(0x1004), 0x80000200)
    ide.pioWrite(4, 4, 0x1000)
    command(ide, 1, 0x35, SECTORS - 1, 1)
    command(ide, 0, 0x35, 0, 2)
    ide.channels[0].pioWrite(0x1f6, 1, 0x50)
    ide.pioWrite(0, 1, 1)
    expect(disks.map((disk) => disk.writes)).toEqual([[], []])
  })
})

describe('HostRequests', () => {
  it('delivers nothing that was abandoned', async () => {
    const gate = new CountingGate()
    const requests = new HostRequests(gate)
    const done: string[] = []
    const submit = (name: string): void => requests.submit(name, 0, () => Promise.resolve(name), (outcome) => void done.push(outcome.ok ? outcome.value : 'failed'))
    submit('a')
    requests.abandon()
    submit('b')
    requests.abandon()
    submit('c')
    await gate.deliver()
    submit('d')
    await gate.deliver()
    expect(done).toEqual(['c', 'd'])
  })
})
