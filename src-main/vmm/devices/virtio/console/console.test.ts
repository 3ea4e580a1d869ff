import { describe, expect, it } from 'vitest'
import { QueueCharBackend } from '../../../backends/chardev/char-backend'
import type { ConsoleBackend } from '../../../backends/chardev/console-backend'
import { VirtioDriver } from '../../../testing/virtio-driver'
import { VirtioConsole } from './console'
import * as con from './registers'

class TestTerminal extends QueueCharBackend implements ConsoleBackend {
  columns = 80
  rows = 25
  onResized: (() => void) | undefined = undefined
  room = Infinity
  readonly got: number[]

  constructor() {
    const got: number[] = []
    super((byte) => got.push(byte))
    this.got = got
  }

  override write(): boolean {
    throw new Error('replaced')
  }
}

function terminal(): TestTerminal {
  const made = new TestTerminal()
  made.write = ((byte: number): boolean => {
    if (made.got.length >= made.room) return false
    made.got.push(byte)
    return true
  }) as () => boolean
  return made
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const control = (port: number, event: number, value: number): Uint8Array => Uint8Array.of(port, 0, 0, 0, event, 0, value, 0)

function start(count: number, features?: bigint): { driver: VirtioDriver; terminals: TestTerminal[] } {
  const terminals = Array.from({ length: count }, terminal)
  const driver = new VirtioDriver(new VirtioConsole(terminals.map((backend, i) => ({ backend, name: `port${i}` }))))
  expect(driver.start(features)).toBe(true)
  return { driver, terminals }
}

describe('virtio console', () => {
  it('carries bytes both ways', () => {
    const { driver, terminals } = start(1)
    driver.offer(con.QUEUE_TRANSMIT_0, { out: [text('hel'), text('lo')] })
    driver.notify(con.QUEUE_TRANSMIT_0)
    expect(String.fromCharCode(...(terminals[0]?.got ?? []))).toBe('hello')
    expect(driver.used(con.QUEUE_TRANSMIT_0)).toHaveLength(1)
    const placed = driver.offer(con.QUEUE_RECEIVE_0, { room: [4] })
    driver.offer(con.QUEUE_RECEIVE_0, { room: [4] })
    driver.notify(con.QUEUE_RECEIVE_0)
    expect(driver.used(con.QUEUE_RECEIVE_0)).toEqual([])
    terminals[0]?.send(text('typed'))
    expect(driver.used(con.QUEUE_RECEIVE_0).map(({ written }) => written)).toEqual([4, 1])
    expect(driver.read(placed)).toEqual(text('type'))
  })

  it('leaves with the guest what the terminal has no room for, over a saved state too', () => {
    const { driver, terminals } = start(1)
    const [first] = terminals
    if (!first) throw new Error('no terminal')
    first.room = 2
    driver.offer(con.QUEUE_TRANSMIT_0, { out: [text('abcdef')] })
    driver.notify(con.QUEUE_TRANSMIT_0)
    expect(driver.used(con.QUEUE_TRANSMIT_0)).toEqual([])
    const saved = driver.core.save()
    const second = terminal()
    const again = new VirtioDriver(new VirtioConsole([{ backend: second, name: 'port0' }]), driver.memory)
    again.core.load(saved)
    second.onWritable?.()
    expect(String.fromCharCode(...second.got)).toBe('cdef')
    expect(again.used(con.QUEUE_TRANSMIT_0)).toHaveLength(1)
  })

  it('tells of its ports, their names and sizes', () => {
    const { driver, terminals } = start(2)
    const rooms = Array.from({ length: 16 }, () => driver.offer(con.QUEUE_CONTROL_RECEIVE, { room: [32] }))
    const say = (port: number, event: number, value: number): void => {
      driver.offer(con.QUEUE_CONTROL_TRANSMIT, { out: [control(port, event, value)] })
      driver.notify(con.QUEUE_CONTROL_TRANSMIT)
    }
    let heard = 0
    const messages = (): number[][] =>
      driver.used(con.QUEUE_CONTROL_RECEIVE).map(({ written }) => {
        const room = rooms[heard++]
        const bytes = room ? driver.read(room, written) : new Uint8Array(0)
        return [bytes[0] ?? 0, bytes[4] ?? 0, ...bytes.slice(8)]
      })
    say(0, con.DEVICE_READY, 1)
    expect(messages()).toEqual([[0, con.PORT_ADD], [1, con.PORT_ADD]])
    say(1, con.PORT_READY, 1)
    expect(messages()).toEqual([[1, con.CONSOLE_PORT], [1, con.PORT_NAME, ...text('port1\0')], [1, con.PORT_OPEN], [1, con.RESIZE, 80, 0, 25, 0]])
    say(1, con.PORT_OPEN, 1)
    messages()
    const [, second] = terminals
    if (!second) throw new Error('no terminal')
    second.columns = 132
    second.onResized?.()
    expect(messages()).toEqual([[1, con.RESIZE, 132, 0, 25, 0]])
    driver.offer(con.transmitQueue(1), { out: [text('x')] })
    driver.notify(con.transmitQueue(1))
    expect(second.got).toEqual([...text('x')])
  })

  it('has its size in the configuration for a driver of one port', () => {
    const { driver, terminals } = start(1, con.F_SIZE)
    const [first] = terminals
    if (!first) throw new Error('no terminal')
    expect(driver.core.configRead(con.CFG_COLUMNS, 2)).toBe(80)
    first.columns = 100
    first.onResized?.()
    expect(driver.core.configRead(con.CFG_COLUMNS, 2)).toBe(100)
    expect(driver.interrupts).toContain('config')
  })

  it('bears messages about ports that there are none of, and a guest that takes none', () => {
    const { driver } = start(1)
    for (let i = 0; i < 300; i++) {
      driver.offer(con.QUEUE_CONTROL_TRANSMIT, { out: [control(i % 3 === 0 ? 0 : 250, i % 8, 1)] })
      driver.notify(con.QUEUE_CONTROL_TRANSMIT)
    }
    expect(driver.failed).toBe(false)
    expect(driver.core.save().device).toMatchObject({ messages: { length: 64 } })
  })
})
