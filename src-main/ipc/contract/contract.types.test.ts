import { describe, expectTypeOf, it, expect } from 'vitest'
import { EVENT_NAMES, REQUEST_NAMES, events, requests, ConsoleUp, SerialUp, MAX_REGIONS, MAX_SERIAL_INPUT, type EventName, type RegionDescription, type RequestInput, type RequestName, type RequestOutput, type VitrineBridge, type VmState } from './index'

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
    expectTypeOf<RequestInput<'vm.regions'>>().toEqualTypeOf<{ vm: string; count: number }>()
    expectTypeOf<RequestOutput<'vm.region'>>().toEqualTypeOf<RegionDescription | undefined>()
    expectTypeOf<VmState['type']>().toEqualTypeOf<'stopped' | 'starting' | 'running' | 'paused' | 'failed'>()
  })

  it('refuses what no page of ours would send', () => {
    const bad = [{ kind: 'key', code: '', pressed: true }, { kind: 'mouse', dx: 1e9, dy: 0, dz: 0, buttons: 0 }, { kind: 'mouse', dx: 0.5, dy: 0, dz: 0, buttons: 0 }, { kind: 'eval' }, null]
    for (const message of bad) expect(ConsoleUp.safeParse(message).success).toBe(false)
    expect(SerialUp.safeParse({ kind: 'input', bytes: new Uint8Array(MAX_SERIAL_INPUT + 1) }).success).toBe(false)
    expect(SerialUp.safeParse({ kind: 'taken', bytes: -1 }).success).toBe(false)
    expect(requests['vm.reset'].in.safeParse({ vm: 'demo', more: 1 }).success).toBe(false)
    for (const count of [0, MAX_REGIONS + 1, 1.5, '5', undefined]) expect(requests['vm.regions'].in.safeParse({ vm: 'demo', count }).success, String(count)).toBe(false)
    for (const id of [0, -1, 1.5, NaN, '1', undefined]) expect(requests['vm.region'].in.safeParse({ vm: 'demo', id }).success, String(id)).toBe(false)
    expect(requests['vm.region'].in.safeParse({ vm: 'demo', id: 7 }).success).toBe(true)
  })
})
