import { describe, expect, it } from 'vitest'
import { gpa } from '../../../support/branded'
import type { CpuIo } from '../../engine'
import { Difference, IoQueue, recordingIo, repeatingIo } from './io-queue'

const IO: CpuIo = {
  pioRead: (port) => port + 1, pioWrite: () => undefined, mmioRead: () => 7, mmioWrite: () => undefined, readTsc: () => 99, acknowledgeInterrupt: () => 0x20,
  readTaskPriority: () => 3, writeTaskPriority: () => undefined, readMsr: (index) => (index === 1 ? [5, 6] : undefined), writeMsr: () => true, unknownOpcode: () => undefined,
}

describe('recorded accesses', () => {
  const queue = new IoQueue()
  const leader = recordingIo(IO, queue, (ask) => ask())
  const follower = repeatingIo(queue)

  it('are answered alike, in order', () => {
    leader.pioRead(0x60, 1)
    leader.pioWrite(0x61, 1, 4)
    leader.readMsr(1)
    leader.readMsr(2)
    leader.writeMsr(1, 2, 3)
    leader.mmioRead(gpa(0x1000), 4)
    expect(queue.owed()).toBe('pio read 60 1')
    expect(follower.pioRead(0x60, 1)).toBe(0x61)
    follower.pioWrite(0x61, 1, 4)
    expect([follower.readMsr(1), follower.readMsr(2), follower.writeMsr(1, 2, 3), follower.mmioRead(gpa(0x1000), 4)]).toEqual([[5, 6], undefined, true, 7])
    expect(queue.owed()).toBeUndefined()
  })

  it('tell what is different', () => {
    expect(() => follower.readTsc()).toThrow(Difference)
    leader.pioWrite(0x70, 1, 1)
    expect(() => follower.pioWrite(0x70, 1, 2)).toThrow(/pio write 70 1 2.*pio write 70 1 1/)
    follower.pioWrite(0x70, 1, 1)
  })

  it('bring what the host did meanwhile, at the same place', () => {
    const done: string[] = []
    queue.effect(() => done.push('at once'))
    const busy = recordingIo({ ...IO, readTsc: () => (queue.effect(() => done.push('during')), 1) }, queue, (ask) => ask())
    busy.readTsc()
    queue.effect(() => done.push('after'))
    expect(done).toEqual(['at once'])
    follower.readTsc()
    expect(done).toEqual(['at once', 'during', 'after'])
  })
})
