/**
 * Paravirtual network adapter of a Xen guest: the back end of xen/include/public/io/netif.h over a NetBackend. Frames in several pieces, checksums left out, TCP
 * segmentation when the network takes it; one queue, two event channels if the guest wants them.
 */
import { MAX_FRAME_BYTES, type FrameOffload, type NetBackend } from '../../../backends/net/net-backend'
import { fillChecksum } from '../../../backends/net/offload'
import type { BackendChannel } from '../../../paravirt/xen/event-channels'
import type { XenBackendHost } from '../../../paravirt/xen/backend'
import { gpa } from '../../../support/branded'
import type { Timer } from '../../../time/clock'
import type { SavedState } from '../../device'
import { expectSchema } from '../../saved-state'
import { SharedRing, type SharedRingState } from '../shared-ring'
import { XenbusBackend } from '../xenbus-backend'
import { checksumPlace, tcpHeaderBytes } from './frame-checksum'

const PAGE = 0x1000
const TX_BYTES = 12
const RX_BYTES = 8
const MAX_SLOTS = 18
/** Slots looked at before the guest goes on. */
const SLOTS_AT_ONCE = 512

const TX_CHECKSUM_BLANK = 1
const TX_MORE = 4
const TX_EXTRA = 8
const RX_VALIDATED = 1
const RX_CHECKSUM_BLANK = 2
const RX_MORE = 4
const RX_EXTRA = 8
const EXTRA_GSO = 1
const EXTRA_MORE = 1
const GSO_TCP4 = 1
const GSO_TCP6 = 2

const STATUS_ERROR = -1
const STATUS_OK = 0
const STATUS_NULL = 1

export interface XenNetState extends SavedState {
  readonly bus: number
  readonly send: SharedRingState | null
  readonly receive: SharedRingState | null
  readonly sendPort: number
  readonly receivePort: number
}

export interface XenNetOptions {
  readonly index: number
  /** Such as 00:16:3e:12:34:56. */
  readonly mac: string
  readonly backend: NetBackend
}

interface Slot {
  readonly reference: number
  readonly offset: number
  readonly flags: number
  readonly id: number
  readonly size: number
}

interface Packet {
  readonly slots: readonly Slot[]
  readonly extras: number
  readonly segment: { readonly kind: 'tcp4' | 'tcp6'; readonly bytes: number } | undefined
}

export class XenNet extends XenbusBackend<XenNetState> {
  private sendRing: SharedRing | undefined
  private receiveRing: SharedRing | undefined
  private sendChannel: BackendChannel | undefined
  private receiveChannel: BackendChannel | undefined
  private resumeTimer: Timer | undefined
  private readonly frame = new Uint8Array(MAX_FRAME_BYTES)
  private readonly counts = { framesSent: 0, bytesSent: 0, framesReceived: 0, bytesReceived: 0, dropped: 0, errors: 0 }

  constructor(private readonly options: XenNetOptions) {
    super(`xen-net.${options.index}`, { kind: 'vif', id: options.index })
    options.backend.onReceive = (frame, offload): boolean => this.deliver(frame, offload)
    options.backend.onWritable = (): void => this.work()
  }

  override connect(host: XenBackendHost): void {
    super.connect(host)
    this.resumeTimer = host.time.createTimer(this.name, () => this.work())
  }

  protected describe(): ReturnType<XenbusBackend<XenNetState>['describe']> {
    const { index, mac, backend } = this.options
    const segmentation = backend.takes.segmentation ? 1 : 0
    return {
      frontend: { handle: index, mac, mtu: 1500 },
      backend: {
        handle: index, mac, type: 'vif', 'feature-sg': 1, 'feature-gso-tcpv4': segmentation, 'feature-gso-tcpv6': segmentation, 'feature-ipv6-csum-offload': 1,
        'feature-rx-copy': 1, 'feature-rx-flip': 0, 'feature-split-event-channels': 1, 'feature-multicast-control': 0, 'feature-ctrl-ring': 0,
        'multi-queue-max-queues': 1, 'hotplug-status': 'connected',
      },
    }
  }

  protected attach(): boolean {
    if (this.frontNumber('request-rx-copy') !== 1) return false
    const references = [this.frontNumber('tx-ring-ref'), this.frontNumber('rx-ring-ref')] as const
    const single = this.frontNumber('event-channel')
    const [sendPort, receivePort] = [this.frontNumber('event-channel-tx') ?? single, this.frontNumber('event-channel-rx') ?? single]
    if (references[0] === undefined || references[1] === undefined || sendPort === undefined || receivePort === undefined) return false
    this.sendRing = SharedRing.map(this.host, [references[0]], TX_BYTES)
    this.receiveRing = SharedRing.map(this.host, [references[1]], RX_BYTES)
    this.sendChannel = this.host.events.bindBackend(sendPort, () => this.work())
    this.receiveChannel = receivePort === sendPort ? this.sendChannel : this.host.events.bindBackend(receivePort, () => undefined)
    if (this.sendRing && this.receiveRing && this.sendChannel && this.receiveChannel) return true
    this.detach()
    return false
  }

