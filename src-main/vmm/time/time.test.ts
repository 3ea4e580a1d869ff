import { describe, expect, it } from 'vitest'
import { vmTime } from '../support/branded'
import { DeadlineQueue } from './deadline-queue'
import { HostClock } from './host-clock'
import { InstructionClock } from './instruction-clock'

describe('HostClock', () => {
  it('stands still while paused and continues without a jump', () => {
    let host = 1000
    const clock = new HostClock(() => host)
    expect(clock.now()).toBe(0)
    host = 5000
    expect(clock.now()).toBe(0)
    clock.resume()
    host = 5500.7
    expect(clock.now()).toBe(500)
    clock.pause()
    host = 9000
    expect(clock.now()).toBe(500)
    clock.resume()
    host = 9100
    expect(clock.now()).toBe(600)
    host = 9000
    expect(clock.now()).toBe(600)
    clock.set(vmTime(77))
    host = 9010
    expect(clock.now()).toBe(87)
  })
})

describe('InstructionClock', () => {
  it('is an exact function of retired instructions and skipped time', () => {
    let retired = 0
    const clock = new InstructionClock(() => retired, { numerator: 10, denominator: 3 })
    retired = 1
    expect(clock.now()).toBe(3)
    retired = 3
    expect(clock.now()).toBe(10)
    retired = 900_719_925_474_099
    expect(clock.now()).toBe(3_002_399_751_580_330)
    retired = 3
    clock.skipTo(vmTime(1000))
    clock.skipTo(vmTime(500))
    expect(clock.now()).toBe(1000)
    for (const deadline of [999, 1000, 1001, 1003, 1004, 1100]) {
      const wait = clock.instructionsUntil(vmTime(deadline))
      retired = 3 + wait
      expect(clock.now()).toBeGreaterThanOrEqual(deadline)
      if (wait > 0) {
        retired--
        expect(clock.now()).toBeLessThan(deadline)
      }
      retired = 3
    }
    const other = new InstructionClock(() => retired, { numerator: 10, denominator: 3 })
    other.load(clock.save())
    expect(other.now()).toBe(clock.now())
  })
})

describe('DeadlineQueue', () => {
  function queue(): { queue: DeadlineQueue; fired: string[]; earlier: number[] } {
    const earlier: number[] = []
    return { queue: new DeadlineQueue({ now: () => vmTime(0) }, (deadline) => earlier.push(deadline)), fired: [], earlier }
  }

  it('fires in order of deadline, then of creation', () => {
    const { queue: q, fired, earlier } = queue()
    const timers = ['a', 'b', 'c', 'd'].map((name) => q.createTimer(name, () => fired.push(name)))
    timers[3]?.arm(vmTime(20))
    timers[2]?.arm(vmTime(10))
    timers[0]?.arm(vmTime(20))
    timers[1]?.arm(vmTime(20))
    timers[2]?.arm(vmTime(20))
    expect(q.next()).toBe(20)
    expect(earlier).toEqual([20, 10])
    expect(q.runDue(vmTime(19))).toBe(0)
    timers[1]?.cancel()
    expect(q.pending().map((timer) => timer.name)).toEqual(['a', 'c', 'd'])
    expect(q.runDue(vmTime(20))).toBe(3)
    expect(fired).toEqual(['a', 'c', 'd'])
    expect(q.next()).toBe(undefined)
  })

  it('a timer that arms itself in the past cannot hang the machine', () => {
    const { queue: q } = queue()
    const timer = q.createTimer('hostile', () => timer.arm(vmTime(0)))
    timer.arm(vmTime(0))
    expect(q.runDue(vmTime(1))).toBeLessThan(100_000)
    expect(timer.deadline).toBe(0)
  })
})
