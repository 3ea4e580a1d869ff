import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../backends/block/memory-disk'
import type { CompletionGate } from '../../../backends/completion-gate'
import { TestDomain } from '../../../paravirt/xen/domain.fixture'
import { gpa } from '../../../support/branded'
import { XenBlock } from './xen-block'

const RING = 0x100000
const DATA = 0x110000
const LIST = 0x111000
const HOME = 'device/vbd/51712'
const WRITE = 11
const READ = 2

/** Completions when the test says so. */
class TestGate implements CompletionGate {
  private readonly running: Promise<void>[] = []

  submit<T>(_label: string, _bytes: number, work: () => Promise<T>, done: (outcome: { ok: true; value: T } | { ok: false; error: Error }) => void): void {
    this.running.push(work().then((value) => done({ ok: true, value }), (error: unknown) => done({ ok: false, error: error instanceof Error ? error : new Error(String(error)) })))
  }

  async settle(): Promise<void> {
    while (this.running.length > 0) await Promise.all(this.running.splice(0))
  }
}

class Disk {
  readonly gate = new TestGate()
  readonly contents = new Uint8Array(64 * 512).map((_, i) => (i >> 9) + 1)
  readonly device = new XenBlock({ index: 0, backend: new MemoryDisk('test', this.contents), gate: this.gate })
  readonly domain = new TestDomain([this.device]).start()
  port = 0
  private produced = 0

  connect(): this {
    const { domain } = this
    domain.callWith('event_channel_op', 6, [[2, 0x7ff0], [2, 0], [4, 0]])
    this.port = domain.u32(0x10004)
    domain.grant(8, RING)
    domain.grant(9, DATA)
    domain.grant(10, LIST)
    for (const [key, value] of Object.entries({ 'ring-ref': 8, 'event-channel': this.port, protocol: 'x86_64-abi', state: 3 })) domain.store(WRITE, `${HOME}/${key}\0${value}`)
    return this
  }

  backend(key: string): string {
    return this.domain.store(READ, `/local/domain/0/backend/vbd/1/51712/${key}\0`).find(([type]) => type === READ)?.[1] ?? ''
  }

  async request(fill: (view: DataView) => void): Promise<{ readonly operation: number; readonly status: number }> {
    const { memory } = this.domain.host
    const bytes = new Uint8Array(112)
    fill(new DataView(bytes.buffer))
    memory.write(gpa(RING + 64 + (this.produced % 32) * 112), bytes)
    memory.writeU32(gpa(RING), ++this.produced)
    this.domain.callWith('event_channel_op', 4, [[4, this.port]])
    await this.gate.settle()
    expect(memory.readU32(gpa(RING + 8))).toBe(this.produced)
    const at = RING + 64 + ((this.produced - 1) % 32) * 112
    return { operation: memory.readU8(gpa(at + 8)), status: (memory.readU16(gpa(at + 10)) << 16) >> 16 }
  }

  /** One segment of sectors first..last of the data page. */
  transfer(operation: number, sector: bigint, first = 0, last = 7, reference = 9): Promise<{ readonly operation: number; readonly status: number }> {
    return this.request((view) => {
      view.setUint8(0, operation)
      view.setUint8(1, 1)
      view.setBigUint64(8, 77n, true)
      view.setBigUint64(16, sector, true)
      view.setUint32(24, reference, true)
      view.setUint8(28, first)
      view.setUint8(29, last)
    })
  }
}

describe('paravirtual disk of a Xen guest', () => {
  it('connects, and tells its size', () => {
    const disk = new Disk()
    expect(disk.backend('state')).toBe('2')
    disk.connect()
    expect([disk.backend('state'), disk.backend('sectors'), disk.backend('sector-size')]).toEqual(['4', '64', '512'])
  })

  it('reads and writes parts of granted pages', async () => {
    const disk = new Disk().connect()
    const { memory } = disk.domain.host
    expect(await disk.transfer(0, 3n, 1, 2)).toEqual({ operation: 0, status: 0 })
    expect([memory.readU8(gpa(DATA)), memory.readU8(gpa(DATA + 512)), memory.readU8(gpa(DATA + 1024)), memory.readU8(gpa(DATA + 1536))]).toEqual([0, 4, 5, 0])
    memory.fill(gpa(DATA), 512, 0xee)
    expect(await disk.transfer(1, 63n, 0, 0)).toEqual({ operation: 1, status: 0 })
    expect(disk.contents[63 * 512]).toBe(0xee)
    expect((await disk.request((view) => view.setUint8(0, 3))).status).toBe(0)
  })

  it('follows indirect segments, and answers as the operation that they ask for', async () => {
    const disk = new Disk().connect()
    const { memory } = disk.domain.host
    memory.writeU32(gpa(LIST), 9)
    memory.writeU16(gpa(LIST + 4), 0x0700)
    const answer = await disk.request((view) => {
      view.setUint8(0, 6)
      view.setUint8(1, 0)
      view.setUint16(2, 1, true)
      view.setBigUint64(16, 8n, true)
      view.setUint32(28, 10, true)
    })
    expect(answer).toEqual({ operation: 0, status: 0 })
    expect(memory.readU8(gpa(DATA + 7 * 512))).toBe(16)
  })

  it('refuses what lies outside: sectors, segments, grants, operations', async () => {
    const disk = new Disk().connect()
    expect((await disk.transfer(0, 57n)).status).toBe(-1)
    expect((await disk.transfer(0, 0xffffffffffffffffn)).status).toBe(-1)
    expect((await disk.transfer(0, 0n, 5, 4)).status).toBe(-1)
    expect((await disk.transfer(0, 0n, 0, 8)).status).toBe(-1)
    expect((await disk.transfer(0, 0n, 0, 0, 400)).status).toBe(-1)
    expect((await disk.transfer(0, 0n, 0, 0, 0xffffffff)).status).toBe(-1)
    expect((await disk.transfer(2, 0n)).status).toBe(-2)
    disk.domain.grant(9, DATA, true)
    expect((await disk.transfer(0, 0n)).status).toBe(-1)
    expect((await disk.transfer(1, 0n)).status).toBe(0)
  })

  it('is gone when the ring makes no sense, and comes back with a new driver', () => {
    const disk = new Disk().connect()
    disk.domain.host.memory.writeU32(gpa(RING), 1000)
    disk.domain.callWith('event_channel_op', 4, [[4, disk.port]])
    expect(disk.backend('state')).toBe('5')
    disk.domain.store(WRITE, `${HOME}/state\x006`)
    expect(disk.backend('state')).toBe('6')
    disk.domain.store(WRITE, `${HOME}/state\x001`)
    expect(disk.backend('state')).toBe('2')
    disk.domain.host.memory.fill(gpa(RING), 0x1000, 0)
    disk.connect()
    expect(disk.backend('state')).toBe('4')
  })

  it('goes on after a saved state', async () => {
    const before = new Disk().connect()
    await before.transfer(0, 0n)
    const state = structuredClone(before.domain.xen.save())
    const after = new Disk()
    for (const block of before.domain.host.memory.allBlocks()) {
      const copy = after.domain.host.memory.allBlocks().find(({ name }) => name === block.name)
      if (copy) after.domain.host.memory.blockBytes(copy).set(before.domain.host.memory.blockBytes(block))
    }
    after.domain.xen.load(state)
    Object.assign(after, { port: before.port, produced: 1 })
    expect(await after.transfer(0, 4n, 0, 0)).toEqual({ operation: 0, status: 0 })
    expect(after.domain.host.memory.readU8(gpa(DATA))).toBe(5)
  })
})