  protected detach(): void {
    this.resumeTimer?.cancel()
    this.sendChannel?.close()
    if (this.receiveChannel !== this.sendChannel) this.receiveChannel?.close()
    this.sendRing?.unmap()
    this.receiveRing?.unmap()
    this.sendRing = this.receiveRing = undefined
    this.sendChannel = this.receiveChannel = undefined
  }

  // ---- from the guest ----------------------------------------------------------------------------------------------------------------

  private work(): void {
    const ring = this.sendRing
    if (!ring) return
    let budget = SLOTS_AT_ONCE
    do {
      for (;;) {
        const { waiting } = ring
        if (waiting === undefined) {
          this.fail('the send ring\'s request producer is out of range')
          return
        }
        if (waiting === 0) break
        if (budget <= 0) {
          this.resumeTimer?.arm(this.host.time.now())
          this.publishSent()
          return
        }
        const packet = parsePacket(ring, waiting)
        if (packet === 'broken') {
          this.fail('a frame in the send ring has too many pieces, or not all of them')
          return
        }
        if (!this.transmit(packet)) {
          // The network has no room: the frame stays in the ring until it has.
          this.publishSent()
          return
        }
        ring.skip(packet.slots.length + packet.extras)
        budget -= packet.slots.length + packet.extras
      }
    } while (!ring.rest())
    this.publishSent()
  }

  /** False: the frame is to be tried again. */
  private transmit(packet: Packet): boolean {
    const bytes = this.gather(packet.slots)
    if (bytes < 0) {
      this.counts.errors++
      this.answer(packet, STATUS_ERROR)
      return true
    }
    const frame = this.frame.subarray(0, bytes)
    const offload = this.offloadOf(frame, packet)
    if (offload === 'bad') {
      this.counts.errors++
      this.answer(packet, STATUS_ERROR)
      return true
    }
    if (!this.options.backend.send(frame, offload)) return false
    this.counts.framesSent++
    this.counts.bytesSent += bytes
    this.answer(packet, STATUS_OK)
    return true
  }

  /** Copies the pieces together: what the guest changes afterwards does not matter. Length, or -1. */
  private gather(slots: readonly Slot[]): number {
    const [first, ...rest] = slots
    const total = first?.size ?? 0
    // The first slot has the whole frame's length, the others their own.
    const firstBytes = total - rest.reduce((sum, { size }) => sum + size, 0)
    if (firstBytes <= 0 || total > this.frame.length) return -1
    let at = 0
    for (const [i, { reference, offset, size }] of slots.entries()) {
      const bytes = i === 0 ? firstBytes : size
      if (offset + bytes > PAGE) return -1
      const page = this.host.grants.map(reference, false)
      if (page === undefined) return -1
      this.host.memory.read(gpa(page + offset), this.frame.subarray(at, at + bytes))
      this.host.grants.unmap(reference, false)
      at += bytes
    }
    return at
  }

  private offloadOf(frame: Uint8Array, { slots, segment }: Packet): FrameOffload | undefined | 'bad' {
    const blank = ((slots[0]?.flags ?? 0) & TX_CHECKSUM_BLANK) !== 0
    if (!blank && !segment) return undefined
    const checksum = checksumPlace(frame)
    if (!checksum) return segment ? 'bad' : undefined
    const { takes } = this.options.backend
    if (!segment) {
      if (takes.checksum) return { checksum }
      return fillChecksum(frame, checksum) ? undefined : 'bad'
    }
    const headerBytes = tcpHeaderBytes(frame, checksum)
    if (headerBytes === undefined || !takes.segmentation || segment.bytes === 0) return 'bad'
    return { checksum, segmentation: { kind: segment.kind, headerBytes, segmentBytes: segment.bytes, ecn: false } }
  }

  private answer({ slots, extras }: Packet, status: number): void {
    const put = (id: number, value: number): void => this.sendRing?.put(Uint8Array.of(id, id >>> 8, value, value >>> 8))
    slots.forEach(({ id }, i) => {
      put(id, status)
      if (i === 0) for (let extra = 0; extra < extras; extra++) put(0, STATUS_NULL)
    })
  }

  private publishSent(): void {
    if (this.sendRing?.publish() === true) this.sendChannel?.notify()
  }

  // ---- for the guest -----------------------------------------------------------------------------------------------------------------

