/**
 * A network with one other machine on it, whose every address answers, and who sends each packet back with the addresses exchanged: a guest that
 * connects to any address of the network finds itself there. For trying adapters and their offloads without a network.
 */
import { get16 } from './checksum'
import type { FrameOffload, NetBackend } from './net-backend'

const TYPE_ARP = 0x0806
const TYPE_IPV4 = 0x0800
const TYPE_IPV6 = 0x86dd
const ETHERNET_BYTES = 14
const ARP_BYTES = 28
const ARP_REQUEST = 1
const ARP_REPLY = 2
const MIRROR_MAC = [0x52, 0x54, 0x00, 0x12, 0x35, 0x02] as const
/** Frames under way; more are lost, as on any network. */
const MAX_QUEUED = 512

export class MirrorNet implements NetBackend {
  readonly takes = { checksum: true, segmentation: true }
  readonly linkUp = true
  onReceive: ((frame: Uint8Array, offload: FrameOffload | undefined) => boolean) | undefined = undefined
  onWritable: (() => void) | undefined = undefined
  onLinkChanged: (() => void) | undefined = undefined
  private readonly queue: { readonly frame: Uint8Array; readonly offload: FrameOffload | undefined }[] = []

  /** `later`: runs work between two slices. */
  constructor(private readonly later: (work: () => void) => void) {}

  send(frame: Uint8Array, offload: FrameOffload | undefined): boolean {
    const answer = mirrored(frame)
    if (!answer || this.queue.length >= MAX_QUEUED) return true
    this.queue.push({ frame: answer, offload })
    if (this.queue.length === 1) this.later(() => this.deliver())
    return true
  }

  private deliver(): void {
    for (const { frame, offload } of this.queue.splice(0)) this.onReceive?.(frame, offload)
  }

  close(): Promise<void> {
    this.queue.length = 0
    return Promise.resolve()
  }
}

/** undefined: nothing comes back. */
function mirrored(frame: Uint8Array): Uint8Array | undefined {
  if (frame.length < ETHERNET_BYTES) return undefined
  const answer = frame.slice()
  const isMulticast = ((frame[0] ?? 0) & 1) !== 0
  const type = get16(frame, 12)
  if (type === TYPE_ARP) return arpReply(answer)
  // Neighbour discovery and other multicasts would only confuse a guest that hears itself.
  if (isMulticast) return undefined
  exchange(answer, 0, 6, 6)
  if (type === TYPE_IPV4 && frame.length >= ETHERNET_BYTES + 20) exchange(answer, ETHERNET_BYTES + 12, ETHERNET_BYTES + 16, 4)
  else if (type === TYPE_IPV6 && frame.length >= ETHERNET_BYTES + 40) exchange(answer, ETHERNET_BYTES + 8, ETHERNET_BYTES + 24, 16)
  return answer
}

/** RFC 826. Probes and announcements, whose sender asks for its own address, find nobody. */
function arpReply(frame: Uint8Array): Uint8Array | undefined {
  const arp = ETHERNET_BYTES
  if (frame.length < arp + ARP_BYTES || get16(frame, arp + 6) !== ARP_REQUEST) return undefined
  const sender = frame.slice(arp + 14, arp + 18)
  const target = frame.slice(arp + 24, arp + 28)
  if (sender.every((byte) => byte === 0) || sender.every((byte, i) => byte === target[i])) return undefined
  frame.copyWithin(0, 6, 12)
  frame.set(MIRROR_MAC, 6)
  frame[arp + 7] = ARP_REPLY
  frame.copyWithin(arp + 18, arp + 8, arp + 14)
  frame.set(sender, arp + 24)
  frame.set(MIRROR_MAC, arp + 8)
  frame.set(target, arp + 14)
  return frame
}

function exchange(bytes: Uint8Array, a: number, b: number, length: number): void {
  const first = bytes.slice(a, a + length)
  bytes.copyWithin(a, b, b + length)
  bytes.set(first, b)
}
