import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FromMachine, ToMachine } from '../machine/protocol'
import type { MachineConfig } from '../machine/config'
import { VmController, type VmLifecycle } from './vm-controller'

const config: MachineConfig = {
  engine: 'interpreter', memoryMiB: 16, cpus: 1, cpu: {}, clock: 'host', firmware: 'builtin', boot: ['disk'], bootMenu: false, append: '',
  modules: [], disks: [], cdroms: [], demo: true, debugExit: false,
}

function fixture() {
  const states: VmLifecycle['type'][] = []
  const sent: ToMachine[] = []
  const threads: { say: (message: FromMachine) => void; ended: boolean }[] = []
  const vm = new VmController({
    config,
    observer: { onPowerOn: () => undefined, onState: (state) => states.push(state.type), onFrame: () => undefined, onSerial: () => undefined },
    start: (say) => {
      const thread = { say, ended: false }
      threads.push(thread)
      return { send: (message) => sent.push(message), terminate: async () => void (thread.ended = true) }
    },
  })
  return { vm, states, sent, threads }
}

describe('VM lifecycle', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('goes from stopped over starting to running, pauses and resumes', () => {
    const { vm, states, sent, threads } = fixture()
    expect(vm.act('power-on')).toBe(true)
    threads[0]?.say({ kind: 'state', state: 'running' })
    expect(vm.act('pause')).toBe(true)
    threads[0]?.say({ kind: 'state', state: 'paused' })
    expect(vm.act('pause')).toBe(false)
    expect(vm.act('resume')).toBe(true)
    threads[0]?.say({ kind: 'state', state: 'running' })
    expect(states).toEqual(['starting', 'running', 'paused', 'running'])
    expect(sent.map(({ kind }) => kind)).toEqual(['pause', 'resume'])
  })

  it('refuses what a stopped VM cannot do', () => {
    const { vm, sent } = fixture()
    for (const intent of ['pause', 'resume', 'reset', 'shut-down-guest', 'power-off'] as const) expect(vm.act(intent)).toBe(false)
    expect(sent).toEqual([])
  })

  it('shutting the guest down presses the power button and waits for the guest', () => {
    const { vm, sent, threads } = fixture()
    vm.act('power-on')
    threads[0]?.say({ kind: 'state', state: 'running' })
    vm.act('shut-down-guest')
    expect(sent).toEqual([{ kind: 'power-button' }])
    expect(vm.state.type).toBe('running')
    threads[0]?.say({ kind: 'ended', end: { kind: 'power-off' } })
    expect(vm.state).toEqual({ type: 'stopped', lastEnd: { kind: 'power-off' } })
    expect(vm.act('power-on')).toBe(true)
  })

  it('ends the thread of a machine that does not power off', async () => {
    const { vm, threads } = fixture()
    vm.act('power-on')
    vm.act('power-off')
    await vi.advanceTimersByTimeAsync(5000)
    expect(threads[0]?.ended).toBe(true)
    expect(vm.state.type).toBe('stopped')
  })

  it('does not hear a machine that it has given up', async () => {
    const { vm, threads } = fixture()
    vm.act('power-on')
    vm.act('power-off')
    await vi.advanceTimersByTimeAsync(5000)
    threads[0]?.say({ kind: 'state', state: 'paused' })
    expect(vm.state.type).toBe('stopped')
    vm.act('power-on')
    threads[0]?.say({ kind: 'state', state: 'paused' })
    expect(vm.state.type).toBe('starting')
  })

  it('keeps why a machine failed', () => {
    const { vm, threads } = fixture()
    vm.act('power-on')
    threads[0]?.say({ kind: 'failed', code: 'file/not-found', message: '--disk x: not there' })
    expect(vm.state).toEqual({ type: 'failed', code: 'file/not-found', message: '--disk x: not there' })
  })

  it('questions: answered by the machine, undefined when it does not answer or ends', async () => {
    const { vm, sent, threads } = fixture()
    expect(await vm.stats()).toBeUndefined()
    vm.act('power-on')
    threads[0]?.say({ kind: 'state', state: 'running' })
    const late = vm.stats()
    await vi.advanceTimersByTimeAsync(3000)
    expect(await late).toBeUndefined()
    const region = vm.region(7)
    const list = vm.regions(3)
    expect(sent.slice(-2)).toEqual([{ kind: 'region', question: 2, id: 7 }, { kind: 'regions', question: 3, count: 3 }])
    threads[0]?.say({ kind: 'answer', question: 1, answer: { kind: 'region', region: undefined } }) // too late
    threads[0]?.say({ kind: 'answer', question: 3, answer: { kind: 'regions', list: { engine: 'interpreter', regions: undefined } } })
    threads[0]?.say({ kind: 'answer', question: 2, answer: { kind: 'region', region: undefined } })
    expect(await list).toEqual({ engine: 'interpreter', regions: undefined })
    expect(await region).toBeUndefined()
    const ended = vm.stats()
    threads[0]?.say({ kind: 'ended', end: { kind: 'power-off' } })
    expect(await ended).toBeUndefined()
  })
})
