/** Console device with several ports, each a terminal. OASIS VIRTIO 1.2, 5.3. */
import type { ConsoleBackend } from '../../../backends/chardev/console-backend'
import type { IoFault, SavedState, Width } from '../../device'
import { expectSchema } from '../../saved-state'
import { ConfigSpace } from '../config-space'
import { readBuffers, writeBuffers } from '../guest-buffers'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import { ConsolePort, type PortState } from './port'
import * as con from './registers'

const DATA_QUEUE_SIZE = 256
const CONTROL_QUEUE_SIZE = 64
export const MAX_CONSOLE_PORTS = 8
/** Messages for a guest that gives no buffers; a hostile one cannot make them more. */
const MAX_MESSAGES = 64

export interface VirtioConsoleState extends SavedState {
  readonly schema: readonly ['virtio-console', 1]
  readonly multiport: boolean
  readonly ports: readonly PortState[]
  readonly messages: readonly Uint8Array[]
}

export interface PortSetup {
  readonly backend: ConsoleBackend
  /** The guest finds it by this name (/dev/virtio-ports). */
  readonly name: string
}

export class VirtioConsole implements VirtioDevice<VirtioConsoleState> {
  readonly name: string = 'virtio-console.0'
  readonly type = 3
  readonly pciClass = 0x078000
  readonly features: bigint = con.F_SIZE | con.F_MULTIPORT | con.F_EMERG_WRITE
  readonly queueSizes: readonly number[]
  readonly configBytes: number = con.CONFIG_BYTES
  private readonly config = new ConfigSpace(con.CONFIG_BYTES)
  private readonly ports: readonly ConsolePort[]
  private host: VirtioHost | undefined

  // volatile state (with that of the ports)
  private multiport = false
  private messages: Uint8Array[] = []

  /** 1 to MAX_CONSOLE_PORTS ports. */
  constructor(private readonly setups: readonly PortSetup[]) {
    this.ports = setups.map(({ backend }, port) => new ConsolePort(backend, () => this.resized(port)))
    this.queueSizes = [DATA_QUEUE_SIZE, DATA_QUEUE_SIZE, CONTROL_QUEUE_SIZE, CONTROL_QUEUE_SIZE, ...setups.slice(1).flatMap(() => [DATA_QUEUE_SIZE, DATA_QUEUE_SIZE])]
    this.describe()
  }

  connect(host: VirtioHost): void {
    this.host = host
    const { memory } = host
    this.ports.forEach((port, i) => port.connect({ memory, receive: host.queue(con.receiveQueue(i)), transmit: host.queue(con.transmitQueue(i)) }))
  }

  private describe(): void {
    const [first] = this.setups
    this.config.set16(con.CFG_COLUMNS, first?.backend.columns ?? 0)
    this.config.set16(con.CFG_ROWS, first?.backend.rows ?? 0)
    this.config.set32(con.CFG_MAX_PORTS, this.setups.length)
  }

  configRead(offset: number, width: Width): number | IoFault {
    return this.config.read(offset, width)
  }

  /** A byte for the first port, before there are queues (5.3.4). */
  configWrite(offset: number, width: Width, value: number): IoFault | undefined {
    if (offset === con.CFG_EMERGENCY_WRITE && width === 4) this.setups[0]?.backend.write(value & 0xff)
    return undefined
  }

  activate(features: bigint): void {
    this.multiport = (features & con.F_MULTIPORT) !== 0n
    this.describe()
  }

  reset(): void {
    this.multiport = false
    this.messages = []
    for (const port of this.ports) port.reset()
    this.describe()
  }

  queueNotified(index: number): void {
    if (index === con.QUEUE_CONTROL_RECEIVE) return this.sendMessages()
    if (index === con.QUEUE_CONTROL_TRANSMIT) return this.takeMessages()
    const port = this.ports[index < con.QUEUE_CONTROL_RECEIVE ? 0 : Math.floor(index / 2) - 1]
    if (index % 2 === 0) port?.receive()
    else port?.transmit()
  }

  private resized(port: number): void {
    if (port === 0) this.describe()
    if (this.multiport && this.ports[port]?.guestOpen === true) this.tellSize(port)
    if (port === 0) this.host?.configChanged()
  }

  // ---- control messages: 5.3.6.2 -----------------------------------------------------------------------------------------------------

  private takeMessages(): void {
    const { host } = this
    if (!host) return
    const queue = host.queue(con.QUEUE_CONTROL_TRANSMIT)
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      const bytes = readBuffers(host.memory, chain.readable, Math.min(chain.readableBytes, con.CONTROL_BYTES))
      queue.push(chain, 0)
      if (bytes.length === con.CONTROL_BYTES) this.heard(new DataView(bytes.buffer))
    }
    queue.signal()
  }

  private heard(message: DataView): void {
    const id = message.getUint32(0, true)
    const value = message.getUint16(6, true)
    const port = this.ports[id]
    switch (message.getUint16(4, true)) {
      case con.DEVICE_READY:
        if (value === 1) this.ports.forEach((_, i) => this.tell(i, con.PORT_ADD, 1))
        return
      case con.PORT_READY:
        if (!port || value !== 1) return
        this.tell(id, con.CONSOLE_PORT, 1)
        this.tell(id, con.PORT_NAME, 1, new TextEncoder().encode(`${this.setups[id]?.name ?? ''}\0`))
        this.tell(id, con.PORT_OPEN, 1)
        this.tellSize(id)
        return
      case con.PORT_OPEN:
        if (!port) return
        port.guestOpen = value === 1
        if (port.guestOpen) this.tellSize(id)
        port.receive()
        return
      default:
    }
  }

  private tellSize(port: number): void {
    const backend = this.setups[port]?.backend
    if (!backend || backend.columns === 0) return
    // Columns first (5.3.6.2). Linux before 2025 takes them for rows.
    const size = new Uint8Array(4)
    const view = new DataView(size.buffer)
    view.setUint16(0, backend.columns, true)
    view.setUint16(2, backend.rows, true)
    this.tell(port, con.RESIZE, 0, size)
  }

  private tell(port: number, event: number, value: number, extra: Uint8Array = new Uint8Array(0)): void {
    if (this.messages.length >= MAX_MESSAGES) return
    const message = new Uint8Array(con.CONTROL_BYTES + extra.length)
    const view = new DataView(message.buffer)
    view.setUint32(0, port, true)
    view.setUint16(4, event, true)
    view.setUint16(6, value, true)
    message.set(extra, con.CONTROL_BYTES)
    this.messages.push(message)
    this.sendMessages()
  }

  private sendMessages(): void {
    const { host } = this
    if (!host) return
    const queue = host.queue(con.QUEUE_CONTROL_RECEIVE)
    while (this.messages.length > 0) {
      const chain = queue.pop()
      if (!chain) break
      const message = this.messages.shift()
      if (message) queue.push(chain, writeBuffers(host.memory, chain.writable, message))
    }
    queue.signal()
  }

  // ---- state ---------------------------------------------------------------------------------------------------------------------------

  save(): VirtioConsoleState {
    return { schema: ['virtio-console', 1], multiport: this.multiport, ports: this.ports.map((port) => port.save()), messages: [...this.messages] }
  }

  load(state: VirtioConsoleState): void {
    expectSchema(this.name, state, ['virtio-console', 1])
    this.multiport = state.multiport
    state.ports.forEach((saved, i) => this.ports[i]?.load(saved))
    this.messages = [...state.messages]
    this.describe()
  }
}
