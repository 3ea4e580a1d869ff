import { describe, expect, it } from 'vitest'
import { HostEntropy, SeededEntropy } from '../../../backends/entropy/entropy-source'
import { TestGate, VirtioDriver } from '../../../testing/virtio-driver'
import { VirtioRng, type RandomBytes } from './rng'

function start(source: RandomBytes = new SeededEntropy()): { driver: VirtioDriver; gate: TestGate } {
  const gate = new TestGate()
  const driver = new VirtioDriver(new VirtioRng(gate, source))
  expect(driver.start()).toBe(true)
  return { driver, gate }
}

describe('virtio entropy device', () => {
  it('fills buffers one after the other, across their parts', async () => {
    const { driver, gate } = start()
    const first = driver.offer(0, { room: [10, 54] })
    const second = driver.offer(0, { room: [64] })
    driver.notify(0)
    expect(gate.pending).toHaveLength(1)
    await gate.settle()
    expect(driver.used(0)).toEqual([{ head: first.head, written: 64 }, { head: second.head, written: 64 }])
    expect(Buffer.from(driver.read(first))).not.toEqual(Buffer.from(driver.read(second)))
    expect(driver.interrupts).toEqual([0, 0])
  })

  it('repeats itself with the seeded source, and does not with the host', async () => {
    const numbers = async (source: RandomBytes): Promise<string> => {
      const { driver, gate } = start(source)
      const placed = driver.offer(0, { room: [32] })
      driver.notify(0)
      await gate.settle()
      return Buffer.from(driver.read(placed)).toString('hex')
    }
    expect(await numbers(new SeededEntropy())).toBe(await numbers(new SeededEntropy()))
    expect(await numbers(new HostEntropy())).not.toBe(await numbers(new HostEntropy()))
  })

  it('fills no more than 16 KiB of a large buffer, and says so', async () => {
    const { driver, gate } = start()
    driver.offer(0, { room: [0x10000] })
    driver.notify(0)
    await gate.settle()
    expect(driver.used(0)[0]?.written).toBe(0x4000)
  })

  it('a reset forgets the request under way; the next ones are answered', async () => {
    const { driver, gate } = start()
    driver.offer(0, { room: [16] })
    driver.notify(0)
    driver.start()
    const placed = driver.offer(0, { room: [16] })
    driver.notify(0)
    await gate.settle()
    expect(driver.used(0)).toEqual([{ head: placed.head, written: 16 }])
  })

  it('gives a buffer back empty when the host has no numbers', async () => {
    const { driver, gate } = start({ read: () => Promise.reject(new Error('none')) })
    driver.offer(0, { room: [16] })
    driver.notify(0)
    await gate.settle()
    expect(driver.used(0)[0]?.written).toBe(0)
  })
})
