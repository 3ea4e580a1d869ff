import { describe, expectTypeOf, it, expect } from 'vitest'
import {
  EVENT_NAMES, REQUEST_NAMES, events, requests, ALLOWED_POWER_ACTIONS, ConsoleUp, MAX_REGIONS, MAX_SERIAL_INPUT, MESSAGE_IDS, POWER_ACTIONS, PowerState, Preferences, SerialUp, streams, STREAM_NAMES,
  type EventName, type EventPayload, type PowerStateType, type RegionDescription, type RequestInput, type RequestName, type RequestOutput, type VitrineBridge, type VmCard,
} from './index'

describe('contract', () => {
  it('has a row for every name and a name for every row', () => {
    expect(Object.keys(requests).sort()).toEqual([...REQUEST_NAMES].sort())
    expect(Object.keys(events).sort()).toEqual([...EVENT_NAMES].sort())
    expect(Object.keys(streams).sort()).toEqual([...STREAM_NAMES].sort())
    expectTypeOf<keyof typeof requests>().toEqualTypeOf<RequestName>()
    expectTypeOf<keyof typeof events>().toEqualTypeOf<EventName>()
    expect(new Set([...REQUEST_NAMES, ...EVENT_NAMES]).size).toBe(REQUEST_NAMES.length + EVENT_NAMES.length)
  })

  it('types the client from the rows', () => {
    expectTypeOf<RequestInput<'vm.settings'>>().toEqualTypeOf<{ vm: string }>()
    expectTypeOf<RequestOutput<'app.quit'>>().toEqualTypeOf<undefined>()
    expectTypeOf<Parameters<VitrineBridge['requests']['library.contents']>>().toEqualTypeOf<[]>()
    expectTypeOf<Parameters<VitrineBridge['requests']['vm.log']>>().toEqualTypeOf<[input: { vm: string }]>()
    expectTypeOf<RequestInput<'vm.regions'>>().toEqualTypeOf<{ vm: string; count: number }>()
    expectTypeOf<RequestOutput<'vm.region'>>().toEqualTypeOf<RegionDescription | undefined>()
    expectTypeOf<EventPayload<'vm.changed'>>().toEqualTypeOf<VmCard>()
    expectTypeOf<VmCard['power']['type']>().toEqualTypeOf<PowerStateType>()
  })

  it('says for every power action in which states it may be asked for', () => {
    const types = PowerState.options.map(({ shape }) => shape.type.value)
    expect(Object.keys(ALLOWED_POWER_ACTIONS).sort()).toEqual([...POWER_ACTIONS].sort())
    for (const [action, states] of Object.entries(ALLOWED_POWER_ACTIONS)) for (const state of states) expect(types, action).toContain(state)
    expect(new Set(MESSAGE_IDS).size).toBe(MESSAGE_IDS.length)
  })

  it('has a default for every preference', () => {
    expect(Preferences.parse({})).toMatchObject({ language: 'system', theme: 'system', onQuit: 'ask', terminal: { fontSize: 13 } })
  })

  it('refuses what no page of ours would send', () => {
    const bad = [{ kind: 'key', code: '', pressed: true }, { kind: 'mouse', dx: 1e9, dy: 0, dz: 0, buttons: 0 }, { kind: 'mouse', dx: 0.5, dy: 0, dz: 0, buttons: 0 }, { kind: 'eval' }, null]
    for (const message of bad) expect(ConsoleUp.safeParse(message).success).toBe(false)
    expect(SerialUp.safeParse({ kind: 'input', bytes: new Uint8Array(MAX_SERIAL_INPUT + 1) }).success).toBe(false)
    expect(SerialUp.safeParse({ kind: 'taken', bytes: -1 }).success).toBe(false)
    for (const count of [0, MAX_REGIONS + 1, 1.5, '5', undefined]) expect(requests['vm.regions'].in.safeParse({ vm: 'demo', count }).success, String(count)).toBe(false)
    for (const id of [0, -1, 1.5, NaN, '1', undefined]) expect(requests['vm.region'].in.safeParse({ vm: 'demo', id }).success, String(id)).toBe(false)
    expect(requests['vm.region'].in.safeParse({ vm: 'demo', id: 7 }).success).toBe(true)
  })

  /** For each request some payload that is nearly right. */
  it.each([
    ['vm.power', { vm: 'a', action: 'explode' }],
    ['vm.settings', { vm: 'demo', more: 1 }],
    ['vm.set-cdrom', { vm: 'a', index: -1, connected: true }],
    ['vm.set-cdrom', { vm: 'a', index: 0, connected: true, file: '' }],
    ['vm.add-disk', { vm: 'a', bytes: 511 }],
    ['vm.type-text', { vm: 'a', text: 'x'.repeat(70_000) }],
    ['vm.change-settings', { vm: 'a', patch: { hardware: () => undefined } }],
    ['vm.change-settings', { vm: 'a', patch: [] }],
    ['serial.open', { vm: 'a', port: 4 }],
    ['console.open', { vm: '' }],
    ['library.create', { name: '', newDisks: [] }],
    ['library.create', { name: 'a', newDisks: [{ file: '../x.img', bytes: 512 }] }],
    ['library.create', { name: 'a', newDisks: [{ file: '.x', bytes: 512 }] }],
    ['library.create', { name: 'a', newDisks: Array.from({ length: 5 }, (_, i) => ({ file: `${i}.img`, bytes: 512 })) }],
    ['library.open', { path: '/x', as: 'stolen' }],
    ['library.watch-thumbnails', { vms: Array.from({ length: 201 }, () => 'a') }],
    ['files.choose', { purpose: 'password' }],
    ['files.describe', { path: 'x'.repeat(5000) }],
    ['window.grow-by', { width: Infinity, height: 0 }],
    ['app.quit', { running: 'ask' }],
    ['app.preferences', {}],
    ['window.set-input-grabbed', { grabbed: 'yes' }],
  ] as const)('%s refuses %j', (name, payload) => {
    expect(requests[name].in.safeParse(payload).success).toBe(false)
  })
})
