import { describe, expect, it } from 'vitest'
import { RecordingLine } from '../../../testing/fake-clock'
import { TestGate, testMemory, VirtioDriver } from '../../../testing/virtio-driver'
import { BAD_WIDTH } from '../../device'
import { VirtioRng } from '../rng/rng'
import * as reg from './registers'
import { VirtioMmio } from './virtio-mmio'
import { VirtioPci } from './virtio-pci'

const BASE = 0xfeb00000
const numbers = { read: (bytes: number): Promise<Uint8Array> => Promise.resolve(new Uint8Array(bytes).fill(0x5a)) }
/** Places of rings and requests are those of the test driver; the registers are written by hand. */
const places = new VirtioDriver(new VirtioRng(new TestGate(), numbers)).places(0)

describe('virtio by MMIO', () => {
  function make(): { device: VirtioMmio; line: RecordingLine; gate: TestGate; driver: VirtioDriver; write: (offset: number, value: number) => void; read: (offset: number) => unknown } {
    const memory = testMemory()
    const gate = new TestGate()
    const line = new RecordingLine()
    const device = new VirtioMmio(new VirtioRng(gate, numbers), { memory, base: BASE, irq: line })
    // Only its ring-writing is used.
    const driver = new VirtioDriver(new VirtioRng(new TestGate(), numbers), memory)
    return { device, line, gate, driver, write: (offset, value) => expect(device.mmioWrite(offset, 4, value)).toBeUndefined(), read: (offset) => device.mmioRead(offset, 4) }
  }

  function start(write: (offset: number, value: number) => void): void {
    write(0x070, 0)
    write(0x070, reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER)
    write(0x024, 1)
    write(0x020, 1)
    write(0x070, reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER | reg.STATUS_FEATURES_OK)
    write(0x030, 0)
    write(0x038, 8)
    write(0x080, places.descriptors)
    write(0x090, places.available)
    write(0x0a0, places.used)
    write(0x044, 1)
    write(0x070, reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER | reg.STATUS_FEATURES_OK | reg.STATUS_DRIVER_OK)
  }

  it('says what it is, serves its queue, and interrupts until it is acknowledged', async () => {
    const { line, gate, driver, write, read } = make()
    expect([read(0), read(4), read(8), read(0x34)]).toEqual([0x74726976, 2, 4, 64])
    start(write)
    driver.core.queues[0]?.chooseSize(8)
    const placed = driver.offer(0, { room: [32] })
    write(0x050, 0)
    await gate.settle()
    expect(driver.read(placed)).toEqual(new Uint8Array(32).fill(0x5a))
    expect(line.level).toBe(true)
    expect(read(0x060)).toBe(reg.ISR_QUEUE)
    write(0x064, reg.ISR_QUEUE)
    expect(line.level).toBe(false)
  })

  it('does not agree to features that it has not, nor to less than version 1', () => {
    const { write, read } = make()
    write(0x070, reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER)
    write(0x070, reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER | reg.STATUS_FEATURES_OK)
    expect(read(0x070)).toBe(reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER)
    write(0x020, 1)
    write(0x024, 1)
    write(0x020, 1)
    write(0x070, reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER | reg.STATUS_FEATURES_OK | reg.STATUS_DRIVER_OK)
    expect(read(0x070)).toBe(reg.STATUS_ACKNOWLEDGE | reg.STATUS_DRIVER)
  })

  it('refuses other widths, and forgets everything at a reset', async () => {
    const { device, line, gate, driver, write, read } = make()
    expect(device.mmioRead(0, 1)).toBe(BAD_WIDTH)
    start(write)
    driver.core.queues[0]?.chooseSize(8)
    driver.offer(0, { room: [4] })
    write(0x050, 0)
    write(0x070, 0)
    await gate.settle()
    expect(line.level).toBe(false)
    expect([read(0x070), read(0x044)]).toEqual([0, 0])
  })

  it('comes back from a saved state with its line and its queue', async () => {
    const { device, gate, driver, write } = make()
    start(write)
    driver.core.queues[0]?.chooseSize(8)
    driver.offer(0, { room: [4] })
    write(0x050, 0)
    await gate.settle()
    const line = new RecordingLine()
    const later = new TestGate()
    const again = new VirtioMmio(new VirtioRng(later, numbers), { memory: driver.memory, base: BASE, irq: line })
    again.load(device.save())
    expect(line.level).toBe(true)
    driver.offer(0, { room: [4] })
    again.mmioWrite(0x050, 4, 0)
    await later.settle()
    expect(driver.used(0)).toHaveLength(2)
  })
})

