import { describe, expect, it } from 'vitest'
import { gpa } from '../../../support/branded'
import { VirtioDriver } from '../../../testing/virtio-driver'
import { NO_REGISTER, type SavedState } from '../../device'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import * as ring from './layout'
import type { DescriptorChain } from './virtqueue'

const SIZE = 8

/** Takes chains and holds them. */
class Holder implements VirtioDevice {
  readonly name = 'holder'
  readonly type = 42
  readonly pciClass = 0
  readonly features = 0n
  readonly queueSizes = [SIZE]
  readonly configBytes = 0
  host: VirtioHost | undefined
  readonly chains: DescriptorChain[] = []
  connect(host: VirtioHost): void {
    this.host = host
  }
  configRead(): typeof NO_REGISTER {
    return NO_REGISTER
  }
  configWrite(): typeof NO_REGISTER {
    return NO_REGISTER
  }
  activate(): void {
    return undefined
  }
  reset(): void {
    this.chains.length = 0
  }
  queueNotified(): void {
    for (let chain = this.host?.queue(0).pop(); chain; chain = this.host?.queue(0).pop()) this.chains.push(chain)
  }
  save(): SavedState {
    return { schema: ['holder', 1] }
  }
  load(): void {
    return undefined
  }
}

function start(features: bigint = ring.RING_INDIRECT_DESC): { driver: VirtioDriver; holder: Holder } {
  const holder = new Holder()
  const driver = new VirtioDriver(holder)
  expect(driver.start(features)).toBe(true)
  return { driver, holder }
}

