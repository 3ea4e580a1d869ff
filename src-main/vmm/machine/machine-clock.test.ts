import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { vmTime } from '../support/branded'
import { HostMachineClock, InstructionMachineClock, Wakeable } from './machine-clock'

/** Whether a promise is settled by now. */
async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false
  void promise.then(() => (done = true))
  for (let i = 0; i < 5; i++) await Promise.resolve()
  return done
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'setImmediate'] }))
afterEach(() => void vi.useRealTimers())

describe('Wakeable', () => {
  it('sleeps so long', async () => {
    const wakeable = new Wakeable()
    const sleep = wakeable.sleep(10)
    vi.advanceTimersByTime(9)
    expect(await settled(sleep)).toBe(false)
    vi.advanceTimersByTime(1)
    expect(await settled(sleep)).toBe(true)
  })

  it('is woken, by a wake that came first too, but once only', async () => {
    const wakeable = new Wakeable()
    const sleep = wakeable.sleep(undefined)
    expect(await settled(sleep)).toBe(false)
    wakeable.wake()
    expect(await settled(sleep)).toBe(true)
    wakeable.wake()
    wakeable.wake()
    expect(await settled(wakeable.sleep(undefined))).toBe(true)
    expect(await settled(wakeable.sleep(undefined))).toBe(false)
  })

  it('leaves no timer behind', async () => {
    const wakeable = new Wakeable()
    const sleep = wakeable.sleep(1000)
    wakeable.wake()
    expect(await settled(sleep)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('HostMachineClock', () => {
  const started = (): HostMachineClock => {
    const clock = new HostMachineClock()
    clock.start()
    return clock
  }

  it('runs with the host, and stands while it is stopped', () => {
    const clock = new HostMachineClock()
    vi.advanceTimersByTime(5)
    expect(clock.now()).toBe(0)
    clock.start()
    vi.advanceTimersByTime(5)
    expect(clock.now()).toBe(5e6)
    clock.stop()
    vi.advanceTimersByTime(5)
    expect(clock.now()).toBe(5e6)
  })

  it('goes on from a saved time', () => {
    const clock = new HostMachineClock()
    clock.load({ now: 7e9 })
    clock.start()
    vi.advanceTimersByTime(1)
    expect(clock.now()).toBe(7.001e9)
    expect(clock.save()).toEqual({ now: 7.001e9, skipped: 0 })
  })

  it('gives slices after the measured speed, shorter ones before a deadline', () => {
    const clock = started()
    for (let i = 0; i < 100; i++) {
      clock.budget(undefined)
      vi.advanceTimersByTime(1)
      clock.ran(100_000) // 0.1 instructions a nanosecond
    }
    expect(clock.budget(undefined)).toBeGreaterThan(90_000)
    expect(clock.budget(undefined)).toBeLessThan(101_000)
    expect(clock.budget(vmTime(clock.now() + 100_000))).toBeLessThan(10_100)
    expect(clock.budget(vmTime(clock.now() - 5e9))).toBe(1000)
  })

  it('does not take one slice in which the host was busy for the speed of the guest', () => {
    const clock = started()
    const slice = (milliseconds: number): void => {
      clock.budget(undefined)
      vi.advanceTimersByTime(milliseconds)
      clock.ran(100_000)
    }
    for (let i = 0; i < 20; i++) slice(1)
    slice(50)
    expect(clock.budget(undefined)).toBeGreaterThan(45_000)
    slice(1)
    slice(1)
    expect(clock.budget(undefined)).toBeGreaterThan(80_000)
    for (let i = 0; i < 8; i++) slice(50)
    expect(clock.budget(undefined)).toBeLessThan(3000)
  })

  it('bounds slices whatever it measures', () => {
    const clock = started()
    for (let i = 0; i < 100; i++) {
      clock.budget(undefined)
      vi.advanceTimersByTime(1)
      clock.ran(1e12)
    }
    expect(clock.budget(undefined)).toBe(1 << 22)
    for (let i = 0; i < 200; i++) {
      clock.budget(undefined)
      vi.advanceTimersByTime(1000)
      clock.ran(1000)
    }
    expect(clock.budget(undefined)).toBeGreaterThanOrEqual(1000)
  })

  it('idles until the deadline, until it is woken, or not at all when it has passed', async () => {
    const clock = started()
    const wakeable = new Wakeable()
    expect(clock.idle(vmTime(0), wakeable)).toBeUndefined()
    const sleep = clock.idle(vmTime(clock.now() + 20e6), wakeable)
    if (!sleep) throw new Error('no sleep')
    vi.advanceTimersByTime(15)
    expect(await settled(sleep)).toBe(false)
    vi.advanceTimersByTime(6)
    expect(await settled(sleep)).toBe(true)
    const forever = clock.idle(undefined, wakeable)
    if (!forever) throw new Error('no sleep')
    vi.advanceTimersByTime(1e6)
    expect(await settled(forever)).toBe(false)
    wakeable.wake()
    expect(await settled(forever)).toBe(true)
  })
})

describe('InstructionMachineClock', () => {
  it('counts instructions, and skips what nobody uses', () => {
    let retired = 0
    const clock = new InstructionMachineClock(() => retired)
    const wakeable = new Wakeable()
    vi.advanceTimersByTime(1000)
    expect(clock.now()).toBe(0)
    retired = 500
    expect(clock.now()).toBe(500)
    expect(clock.idle(vmTime(10_000), wakeable)).toBeUndefined()
    expect(clock.now()).toBe(10_000)
    retired = 600
    expect(clock.now()).toBe(10_100)
    expect(clock.save()).toEqual({ now: 10_100, skipped: 9500 })
  })

  it('never goes back', () => {
    const clock = new InstructionMachineClock(() => 1000)
    expect(clock.idle(vmTime(10), new Wakeable())).toBeUndefined()
    expect(clock.now()).toBe(1000)
  })

  it('ends a slice exactly at the deadline', () => {
    const clock = new InstructionMachineClock(() => 100)
    expect(clock.budget(undefined)).toBe(1 << 20)
    expect(clock.budget(vmTime(350))).toBe(250)
    expect(clock.budget(vmTime(100))).toBe(1)
    expect(clock.budget(vmTime(0))).toBe(1)
    expect(clock.budget(vmTime(1e12))).toBe(1 << 20)
  })

  it('goes on from a saved time', () => {
    const clock = new InstructionMachineClock(() => 100)
    clock.load({ skipped: 900 })
    expect(clock.now()).toBe(1000)
  })

  it('waits for the outside when nothing is due', async () => {
    const wakeable = new Wakeable()
    const sleep = new InstructionMachineClock(() => 0).idle(undefined, wakeable)
    if (!sleep) throw new Error('no sleep')
    expect(await settled(sleep)).toBe(false)
    wakeable.wake()
    expect(await settled(sleep)).toBe(true)
  })
})