describe('virtio on PCI', () => {
  const COMMON = 0
  const NOTIFY = 0x3000
  const ISR = 0x1000

  function make(): { device: VirtioPci; intx: RecordingLine; messages: number[][]; gate: TestGate; driver: VirtioDriver } {
    const memory = testMemory()
    const gate = new TestGate()
    const intx = new RecordingLine()
    const messages: number[][] = []
    const device = new VirtioPci(new VirtioRng(gate, numbers), { memory, intx, msi: { send: (address, data) => messages.push([address, data]) } })
    device.pciCommandChanged(4)
    return { device, intx, messages, gate, driver: new VirtioDriver(new VirtioRng(new TestGate(), numbers), memory) }
  }

  function start(device: VirtioPci, driver: VirtioDriver, vector: number): void {
    const write = (at: number, width: 1 | 2 | 4, value: number): void => expect(device.mmioWrite(COMMON + at, width, value)).toBeUndefined()
    write(0x14, 1, 0)
    write(0x14, 1, 3)
    write(0x08, 4, 1)
    write(0x0c, 4, 1)
    write(0x14, 1, 11)
    write(0x16, 2, 0)
    write(0x18, 2, 8)
    write(0x1a, 2, vector)
    write(0x20, 4, places.descriptors)
    write(0x28, 4, places.available)
    write(0x30, 4, places.used)
    write(0x1c, 2, 1)
    write(0x14, 1, 15)
    driver.core.queues[0]?.chooseSize(8)
  }

  it('has its capabilities in a chain, each with its part of a BAR', () => {
    const { device } = make()
    expect(device.pciIdentity).toMatchObject({ vendorId: 0x1af4, deviceId: 0x1044, revision: 1 })
    expect(device.pciCapabilities.map(({ id }) => id)).toEqual([0x11, 9, 9, 9, 9])
    expect(device.pciCapabilities.map(({ body }) => body[1]).slice(1)).toEqual([1, 3, 2, 5])
  })

  it('interrupts by INTx until the status is read', async () => {
    const { device, intx, gate, driver } = make()
    start(device, driver, reg.NO_VECTOR)
    driver.offer(0, { room: [8] })
    device.mmioWrite(NOTIFY, 2, 0)
    await gate.settle()
    expect(intx.level).toBe(true)
    expect(device.mmioRead(ISR, 1)).toBe(reg.ISR_QUEUE)
    expect(intx.level).toBe(false)
  })

  it('sends messages by MSI-X, and keeps them while they are masked', async () => {
    const { device, intx, messages, gate, driver } = make()
    const table = device.pciBars.find(({ index }) => index === 1)
    if (table?.kind !== 'mmio') throw new Error('no table')
    device.pciCapabilityWritten(0, 2, Uint8Array.of(0x11, 0, 1, 0x80), false)
    const write = (offset: number, value: number): void => expect(table.handler.mmioWrite(offset, 4, value)).toBeUndefined()
    write(16, 0xfee01000)
    write(24, 0x45)
    start(device, driver, 1)
    driver.offer(0, { room: [8] })
    device.mmioWrite(NOTIFY, 2, 0)
    await gate.settle()
    expect(messages).toEqual([])
    expect(table.handler.mmioRead(0x800, 4)).toBe(2)
    write(28, 0)
    expect(messages).toEqual([[0xfee01000, 0x45]])
    expect(table.handler.mmioRead(0x800, 4)).toBe(0)
    expect(intx.rises).toBe(0)
  })

  it('has no vector that it has not', () => {
    const { device } = make()
    device.mmioWrite(COMMON + 0x10, 2, 2)
    expect(device.mmioRead(COMMON + 0x10, 2)).toBe(reg.NO_VECTOR)
    device.mmioWrite(COMMON + 0x10, 2, 1)
    expect(device.mmioRead(COMMON + 0x10, 2)).toBe(1)
  })

  it('leaves memory alone while it is no bus master', async () => {
    const { device, gate, driver } = make()
    start(device, driver, reg.NO_VECTOR)
    device.pciCommandChanged(0)
    driver.offer(0, { room: [8] })
    device.mmioWrite(NOTIFY, 2, 0)
    await gate.settle()
    expect(driver.used(0)).toEqual([])
  })

  it('shows its registers through the window in configuration space', () => {
    const { device } = make()
    const index = device.pciCapabilities.length - 1
    const bytes = new Uint8Array(20)
    bytes.set([4, 0, 0, 0, 0x12, 0, 0, 0, 2, 0, 0, 0], 4)
    device.pciCapabilityWritten(index, 4, bytes, false)
    expect([16, 17].map((offset) => device.pciCapabilityRead(index, offset, 0))).toEqual([1, 0])
    // Not aligned: nothing is there.
    bytes[8] = 0x13
    device.pciCapabilityWritten(index, 8, bytes, false)
    expect(device.pciCapabilityRead(index, 16, 0)).toBe(0)
  })

  it('comes back from a saved state', async () => {
    const { device, driver } = make()
    start(device, driver, reg.NO_VECTOR)
    const intx = new RecordingLine()
    const gate = new TestGate()
    const again = new VirtioPci(new VirtioRng(gate, numbers), { memory: driver.memory, intx, msi: { send: () => undefined } })
    again.pciCommandChanged(4)
    again.load(device.save())
    driver.offer(0, { room: [8] })
    again.mmioWrite(NOTIFY, 2, 0)
    await gate.settle()
    expect(intx.level).toBe(true)
    expect(driver.used(0)).toHaveLength(1)
  })
})
