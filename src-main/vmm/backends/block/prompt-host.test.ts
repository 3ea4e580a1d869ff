import { expect, it } from 'vitest'
import { HostClock } from '../../time/host-clock'
import { PromptHost } from './prompt-host'

it('a host that held the thread is not asked for a while, longer each time', () => {
  let now = 0
  const clock = new HostClock(() => now)
  clock.resume()
  const host = new PromptHost(clock)
  const work = (milliseconds: number) => () => void (now += milliseconds * 1e6)
  expect(host.attempt(work(1))).toBe(true)
  expect(host.attempt(work(10))).toBe(true)
  now += 319e6
  expect(host.attempt(work(1))).toBe(false)
  now += 2e6
  expect(host.attempt(work(3))).toBe(true)
  now += 127e6
  expect(host.attempt(work(1))).toBe(false)
  now += 2e6
  for (let i = 0; i < 2000; i++) expect(host.attempt(work(0.001))).toBe(true)
  expect(() => host.attempt(() => { throw new Error('broken') })).toThrow('broken')
})
