import { describe, expect, it } from 'vitest'
import type { BlockBackend } from '../../../backends/block/block-backend'
import { MemoryDisk } from '../../../backends/block/memory-disk'
import { TestGate, VirtioDriver, type Placed } from '../../../testing/virtio-driver'
import { VirtioBlock } from './block'
import * as blk from './registers'

const SECTORS = 64

interface Setup {
  readonly driver: VirtioDriver
  readonly gate: TestGate
  readonly device: VirtioBlock
  readonly disk: MemoryDisk
  readonly calls: string[]
  readonly warnings: string[]
}

function setup(change: (disk: MemoryDisk) => Partial<BlockBackend> = () => ({}), exact: boolean = false): Setup {
  const disk = new MemoryDisk('test', Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i >> 9) + 1))
  const gate = new TestGate()
  const calls: string[] = []
  const warnings: string[] = []
  const backend: BlockBackend = {
    name: 'test',
    bytes: disk.bytes,
    readOnly: false,
    read: (offset, targets) => (calls.push(`read ${offset}`), disk.read(offset, targets)),
    write: (offset, sources) => (calls.push(`write ${offset}`), disk.write(offset, sources)),
    flush: () => (calls.push('flush'), Promise.resolve()),
    close: () => Promise.resolve(),
    ...change(disk),
  }
  const device = new VirtioBlock(backend, { gate, exact, index: 0, serial: 'VT00001', warn: (message) => warnings.push(message) })
  return { driver: new VirtioDriver(device), gate, device, disk, calls, warnings }
}

function header(type: number, sector: number = 0): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setBigUint64(8, BigInt(sector), true)
  return bytes
}

function range(sector: number, sectors: number, flags: number = 0): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(sector), true)
  view.setUint32(8, sectors, true)
  view.setUint32(12, flags, true)
  return bytes
}

const status = (driver: VirtioDriver, placed: Placed): number | undefined => driver.read(placed).at(-1)