describe('split virtqueue', () => {
  it('takes chains and gives them back in any order', () => {
    const { driver, holder } = start()
    const first = driver.offer(0, { out: [Uint8Array.of(1, 2, 3)], room: [16, 4] })
    driver.offer(0, { room: [8] })
    driver.notify(0)
    expect(holder.chains.map(({ head, readableBytes, writableBytes }) => [head, readableBytes, writableBytes])).toEqual([[first.head, 3, 20], [3, 0, 8]])
    const queue = driver.core.queue(0)
    for (const chain of [...holder.chains].reverse()) queue.push(chain, 5)
    queue.signal()
    expect(driver.used(0)).toEqual([{ head: 3, written: 5 }, { head: 0, written: 5 }])
    expect(driver.interrupts).toEqual([0])
    queue.signal()
    expect(driver.interrupts).toEqual([0])
  })

  it('goes on for more chains than 16-bit indices count', () => {
    const { driver, holder } = start()
    const queue = driver.core.queue(0)
    const address = driver.allocate(4)
    driver.writeDescriptor(0, 0, address, 4, ring.DESC_F_WRITE, 0)
    for (let i = 0; i < 66_000; i++) {
      driver.makeAvailable(0, 0)
      driver.notify(0)
      const chain = holder.chains.pop()
      if (!chain) throw new Error(`no chain after ${i}`)
      queue.push(chain, i)
    }
    expect(driver.memory.readU16(gpa(driver.places(0).used + ring.USED_INDEX))).toBe(66_000 & 0xffff)
    expect(driver.failed).toBe(false)
  })

  it('reads indirect tables', () => {
    const { driver, holder } = start()
    const table = driver.allocate(48)
    const buffers = [driver.allocate(100), driver.allocate(100)]
    buffers.forEach((buffer, i) => {
      driver.memory.writeU64(gpa(table + 16 * i), BigInt(buffer))
      driver.memory.writeU32(gpa(table + 16 * i + 8), 100)
      driver.memory.writeU16(gpa(table + 16 * i + 12), i === 0 ? ring.DESC_F_NEXT : ring.DESC_F_WRITE)
      driver.memory.writeU16(gpa(table + 16 * i + 14), 1)
    })
    driver.writeDescriptor(0, 5, table, 32, ring.DESC_F_INDIRECT, 0)
    driver.makeAvailable(0, 5)
    driver.notify(0)
    expect(holder.chains).toMatchObject([{ head: 5, readable: [{ address: buffers[0], bytes: 100 }], writable: [{ address: buffers[1], bytes: 100 }] }])
  })

  it('keeps quiet when the driver wants no interrupts', () => {
    const { driver, holder } = start()
    driver.memory.writeU16(gpa(driver.places(0).available), ring.AVAIL_F_NO_INTERRUPT)
    driver.offer(0, { room: [1] })
    driver.notify(0)
    driver.core.queue(0).push(holder.chains[0] as DescriptorChain, 0)
    driver.core.queue(0).signal()
    expect(driver.interrupts).toEqual([])
  })

  it('interrupts and asks for notifications by event indices', () => {
    const { driver, holder } = start(ring.RING_EVENT_IDX)
    const { available, used } = driver.places(0)
    const queue = driver.core.queue(0)
    const complete = (): void => {
      driver.offer(0, { room: [1] })
      driver.notify(0)
      queue.push(holder.chains.pop() as DescriptorChain, 0)
      queue.signal()
    }
    driver.memory.writeU16(gpa(available + ring.usedEventAt(SIZE)), 1)
    complete()
    expect(driver.interrupts).toEqual([])
    complete()
    expect(driver.interrupts).toEqual([0])
    complete()
    expect(driver.interrupts).toEqual([0])
    expect(driver.memory.readU16(gpa(used + ring.availEventAt(SIZE)))).toBe(3)
    queue.setNotifications(false)
    complete()
    expect(driver.memory.readU16(gpa(used + ring.availEventAt(SIZE)))).toBe(3)
    queue.setNotifications(true)
    expect(driver.memory.readU16(gpa(used + ring.availEventAt(SIZE)))).toBe(4)
  })

  it('comes back from a saved state', () => {
    const { driver, holder } = start()
    driver.offer(0, { room: [4] })
    driver.offer(0, { room: [4] })
    driver.notify(0)
    const saved = driver.core.save()
    const other = new Holder()
    const again = new VirtioDriver(other, driver.memory)
    again.core.load(saved)
    const chain = again.core.queue(0).resume(holder.chains[1]?.head ?? -1)
    expect(chain).toEqual(holder.chains[1])
    again.core.queue(0).push(chain as DescriptorChain, 1)
    expect(again.used(0)).toEqual([{ head: 1, written: 1 }])
  })

  const refused: readonly (readonly [string, (driver: VirtioDriver) => void])[] = [
    ['a loop', (driver) => {
      driver.writeDescriptor(0, 0, driver.allocate(4), 4, ring.DESC_F_NEXT, 1)
      driver.writeDescriptor(0, 1, driver.allocate(4), 4, ring.DESC_F_NEXT, 0)
    }],
    ['a buffer beyond memory', (driver) => driver.writeDescriptor(0, 0, 0x3fffff, 2, 0, 0)],
    ['a buffer at the end of 64 bits', (driver) => {
      driver.writeDescriptor(0, 0, 0, 2, 0, 0)
      driver.memory.writeU64(gpa(driver.places(0).descriptors), 0xfffffffffffffff0n)
    }],
    ['a length that wraps', (driver) => driver.writeDescriptor(0, 0, 0x1000, 0xffffffff, 0, 0)],
    ['a readable buffer after a writable one', (driver) => {
      driver.writeDescriptor(0, 0, driver.allocate(4), 4, ring.DESC_F_WRITE | ring.DESC_F_NEXT, 1)
      driver.writeDescriptor(0, 1, driver.allocate(4), 4, 0, 0)
    }],
    ['an indirect table of no whole descriptors', (driver) => driver.writeDescriptor(0, 0, driver.allocate(32), 17, ring.DESC_F_INDIRECT, 0)],
    ['an indirect table in an indirect table', (driver) => {
      const table = driver.allocate(16)
      driver.memory.writeU64(gpa(table), BigInt(table))
      driver.memory.writeU32(gpa(table + 8), 16)
      driver.memory.writeU16(gpa(table + 12), ring.DESC_F_INDIRECT)
      driver.writeDescriptor(0, 0, table, 16, ring.DESC_F_INDIRECT, 0)
    }],
    ['an index beyond an indirect table', (driver) => {
      const table = driver.allocate(16)
      driver.memory.writeU64(gpa(table), BigInt(table))
      driver.memory.writeU32(gpa(table + 8), 4)
      driver.memory.writeU16(gpa(table + 12), ring.DESC_F_NEXT)
      driver.memory.writeU16(gpa(table + 14), 1)
      driver.writeDescriptor(0, 0, table, 16, ring.DESC_F_INDIRECT, 0)
    }],
  ]
  it.each(refused)('refuses %s, and works again after a reset', (_what, make) => {
    const { driver, holder } = start()
    make(driver)
    driver.makeAvailable(0, 0)
    driver.notify(0)
    expect(holder.chains).toEqual([])
    expect(driver.failed).toBe(true)
    expect(driver.interrupts).toEqual(['config'])
    expect(driver.start()).toBe(true)
    driver.offer(0, { room: [4] })
    driver.notify(0)
    expect(holder.chains).toHaveLength(1)
  })

  it('refuses a head beyond the ring, more chains than there are, and indirect tables that were not agreed on', () => {
    for (const spoil of [
      (driver: VirtioDriver): void => driver.memory.writeU16(gpa(driver.places(0).available + ring.AVAIL_RING), SIZE),
      (driver: VirtioDriver): void => driver.memory.writeU16(gpa(driver.places(0).available + ring.AVAIL_INDEX), SIZE + 1),
      (driver: VirtioDriver): void => driver.writeDescriptor(0, 0, driver.allocate(16), 16, ring.DESC_F_INDIRECT, 0),
    ]) {
      const { driver, holder } = start(0n)
      driver.makeAvailable(0, 0)
      spoil(driver)
      driver.notify(0)
      expect(driver.failed).toBe(true)
      expect(holder.chains).toEqual([])
    }
  })

  it('refuses rings outside of memory', () => {
    const holder = new Holder()
    const driver = new VirtioDriver(holder)
    const queue = driver.core.queues[0]
    if (!queue) throw new Error('no queue')
    Object.assign(queue.addresses, { ...driver.places(0), used: 0x3ffffc })
    queue.enable()
    expect(queue.isEnabled).toBe(false)
    expect(driver.failed).toBe(true)
  })
})
