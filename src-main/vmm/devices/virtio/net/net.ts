/** Network device with checksum and segmentation offload and mergeable buffers. OASIS VIRTIO 1.2, 5.1. */
import { MAX_FRAME_BYTES, type FrameOffload, type NetBackend } from '../../../backends/net/net-backend'
import { complete } from '../../../backends/net/offload'
import type { IoFault, SavedState, Width } from '../../device'
import { expectSchema } from '../../saved-state'
import { ConfigSpace } from '../config-space'
import { readBuffers, writeBuffers } from '../guest-buffers'
import type { VirtioDevice, VirtioHost } from '../virtio-device'
import type { DescriptorChain } from '../virtqueue/virtqueue'
import { buildHeader, parseHeader } from './packet-header'
import { ReceiveFilter, type FilterState } from './receive-filter'
import * as net from './registers'

const DATA_QUEUE_SIZE = 256
const CONTROL_QUEUE_SIZE = 64
const ETHERNET_BYTES = 14
/** Of a control command: a table of addresses. */
const MAX_CONTROL_BYTES = 0x2000
/** A frame may take so many mergeable buffers (65 KiB in pieces of 256 bytes). */
const MAX_MERGED = 260

export interface VirtioNetState extends SavedState {
  readonly schema: readonly ['virtio-net', 1]
  readonly features: readonly [number, number]
  readonly filter: FilterState
  readonly sent: number
  readonly received: number
  readonly lost: number
}

export interface VirtioNetOptions {
  readonly index: number
  /** Six bytes, as text with colons in lower case. */
  readonly mac: string
}

/** For the statistics. */
export interface NetFigures {
  readonly name: string
  readonly sentFrames: number
  readonly receivedFrames: number
  /** Frames for the guest that it had no room for. */
  readonly lostFrames: number
}

export class VirtioNet implements VirtioDevice<VirtioNetState> {
  readonly name: string
  readonly type = 1
  readonly pciClass = 0x020000
  readonly features: bigint =
    net.F_CSUM | net.F_GUEST_CSUM | net.F_MAC | net.F_GUEST_TSO4 | net.F_GUEST_TSO6 | net.F_GUEST_ECN | net.F_HOST_TSO4 | net.F_HOST_TSO6 | net.F_HOST_ECN | net.F_MRG_RXBUF | net.F_STATUS | net.F_CTRL_VQ | net.F_CTRL_RX
  readonly queueSizes: readonly number[] = [DATA_QUEUE_SIZE, DATA_QUEUE_SIZE, CONTROL_QUEUE_SIZE]
  readonly configBytes: number = net.CONFIG_BYTES
  private readonly config = new ConfigSpace(net.CONFIG_BYTES)
  private readonly filter: ReceiveFilter
  private host: VirtioHost | undefined

  // volatile state (with the filter's)
  private agreed = 0n
  private sent = 0
  private received = 0
  private lost = 0

  constructor(
    private readonly backend: NetBackend,
    { index, mac }: VirtioNetOptions,
  ) {
    this.name = `virtio-net.${index}`
    this.filter = new ReceiveFilter(mac)
    mac.split(':').forEach((byte, i) => this.config.set8(net.CFG_MAC + i, parseInt(byte, 16)))
    this.showLink()
    backend.onReceive = (frame, offload) => this.receive(frame, offload)
    backend.onWritable = () => this.transmit()
    backend.onLinkChanged = () => {
      this.showLink()
      this.host?.configChanged()
    }
  }

  private showLink(): void {
    this.config.set16(net.CFG_STATUS, this.backend.linkUp ? net.STATUS_LINK_UP : 0)
  }

  get figures(): NetFigures {
    return { name: this.name, sentFrames: this.sent, receivedFrames: this.received, lostFrames: this.lost }
  }

  connect(host: VirtioHost): void {
    this.host = host
  }

  configRead(offset: number, width: Width): number | IoFault {
    return this.config.read(offset, width)
  }

  configWrite(): IoFault | undefined {
    return undefined
  }

  activate(features: bigint): void {
    this.agreed = features
  }

  reset(): void {
    this.agreed = 0n
    this.filter.reset()
  }

  queueNotified(index: number): void {
    if (index === net.QUEUE_TRANSMIT) this.transmit()
    else if (index === net.QUEUE_CONTROL) this.control()
  }

  private has(feature: bigint): boolean {
    return (this.agreed & feature) !== 0n
  }

  // ---- from the guest ----------------------------------------------------------------------------------------------------------------

