import { describe, expect, it } from 'vitest'
import { gpa } from '../../../support/branded'
import { TestGate, VirtioDriver } from '../../../testing/virtio-driver'
import * as ring from '../virtqueue/layout'
import { VirtioBalloon } from './balloon'
import * as reg from './registers'

const MIB = 0x100000
const FIRST_PAGE = 0x300

function start(features?: bigint): { driver: VirtioDriver; balloon: VirtioBalloon; gate: TestGate } {
  const gate = new TestGate()
  const balloon = new VirtioBalloon(gate)
  const driver = new VirtioDriver(balloon)
  expect(driver.start(features)).toBe(true)
  return { driver, balloon, gate }
}

const pages = (...numbers: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer)

function statistics(values: Readonly<Record<number, number>>): Uint8Array {
  const entries = Object.entries(values)
  const view = new DataView(new ArrayBuffer(entries.length * 10))
  entries.forEach(([tag, value], i) => {
    view.setUint16(i * 10, Number(tag), true)
    view.setBigUint64(i * 10 + 2, BigInt(value), true)
  })
  return new Uint8Array(view.buffer)
}

/** A buffer that the device may write, at a place of the guest's own. */
function report(driver: VirtioDriver, queue: number, address: number, bytes: number): void {
  driver.writeDescriptor(queue, 0, address, bytes, ring.DESC_F_WRITE, 0)
  driver.makeAvailable(queue, 0)
  driver.notify(queue)
}

