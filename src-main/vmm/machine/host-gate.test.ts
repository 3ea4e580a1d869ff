import { describe, expect, it } from 'vitest'
import type { Outcome } from '../backends/completion-gate'
import { FakeClock } from '../testing/fake-clock'
import { DeterministicGate, HostGate } from './host-gate'

/** Work of the host that ends when the test says so. */
class Work {
  finish: (value: string) => void = () => undefined
  fail: (error: unknown) => void = () => undefined
  readonly promise: Promise<string> = new Promise((resolve, reject) => {
    this.finish = resolve
    this.fail = reject
  })
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const tell = (into: string[], name: string) => (outcome: Outcome<string>): void => void into.push(`${name} ${outcome.ok ? outcome.value : `failed: ${outcome.error.message}`}`)

describe('HostGate', () => {
  it('delivers in order of completion, and only when asked', async () => {
    let wakes = 0
    const gate = new HostGate(() => wakes++)
    const [a, b] = [new Work(), new Work()]
    const done: string[] = []
    gate.submit('a', 1, () => a.promise, tell(done, 'a'))
    gate.submit('b', 1, () => b.promise, tell(done, 'b'))
    expect(gate.pending).toBe(2)
    b.finish('1')
    await turn()
    a.finish('2')
    await turn()
    expect([done, wakes]).toEqual([[], 2])
    expect(gate.blocked()).toBeUndefined()
    gate.deliver()
    expect(done).toEqual(['b 1', 'a 2'])
    expect(gate.pending).toBe(0)
  })

  it('delivers failures, also of work that throws at once', async () => {
    const gate = new HostGate(() => undefined)
    const done: string[] = []
    const a = new Work()
    gate.submit('a', 1, () => a.promise, tell(done, 'a'))
    gate.submit<string>('b', 1, () => { throw new Error('no disk') }, tell(done, 'b'))
    a.fail('a string')
    await turn()
    gate.deliver()
    expect(done.sort()).toEqual(['a failed: a string', 'b failed: no disk'])
  })

  it('takes new work from inside a completion', async () => {
    const gate = new HostGate(() => undefined)
    const done: string[] = []
    gate.submit('a', 1, () => Promise.resolve('1'), () => gate.submit('b', 1, () => Promise.resolve('2'), tell(done, 'b')))
    await turn()
    gate.deliver()
    expect([done, gate.pending]).toEqual([[], 1])
    await turn()
    gate.deliver()
    expect(done).toEqual(['b 2'])
  })
})

describe('DeterministicGate', () => {
  const LATENCY = 100_000

  it('delivers at a time that depends on the request alone', async () => {
    const clock = new FakeClock()
    const gate = new DeterministicGate(clock, () => undefined)
    const done: string[] = []
    gate.submit('a', 4096, () => Promise.resolve('1'), tell(done, 'a'))
    await turn()
    clock.advance(LATENCY + 4 * 500 - 1)
    gate.deliver()
    expect(done).toEqual([])
    clock.advance(1)
    gate.deliver()
    expect([done, gate.pending]).toEqual([['a 1'], 0])
  })

  it('holds the machine while a due request is not done', async () => {
    const clock = new FakeClock()
    let wakes = 0
    const gate = new DeterministicGate(clock, () => wakes++)
    const a = new Work()
    const done: string[] = []
    gate.submit('a', 0, () => a.promise, tell(done, 'a'))
    expect(gate.blocked()).toBeUndefined()
    clock.advance(LATENCY)
    gate.deliver()
    expect(done).toEqual([])
    const blocked = gate.blocked()
    expect(blocked).toBeDefined()
    setTimeout(() => a.finish('1'), 5)
    await blocked
    gate.deliver()
    expect([done, wakes]).toEqual([['a 1'], 1])
    expect(gate.blocked()).toBeUndefined()
  })

  it('keeps the order of the virtual deadlines, whatever the host does', async () => {
    const clock = new FakeClock()
    const gate = new DeterministicGate(clock, () => undefined)
    const [slow, fast] = [new Work(), new Work()]
    const done: string[] = []
    gate.submit('big', 1 << 20, () => fast.promise, tell(done, 'big'))
    gate.submit('small', 512, () => slow.promise, tell(done, 'small'))
    fast.finish('1')
    clock.advance(10e6) // both are due: the small one first
    await turn()
    gate.deliver()
    expect(done).toEqual([])
    slow.fail(new Error('late'))
    await turn()
    gate.deliver()
    expect([done, gate.pending]).toEqual([['small failed: late', 'big 1'], 0])
  })
})