  private transmit(): void {
    const { host } = this
    if (!host) return
    const queue = host.queue(net.QUEUE_TRANSMIT)
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      if (!this.send(host, chain)) {
        queue.unpop()
        break
      }
      queue.push(chain, 0)
    }
    queue.signal()
  }

  /** False: the back end has no room now. What is no frame is dropped. */
  private send(host: VirtioHost, chain: DescriptorChain): boolean {
    const bytes = chain.readableBytes - net.HEADER_BYTES
    if (bytes < ETHERNET_BYTES || bytes > MAX_FRAME_BYTES) return true
    const packet = readBuffers(host.memory, chain.readable, chain.readableBytes)
    const frame = packet.subarray(net.HEADER_BYTES)
    const offload = parseHeader(packet)
    const { takes } = this.backend
    const leaves = (offload?.segmentation !== undefined && !takes.segmentation) || (offload?.checksum !== undefined && !takes.checksum)
    if (!leaves) {
      if (!this.backend.send(frame, offload)) return false
      this.sent++
      return true
    }
    // A frame of several pieces goes whole or is lost in part: TCP sends again what is missing.
    for (const piece of offload ? complete(frame, offload) : []) if (this.backend.send(piece, undefined)) this.sent++
    return true
  }

  // ---- to the guest ------------------------------------------------------------------------------------------------------------------

  private receive(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    if (!this.host?.queue(net.QUEUE_RECEIVE).ready || frame.length > MAX_FRAME_BYTES || !this.filter.passes(frame)) return false
    let taken = true
    for (const { bytes, left } of this.forGuest(frame, offload)) taken = this.place(this.host, bytes, left) && taken
    this.host.queue(net.QUEUE_RECEIVE).signal()
    return taken
  }

  /** What the guest did not offer to do is done here. */
  private forGuest(frame: Uint8Array, offload: FrameOffload | undefined): readonly { readonly bytes: Uint8Array; readonly left: FrameOffload | undefined }[] {
    const { checksum, segmentation } = offload ?? {}
    const long = segmentation?.kind === 'tcp4' ? net.F_GUEST_TSO4 : net.F_GUEST_TSO6
    const cuts = segmentation !== undefined && (!this.has(long) || segmentation.kind === 'udp' || (segmentation.ecn && !this.has(net.F_GUEST_ECN)))
    const sums = checksum !== undefined && !this.has(net.F_GUEST_CSUM)
    if (!offload || (!cuts && !sums)) return [{ bytes: frame, left: offload }]
    return complete(frame, offload).map((bytes) => ({ bytes, left: undefined }))
  }

  private place(host: VirtioHost, frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    const queue = host.queue(net.QUEUE_RECEIVE)
    const needed = net.HEADER_BYTES + frame.length
    const most = this.has(net.F_MRG_RXBUF) ? MAX_MERGED : 1
    const chains: DescriptorChain[] = []
    let room = 0
    while (room < needed && chains.length < most) {
      const chain = queue.pop()
      if (!chain) break
      chains.push(chain)
      room += chain.writableBytes
    }
    if (room < needed) {
      for (const _ of chains) queue.unpop()
      this.lost++
      return false
    }
    const packet = new Uint8Array(needed)
    packet.set(buildHeader(offload, chains.length))
    packet.set(frame, net.HEADER_BYTES)
    let at = 0
    for (const chain of chains) {
      const bytes = Math.min(chain.writableBytes, needed - at)
      writeBuffers(host.memory, chain.writable, packet.subarray(at, at + bytes))
      queue.push(chain, bytes)
      at += bytes
    }
    this.received++
    return true
  }

  // ---- control: 5.1.6.5 --------------------------------------------------------------------------------------------------------------

  private control(): void {
    const { host } = this
    if (!host) return
    const queue = host.queue(net.QUEUE_CONTROL)
    for (let chain = queue.pop(); chain; chain = queue.pop()) {
      const bytes = readBuffers(host.memory, chain.readable, Math.min(chain.readableBytes, MAX_CONTROL_BYTES))
      const done = bytes.length >= 2 && this.filter.command(bytes[0] ?? 0, bytes[1] ?? 0, bytes.subarray(2))
      queue.push(chain, writeBuffers(host.memory, chain.writable, Uint8Array.of(done ? net.CTRL_OK : net.CTRL_ERR)))
    }
    queue.signal()
  }

  // ---- state ---------------------------------------------------------------------------------------------------------------------------

  save(): VirtioNetState {
    const { agreed, sent, received, lost } = this
    return { schema: ['virtio-net', 1], features: [Number(agreed & 0xffffffffn), Number(agreed >> 32n)], filter: this.filter.save(), sent, received, lost }
  }

  load(state: VirtioNetState): void {
    expectSchema(this.name, state, ['virtio-net', 1])
    this.agreed = BigInt(state.features[0]) | (BigInt(state.features[1]) << 32n)
    this.filter.load(state.filter)
    this.sent = state.sent
    this.received = state.received
    this.lost = state.lost
    this.showLink()
  }
}