describe('virtio block device', () => {
  it.each([false, true])('reads into pieces, writes from pieces, in any order (exact: %s)', async (exact) => {
    const { driver, gate, disk } = setup(undefined, exact)
    driver.start()
    const read = driver.offer(0, { out: [header(blk.T_IN, 3)], room: [256, 768, 1] })
    const write = driver.offer(0, { out: [header(blk.T_OUT, 10), new Uint8Array(500).fill(7), new Uint8Array(12).fill(8)], room: [1] })
    driver.notify(0)
    expect(gate.pending).toHaveLength(2)
    await gate.finish(1)
    await gate.settle()
    expect(driver.used(0)).toEqual([{ head: write.head, written: 1 }, { head: read.head, written: 1025 }])
    const data = driver.read(read)
    expect([data[0], data[511], data[512], data[1024]]).toEqual([4, 4, 5, blk.S_OK])
    expect([disk.contents[10 * 512], disk.contents[10 * 512 + 511]]).toEqual([7, 8])
  })

  it('answers at once when the host is quick, with one interrupt for all', () => {
    const { driver, gate } = setup((disk) => ({
      readNow: (offset, targets) => (void disk.read(offset, targets), true),
    }))
    driver.start()
    const requests = [0, 1, 2].map((sector) => driver.offer(0, { out: [header(blk.T_IN, sector)], room: [512, 1] }))
    driver.notify(0)
    expect(gate.pending).toHaveLength(0)
    expect(requests.map((request) => driver.read(request)[0])).toEqual([1, 2, 3])
    expect(driver.interrupts).toEqual([0])
  })

  it('does no more at once than a portion, and goes on between slices', async () => {
    const { driver, gate } = setup((disk) => ({ readNow: (offset, targets) => (void disk.read(offset, targets), true) }))
    driver.start()
    for (let i = 0; i < 80; i++) driver.offer(0, { out: [header(blk.T_IN)], room: [512, 1] })
    driver.notify(0)
    expect(driver.used(0)).toHaveLength(64)
    await gate.settle()
    expect(driver.used(0)).toHaveLength(16)
  })

  it('says what went wrong, to the guest by a status and to the user in words', async () => {
    const { driver, gate, warnings } = setup(() => ({ read: () => Promise.reject(new Error('the disk is broken')) }))
    driver.start()
    const read = driver.offer(0, { out: [header(blk.T_IN)], room: [512, 1] })
    driver.notify(0)
    await gate.settle()
    expect(status(driver, read)).toBe(blk.S_IOERR)
    expect(warnings).toEqual([expect.stringContaining('the disk is broken')])
  })

  it.each([
    ['beyond the end', blk.T_IN, SECTORS, 512],
    ['over the end', blk.T_IN, SECTORS - 1, 1024],
    ['far beyond', blk.T_IN, Number.MAX_SAFE_INTEGER, 512],
    ['of no whole sector', blk.T_IN, 0, 100],
  ])('refuses what lies %s', async (_what, type, sector, bytes) => {
    const { driver, gate, calls } = setup()
    driver.start()
    const request = driver.offer(0, { out: [header(type, sector)], room: [bytes, 1] })
    driver.notify(0)
    await gate.settle()
    expect([status(driver, request), calls]).toEqual([blk.S_IOERR, []])
  })

  it('refuses to write to a read-only disk, and does not know other types', async () => {
    const { driver, gate, device } = setup(() => ({ readOnly: true }))
    expect(device.features & blk.F_RO).toBe(blk.F_RO)
    driver.start()
    const write = driver.offer(0, { out: [header(blk.T_OUT), new Uint8Array(512)], room: [1] })
    const other = driver.offer(0, { out: [header(99)], room: [1] })
    driver.notify(0)
    await gate.settle()
    expect([status(driver, write), status(driver, other)]).toEqual([blk.S_IOERR, blk.S_UNSUPP])
  })

  it('tells its serial number', () => {
    const { driver } = setup()
    driver.start()
    const id = driver.offer(0, { out: [header(blk.T_GET_ID)], room: [20, 1] })
    driver.notify(0)
    expect(new TextDecoder().decode(driver.read(id).slice(0, 20)).replaceAll('\0', '')).toBe('VT00001')
  })

  it('writes zeroes; discards only with a back end that can', async () => {
    const { driver, gate, device, disk } = setup()
    expect(device.features & blk.F_DISCARD).toBe(0n)
    driver.start()
    const zeroes = driver.offer(0, { out: [header(blk.T_WRITE_ZEROES), range(2, 2)], room: [1] })
    const odd = driver.offer(0, { out: [header(blk.T_WRITE_ZEROES), range(2, 2, 4)], room: [1] })
    const discard = driver.offer(0, { out: [header(blk.T_DISCARD), range(2, 2)], room: [1] })
    driver.notify(0)
    await gate.settle()
    expect([zeroes, odd, discard].map((request) => status(driver, request))).toEqual([blk.S_OK, blk.S_UNSUPP, blk.S_UNSUPP])
    expect([1023, 1024, 2047, 2048].map((at) => disk.contents[at])).toEqual([2, 0, 0, 5])
    const calls: number[] = []
    const able = setup(() => ({ discard: (offset, bytes) => (calls.push(offset, bytes), Promise.resolve()) }))
    able.driver.start()
    const both = able.driver.offer(0, { out: [header(blk.T_DISCARD), range(1, 1), range(4, 2)], room: [1] })
    able.driver.notify(0)
    await able.gate.settle()
    expect([status(able.driver, both), calls]).toEqual([blk.S_OK, [512, 512, 2048, 1024]])
  })

  it('flushes each write of a driver that switches the cache off, or cannot flush', async () => {
    for (const switched of [true, false]) {
      const { driver, gate, calls, device } = setup()
      driver.start(switched ? device.features : device.features & ~(blk.F_FLUSH | blk.F_CONFIG_WCE))
      if (switched) device.configWrite(blk.CFG_WRITEBACK, 1, 0)
      driver.offer(0, { out: [header(blk.T_OUT), new Uint8Array(512)], room: [1] })
      driver.notify(0)
      await gate.settle()
      expect(calls).toEqual(['write 0', 'flush'])
    }
  })

  it('forgets on reset what is under way, and is busy until the host is done', async () => {
    const { driver, gate } = setup()
    driver.start()
    driver.offer(0, { out: [header(blk.T_IN)], room: [512, 1] })
    driver.notify(0)
    driver.core.writeStatus(0)
    expect(driver.core.status).not.toBe(0)
    await gate.settle()
    expect(driver.core.status).toBe(0)
    driver.start()
    expect([driver.used(0), driver.interrupts]).toEqual([[], []])
  })

  it('fails on a request without room for a status', () => {
    const { driver } = setup()
    driver.start()
    driver.offer(0, { out: [header(blk.T_IN)] })
    driver.notify(0)
    expect(driver.failed).toBe(true)
  })

  it('tells the driver that it has another size', () => {
    const { driver, device } = setup()
    driver.start()
    device.resized()
    expect(driver.interrupts).toEqual(['config'])
  })
})
