/** One port of a console device: bytes both ways, with what the back end has no room for left with the guest. */
import { BREAK } from '../../../backends/chardev/char-backend'
import type { ConsoleBackend } from '../../../backends/chardev/console-backend'
import type { GuestMemory } from '../../../memory/guest-memory'
import { readBuffers, writeBuffers } from '../guest-buffers'
import type { DescriptorChain, Virtqueue } from '../virtqueue/virtqueue'

/** Bytes moved at one go: a guest that fills its buffers holds the machine's thread no longer. The rest goes on when the back end asks. */
const PORTION = 0x10000

export interface PortState {
  /** Head of the chain that is being written to the back end, and how much of it is through; null: none. */
  readonly transmitting: { readonly head: number; readonly done: number } | null
  readonly guestOpen: boolean
}

export interface PortQueues {
  readonly memory: GuestMemory
  readonly receive: Virtqueue
  readonly transmit: Virtqueue
}

export class ConsolePort {
  /** With several ports, the guest says whether somebody there listens. */
  guestOpen = false
  private queues: PortQueues | undefined
  private transmitting: { readonly chain: DescriptorChain; done: number } | undefined
  /** Saved heads are taken again when the queues are there. */
  private toResume: PortState['transmitting'] = null

  constructor(
    readonly backend: ConsoleBackend,
    onResized: () => void,
  ) {
    backend.onReadable = () => this.receive()
    backend.onWritable = () => this.transmit()
    backend.onResized = onResized
  }

  connect(queues: PortQueues): void {
    this.queues = queues
  }

  reset(): void {
    this.guestOpen = false
    this.transmitting = undefined
    this.toResume = null
  }

  /** From the back end to the guest, as far as it offers buffers. */
  receive(): void {
    const { queues, backend } = this
    if (!queues) return
    for (;;) {
      const chain = queues.receive.pop()
      if (!chain) break
      const bytes = takeBytes(backend, Math.min(chain.writableBytes, PORTION))
      if (bytes.length === 0 && chain.writableBytes > 0) {
        queues.receive.unpop()
        break
      }
      queues.receive.push(chain, writeBuffers(queues.memory, chain.writable, bytes))
    }
    queues.receive.signal()
  }

  /** From the guest to the back end, as far as it has room. */
  transmit(): void {
    const { queues } = this
    if (!queues) return
    this.resume(queues)
    for (;;) {
      const chain = this.transmitting?.chain ?? queues.transmit.pop()
      if (!chain) break
      this.transmitting ??= { chain, done: 0 }
      if (!this.writeOut(queues.memory, this.transmitting)) break
      queues.transmit.push(chain, 0)
      this.transmitting = undefined
    }
    queues.transmit.signal()
  }

  /** True when all of it is through. */
  private writeOut(memory: GuestMemory, transmitting: { readonly chain: DescriptorChain; done: number }): boolean {
    const { chain } = transmitting
    while (transmitting.done < chain.readableBytes) {
      const bytes = readBuffers(memory, chain.readable, Math.min(chain.readableBytes - transmitting.done, PORTION), transmitting.done)
      // Memory with holes in it gives nothing: such a chain is through.
      if (bytes.length === 0) return true
      for (const byte of bytes) {
        if (!this.backend.write(byte)) return false
        transmitting.done++
      }
    }
    return true
  }

  private resume({ transmit }: PortQueues): void {
    if (!this.toResume || this.transmitting) return
    const { head, done } = this.toResume
    this.toResume = null
    const chain = transmit.resume(head)
    if (chain) this.transmitting = { chain, done }
  }

  save(): PortState {
    const { transmitting, guestOpen, toResume } = this
    return { transmitting: transmitting ? { head: transmitting.chain.head, done: transmitting.done } : toResume, guestOpen }
  }

  load(state: PortState): void {
    this.transmitting = undefined
    this.toResume = state.transmitting
    this.guestOpen = state.guestOpen
  }
}

/** A break condition has no meaning here. */
function takeBytes(backend: ConsoleBackend, most: number): Uint8Array {
  const bytes: number[] = []
  while (bytes.length < most) {
    const byte = backend.read()
    if (byte === undefined) break
    if (byte !== BREAK) bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}
