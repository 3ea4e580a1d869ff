import { describe, expectTypeOf, it, expect } from 'vitest'
import { EVENT_NAMES, REQUEST_NAMES, events, requests, ConsoleUp, SerialUp, MAX_SERIAL_INPUT, type EventName, type RequestInput, type RequestName, type RequestOutput, type VitrineBridge, type VmState } from './index'

describe('contract', () => {
  it('has a row for every name and a name for every row', () => {
    expect(Object.keys(requests).sort()).toEqual([...REQUEST_NAMES].sort())
    expect(Object.keys(events).sort()).toEqual([...EVENT_NAMES].sort())
    expectTypeOf<keyof typeof requests>().toEqualTypeOf<RequestName>()
    expectTypeOf<keyof typeof events>().toEqualTypeOf<EventName>()
  })

  it('types the client from the rows', () => {
    expectTypeOf<RequestInput<'vm.pause'>>().toEqualTypeOf<{ vm: string }>()
    expectTypeOf<RequestOutput<'vm.pause'>>().toEqualTypeOf<undefined>()
    expectTypeOf<Parameters<VitrineBridge['requests']['vm.describe']>>().toEqualTypeOf<[]>()
    expectTypeOf<Parameters<VitrineBridge['requests']['vm.reset']>>().toEqualTypeOf<[input: { vm: string }]>()
    expectTypeOf<VmState['type']>().toEqualTypeOf<'stopped' | 'starting' | 'running' | 'paused' | 'failed'>()
  })

  it('refuses what no page of ours would send', () => {
    const bad = [{ kind: 'key', code: '', pressed: true }, { kind: 'mouse', dx: 1e9, dy: 0, dz: 0, buttons: 0 }, { kind: 'mouse', dx: 0.5, dy: 0, dz: 0, buttons: 0 }, { kind: 'eval' }, null]
    for (const message of bad) expect(ConsoleUp.safeParse(message).success).toBe(false)
    expect(SerialUp.safeParse({ kind: 'input', bytes: new Uint8Array(MAX_SERIAL_INPUT + 1) }).success).toBe(false)
    expect(SerialUp.safeParse({ kind: 'taken', bytes: -1 }).success).toBe(false)
    expect(requests['vm.reset'].in.safeParse({ vm: 'demo', more: 1 }).success).toBe(false)
  })
})
