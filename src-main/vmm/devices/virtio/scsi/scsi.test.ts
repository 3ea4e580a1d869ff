import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../backends/block/memory-disk'
import { TestGate, VirtioDriver, type Placed } from '../../../testing/virtio-driver'
import * as scsi from './registers'
import { VirtioScsi } from './scsi'

const SECTORS = 64
const RESPONSE = scsi.RESPONSE_BYTES + scsi.DEFAULT_SENSE_BYTES

interface Answer {
  readonly response: number
  readonly status: number
  readonly residual: number
  readonly sense: readonly (number | undefined)[]
  readonly data: Uint8Array
}

class Bench {
  readonly disk = new MemoryDisk('disk', Uint8Array.from({ length: SECTORS * 512 }, (_, i) => (i >> 9) + 1))
  readonly disc = new MemoryDisk('disc', Uint8Array.from({ length: 32 * 2048 }, (_, i) => i >> 11))
  readonly gate = new TestGate()
  readonly device = new VirtioScsi([{ kind: 'disk', medium: this.disk, serial: 'VT00001' }, { kind: 'cdrom', medium: this.disc }], { gate: this.gate, exact: false })
  readonly driver = new VirtioDriver(this.device)

  constructor() {
    this.driver.start()
  }

  async run(target: number, cdb: readonly number[], { out, room = 0, lun = 0 }: { readonly out?: Uint8Array; readonly room?: number; readonly lun?: number } = {}): Promise<Answer> {
    const request = new Uint8Array(scsi.REQUEST_BYTES + scsi.DEFAULT_CDB_BYTES)
    request.set([1, target, 0x40, lun])
    request.set(cdb, scsi.REQUEST_BYTES)
    const placed = this.driver.offer(2, { out: out ? [request, out] : [request], room: room > 0 ? [RESPONSE, room] : [RESPONSE] })
    this.driver.notify(2)
    await this.gate.settle()
    return this.answer(placed)
  }

  private answer(placed: Placed): Answer {
    const bytes = this.driver.read(placed)
    const view = new DataView(bytes.buffer)
    return { response: bytes[11] ?? -1, status: bytes[10] ?? -1, residual: view.getUint32(4, true), sense: [bytes[14], bytes[24], bytes[25]], data: bytes.slice(RESPONSE) }
  }
}

describe('virtio SCSI', () => {
  it('reads and writes by every form of the commands', async () => {
    const bench = new Bench()
    const block = (value: number): Uint8Array => new Uint8Array(512).fill(value)
    await bench.run(0, [0x0a, 0, 0, 1, 1, 0], { out: block(101) })
    await bench.run(0, [0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0], { out: block(102) })
    await bench.run(0, [0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0], { out: block(103) })
    const six = await bench.run(0, [0x08, 0, 0, 1, 1, 0], { room: 512 })
    const ten = await bench.run(0, [0x28, 0, 0, 0, 0, 2, 0, 0, 1, 0], { room: 512 })
    const sixteen = await bench.run(0, [0x88, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0], { room: 1024 })
    expect([six, ten, sixteen].map(({ data }) => data[511])).toEqual([101, 102, 103])
    expect([six, sixteen].map(({ residual }) => residual)).toEqual([0, 512])
  })

  it('tells what it is, how large, and what it is called', async () => {
    const bench = new Bench()
    expect((await bench.run(0, [0x25], { room: 8 })).data).toEqual(Uint8Array.of(0, 0, 0, SECTORS - 1, 0, 0, 2, 0))
    expect((await bench.run(0, [0x12, 1, 0x80, 0, 64, 0], { room: 64 })).data.slice(4, 11)).toEqual(new TextEncoder().encode('VT00001'))
    expect((await bench.run(1, [0x12, 0, 0, 0, 36, 0], { room: 36 })).data[0]).toBe(5)
    expect((await bench.run(0, [0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16], { room: 16 })).data[3]).toBe(8)
    expect((await bench.run(1, [0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0], { room: 2048 })).data[2047]).toBe(3)
  })

  it('answers senses to what it cannot, and knows its targets', async () => {
    const bench = new Bench()
    expect(await bench.run(0, [0x28, 0, 0, 0, 0, SECTORS, 0, 0, 1, 0], { room: 512 })).toMatchObject({ response: 0, status: 2, sense: [5, 0x21, 0] })
    expect(await bench.run(0, [0xff])).toMatchObject({ status: 2, sense: [5, 0x20, 0] })
    expect(await bench.run(0, [0x00], { lun: 1 })).toMatchObject({ status: 2, sense: [5, 0x25, 0] })
    expect(await bench.run(0, [0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0], { room: 512 })).toMatchObject({ response: scsi.S_OVERRUN })
    expect(await bench.run(9, [0x00])).toMatchObject({ response: scsi.S_BAD_TARGET })
  })

  it('tells of a new disc by an event, or that one was missed', async () => {
    const bench = new Bench()
    const { device, driver } = bench
    device.cdDrives[0]?.changeMedium(new MemoryDisk('new', new Uint8Array(2048)))
    const event = driver.offer(1, { room: [scsi.EVENT_BYTES] })
    driver.notify(1)
    expect(new DataView(driver.read(event).buffer).getUint32(0, true)).toBe(scsi.EVENTS_MISSED)
    const next = driver.offer(1, { room: [scsi.EVENT_BYTES] })
    driver.notify(1)
    expect(driver.used(1)).toHaveLength(1)
    device.cdDrives[0]?.changeMedium(undefined)
    expect(driver.read(next)).toEqual(Uint8Array.of(3, 0, 0, 0, 1, 1, 0x40, 0, 0, 0, 0, 0, 0x28, 0, 0, 0))
    expect(await bench.run(1, [0x00])).toMatchObject({ status: 2, sense: [2, 0x3a, 0] })
  })

  it('lets end what is under way before task management is done', async () => {
    const { driver, gate } = new Bench()
    const request = new Uint8Array(scsi.REQUEST_BYTES + scsi.DEFAULT_CDB_BYTES)
    request.set([1, 0, 0x40, 0])
    request.set([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], scsi.REQUEST_BYTES)
    driver.offer(2, { out: [request], room: [RESPONSE, 512] })
    driver.notify(2)
    const reset = new Uint8Array(scsi.TMF_BYTES)
    reset.set([0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0x40, 0])
    driver.offer(0, { out: [reset], room: [1] })
    driver.notify(0)
    expect(driver.used(0)).toEqual([])
    await gate.settle()
    expect([driver.used(2).length, driver.used(0).length]).toEqual([1, 1])
  })

  it('takes sizes of its driver, and its state with it', () => {
    const { device } = new Bench()
    device.configWrite(scsi.CFG_CDB_SIZE, 4, 16)
    device.configWrite(scsi.CFG_SENSE_SIZE, 4, 0xffffffff)
    const other = new Bench().device
    other.load(device.save())
    expect([other.configRead(scsi.CFG_CDB_SIZE, 4), other.configRead(scsi.CFG_SENSE_SIZE, 4)]).toEqual([16, 252])
  })

  it('fails on a request without room for the answer', () => {
    const { driver } = new Bench()
    driver.offer(2, { out: [new Uint8Array(51)], room: [8] })
    driver.notify(2)
    expect(driver.failed).toBe(true)
  })
})
