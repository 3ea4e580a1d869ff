import { expect, it } from 'vitest'
import { HostClock } from './host-clock'
import { SliceWatch } from './slice-watch'

it('a slice is overdue after 20 ms of the host', () => {
  let host = 0
  const watch = new SliceWatch(new HostClock(() => host))
  watch.begin()
  host = 20e6
  expect(watch.overdue).toBe(false)
  host++
  expect(watch.overdue).toBe(true)
  watch.begin()
  expect(watch.overdue).toBe(false)
})

it('is never overdue by a clock that stands', () => {
  const watch = new SliceWatch(new HostClock(() => 0))
  watch.begin()
  expect(watch.overdue).toBe(false)
})

it('gives the event loop its turn once a millisecond', () => {
  let host = 0
  const watch = new SliceWatch(new HostClock(() => host))
  const turns = [0.5, 1, 1.5, 1.9, 2, 7, 7.5].map((milliseconds) => {
    host = milliseconds * 1e6
    return watch.takeTurn()
  })
  expect(turns).toEqual([false, true, false, false, true, true, false])
})