  private deliver(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    const ring = this.receiveRing
    const segmentation = offload?.segmentation
    const kind = segmentation?.kind
    const understood = !segmentation || (kind === 'tcp4' && this.frontNumber('feature-gso-tcpv4') === 1) || (kind === 'tcp6' && this.frontNumber('feature-gso-tcpv6') === 1)
    const pieces = Math.ceil(frame.length / PAGE)
    const waiting = ring?.waiting
    if (!ring || waiting === undefined || !understood || pieces + (segmentation ? 1 : 0) > waiting || (pieces > 1 && this.frontNumber('feature-sg') !== 1)) {
      this.counts.dropped++
      return false
    }
    const request = new Uint8Array(RX_BYTES)
    for (let piece = 0; piece < pieces; piece++) {
      ring.take(request)
      const view = new DataView(request.buffer)
      const bytes = frame.subarray(piece * PAGE, (piece + 1) * PAGE)
      const status = this.fill(view.getUint32(4, true), bytes) ? bytes.length : STATUS_ERROR
      const first = piece === 0
      const flags = (first && offload?.checksum ? RX_CHECKSUM_BLANK | RX_VALIDATED : 0) | (first && segmentation ? RX_EXTRA : 0) | (piece < pieces - 1 ? RX_MORE : 0)
      ring.put(receiveResponse(view.getUint16(0, true), flags, status))
      if (first && segmentation) {
        ring.skip(1)
        ring.put(gsoExtra(segmentation.segmentBytes, kind === 'tcp6' ? GSO_TCP6 : GSO_TCP4))
      }
    }
    this.counts.framesReceived++
    this.counts.bytesReceived += frame.length
    ring.rest()
    if (ring.publish()) this.receiveChannel?.notify()
    return true
  }

  private fill(reference: number, bytes: Uint8Array): boolean {
    const page = this.host.grants.map(reference, true)
    if (page === undefined) {
      this.counts.errors++
      return false
    }
    this.host.memory.write(gpa(page), bytes)
    this.host.grants.unmap(reference, true)
    return true
  }

  figures(): Readonly<Record<string, number>> {
    return { ...this.counts }
  }

  save(): XenNetState {
    return {
      schema: SCHEMA, bus: this.savedBusState, send: this.sendRing?.save() ?? null, receive: this.receiveRing?.save() ?? null,
      sendPort: this.sendChannel?.port ?? 0, receivePort: this.receiveChannel?.port ?? 0,
    }
  }

  load(state: XenNetState): void {
    expectSchema(this.name, state, SCHEMA)
    this.detach()
    if (!this.loadBusState(state.bus)) return
    const { send, receive, sendPort, receivePort } = state
    this.sendRing = send ? SharedRing.restore(this.host, send, TX_BYTES) : undefined
    this.receiveRing = receive ? SharedRing.restore(this.host, receive, RX_BYTES) : undefined
    this.sendChannel = this.host.events.rebindBackend(sendPort, () => this.work())
    this.receiveChannel = receivePort === sendPort ? this.sendChannel : this.host.events.rebindBackend(receivePort, () => undefined)
    if (!this.sendRing || !this.receiveRing || !this.sendChannel || !this.receiveChannel) this.fail('the saved state names rings or channels that are not there')
    else this.resumeTimer?.arm(this.host.time.now())
  }
}

const SCHEMA: SavedState['schema'] = ['xen-net', 1]

/** The next frame, without taking it. 'broken': pieces are missing, or more than a frame may have. */
function parsePacket(ring: SharedRing, waiting: number): Packet | 'broken' {
  const slots: Slot[] = []
  let segment: Packet['segment']
  let at = 0
  let extras = 0
  const bytes = new Uint8Array(TX_BYTES)
  const view = new DataView(bytes.buffer)
  for (let more = true; more; ) {
    if (at >= waiting || slots.length >= MAX_SLOTS) return 'broken'
    ring.peek(at++, bytes)
    const slot = { reference: view.getUint32(0, true), offset: view.getUint16(4, true), flags: view.getUint16(6, true), id: view.getUint16(8, true), size: view.getUint16(10, true) }
    for (let extra = slots.length === 0 && (slot.flags & TX_EXTRA) !== 0; extra; ) {
      if (at >= waiting || extras >= 4) return 'broken'
      ring.peek(at++, bytes)
      extras++
      const type = view.getUint8(4)
      if (view.getUint8(0) === EXTRA_GSO && (type === GSO_TCP4 || type === GSO_TCP6)) segment = { kind: type === GSO_TCP4 ? 'tcp4' : 'tcp6', bytes: view.getUint16(2, true) }
      else if (view.getUint8(0) === EXTRA_GSO) return 'broken'
      extra = (view.getUint8(1) & EXTRA_MORE) !== 0
    }
    slots.push(slot)
    more = (slot.flags & TX_MORE) !== 0
  }
  return { slots, extras, segment }
}

function receiveResponse(id: number, flags: number, status: number): Uint8Array {
  const bytes = new Uint8Array(RX_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, id, true)
  view.setUint16(4, flags, true)
  view.setInt16(6, status, true)
  return bytes
}

function gsoExtra(segmentBytes: number, type: number): Uint8Array {
  const bytes = new Uint8Array(RX_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, EXTRA_GSO)
  view.setUint16(2, segmentBytes, true)
  view.setUint8(4, type)
  return bytes
}