describe('virtio balloon', () => {
  it('tells the driver how many pages the host wants, with an interrupt and a new generation', () => {
    const { driver, balloon } = start()
    const before = driver.core.generation
    balloon.setTarget(3 * MIB)
    expect(driver.core.configRead(reg.CONFIG_NUM_PAGES, 4)).toBe(256)
    expect(driver.interrupts).toEqual(['config'])
    expect(driver.core.generation).not.toBe(before)
    balloon.setTarget(100 * MIB)
    expect(driver.core.configRead(reg.CONFIG_NUM_PAGES, 4)).toBe(0)
    expect(balloon.figures.targetBytes).toBe(4 * MIB)
  })

  it('takes pages, makes zeroes of them and gives them back', () => {
    const { driver, balloon } = start()
    driver.memory.fill(gpa(FIRST_PAGE * 4096), 0x3000, 0xaa)
    driver.offer(reg.INFLATE, { out: [pages(FIRST_PAGE, FIRST_PAGE + 2, FIRST_PAGE)] })
    driver.notify(reg.INFLATE)
    expect(driver.used(reg.INFLATE)).toHaveLength(1)
    expect(balloon.figures.heldBytes).toBe(2 * 4096)
    expect([0, 1, 2].map((i) => driver.memory.readU32(gpa((FIRST_PAGE + i) * 4096)))).toEqual([0, 0xaaaaaaaa, 0])
    driver.offer(reg.DEFLATE, { out: [pages(FIRST_PAGE)] })
    driver.notify(reg.DEFLATE)
    expect(balloon.figures.heldBytes).toBe(4096)
  })

  it('leaves pages alone that nobody has written: the host has no memory for them yet', () => {
    const { driver } = start()
    const before = driver.memory.touchedBytes
    driver.offer(reg.INFLATE, { out: [pages(...Array.from({ length: 64 }, (_, i) => FIRST_PAGE + i))] })
    const offered = driver.memory.touchedBytes
    driver.notify(reg.INFLATE)
    expect(driver.memory.touchedBytes).toBe(offered)
    expect(offered - before).toBeLessThan(64 * 4096)
  })

  it.each([reg.REPORTING, reg.REPORTING_OF_LINUX])('makes zeroes of free pages that are reported, by queue %i', (queue) => {
    const { driver, balloon } = start()
    driver.memory.fill(gpa(FIRST_PAGE * 4096), 0x4000, 0xaa)
    report(driver, queue, FIRST_PAGE * 4096, 0x3000)
    expect(driver.used(queue)).toEqual([{ head: 0, written: 0 }])
    expect([0, 2, 3].map((i) => driver.memory.readU32(gpa((FIRST_PAGE + i) * 4096)))).toEqual([0, 0, 0xaaaaaaaa])
    expect(balloon.figures).toMatchObject({ heldBytes: 0, reportedBytes: 0x3000 })
  })

  it('leaves reported pages as they are when the guest relies on what is in them', () => {
    const { driver, balloon } = start()
    driver.core.configWrite(reg.CONFIG_POISON, 4, 0xaaaaaaaa)
    driver.memory.fill(gpa(FIRST_PAGE * 4096), 0x1000, 0xaa)
    report(driver, reg.REPORTING, FIRST_PAGE * 4096, 0x1000)
    expect(driver.memory.readU32(gpa(FIRST_PAGE * 4096))).toBe(0xaaaaaaaa)
    expect(balloon.figures.reportedBytes).toBe(0)
  })

  it('asks for statistics by giving their buffer back', () => {
    const { driver, balloon } = start()
    driver.offer(reg.STATS, { out: [statistics({ 4: 5 * MIB, 5: 6 * MIB, 999: 1 })] })
    driver.notify(reg.STATS)
    expect(driver.used(reg.STATS)).toEqual([])
    expect(balloon.figures.guest).toEqual({ freeBytes: 5 * MIB, totalBytes: 6 * MIB })
    balloon.refreshStatistics()
    balloon.refreshStatistics()
    expect(driver.used(reg.STATS)).toHaveLength(1)
    expect(driver.interrupts).toEqual([reg.STATS])
    driver.offer(reg.STATS, { out: [statistics({ 4: MIB })] })
    driver.notify(reg.STATS)
    expect(balloon.figures.guest.freeBytes).toBe(MIB)
  })

  it('works in portions: a large report does not hold the machine', async () => {
    const { driver, balloon, gate } = start()
    for (let i = 0; i < 16; i++) {
      driver.writeDescriptor(reg.REPORTING, i, 2 * MIB, 2 * MIB, ring.DESC_F_WRITE, 0)
      driver.makeAvailable(reg.REPORTING, i)
    }
    driver.notify(reg.REPORTING)
    expect(driver.used(reg.REPORTING)).toHaveLength(8)
    expect(gate.pending).toHaveLength(1)
    await gate.settle()
    expect(driver.used(reg.REPORTING)).toHaveLength(8)
    expect(balloon.figures.reportedBytes).toBe(32 * MIB)
  })

  it.each([
    ['a page outside of memory', (driver: VirtioDriver) => void driver.offer(reg.INFLATE, { out: [pages(0xfffff)] })],
    ['more pages than there are', (driver: VirtioDriver) => void driver.offer(reg.INFLATE, { out: [new Uint8Array(0x2000)] })],
  ])('a driver that lists %s is told to reset', (what, hostile) => {
    const { driver, balloon } = start()
    hostile(driver)
    driver.notify(reg.INFLATE)
    expect(driver.failed).toBe(true)
    expect(driver.core.failure).toContain(what)
    expect(driver.start()).toBe(true)
    driver.offer(reg.INFLATE, { out: [pages(FIRST_PAGE)] })
    driver.notify(reg.INFLATE)
    expect(balloon.figures.heldBytes).toBe(4096)
  })

  it('a reset empties it, and leaves what the host wants', () => {
    const { driver, balloon } = start()
    balloon.setTarget(3 * MIB)
    driver.offer(reg.INFLATE, { out: [pages(FIRST_PAGE)] })
    driver.notify(reg.INFLATE)
    driver.start()
    expect(balloon.figures).toMatchObject({ heldBytes: 0, targetBytes: 3 * MIB })
  })

  it('goes on from a saved state, with the buffer of statistics that waits', () => {
    const { driver, balloon } = start()
    balloon.setTarget(3 * MIB)
    driver.core.configWrite(reg.CONFIG_ACTUAL, 4, 1)
    driver.offer(reg.INFLATE, { out: [pages(FIRST_PAGE)] })
    driver.notify(reg.INFLATE)
    driver.offer(reg.STATS, { out: [statistics({ 4: MIB })] })
    driver.notify(reg.STATS)
    const again = new VirtioBalloon(new TestGate())
    const other = new VirtioDriver(again, driver.memory)
    other.core.load(driver.core.save())
    expect(again.save()).toEqual(balloon.save())
    expect(again.figures).toEqual(balloon.figures)
    again.refreshStatistics()
    expect(other.used(reg.STATS)).toHaveLength(1)
  })

  it('does without statistics, and then reports by the queue after the first two', () => {
    const { driver, balloon } = start(reg.PAGE_REPORTING)
    driver.memory.fill(gpa(FIRST_PAGE * 4096), 0x1000, 0xaa)
    report(driver, reg.STATS, FIRST_PAGE * 4096, 0x1000)
    expect(balloon.figures.reportedBytes).toBe(0x1000)
  })
})
