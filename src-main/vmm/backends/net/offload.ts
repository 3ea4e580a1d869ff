/** Work that an adapter's guest left undone, done in software: checksums, and cutting segments to the size of the link. RFC 9293, 8200, 791; VIRTIO 1.2, 5.1.6.2. */
import { addWords, finishSum, get16, put16 } from './checksum'
import type { FrameOffload } from './net-backend'

const ETHERNET_BYTES = 14
const VLAN_BYTES = 4
const TYPE_VLAN = 0x8100
const TYPE_IPV4 = 0x0800
const TYPE_IPV6 = 0x86dd
const PROTOCOL_TCP = 6
const TCP_FIN_PSH = 0x09
const TCP_CWR = 0x80
const TCP_MIN_BYTES = 20

/** The frame with its checksum filled in (in place); false: the fields lie outside of the frame, which nobody should send on. */
export function fillChecksum(frame: Uint8Array, { start, offset }: { readonly start: number; readonly offset: number }): boolean {
  const at = start + offset
  if (start < ETHERNET_BYTES || at + 2 > frame.length) return false
  // The field holds the pseudo-header's sum, so adding all from `start` on completes it.
  const sum = finishSum(addWords(0, frame, start))
  put16(frame, at, sum === 0 ? 0xffff : sum)
  return true
}

interface TcpFrame {
  readonly isIpv4: boolean
  readonly ip: number
  readonly tcp: number
  readonly payload: number
}

/** Where the headers are, by what they say themselves: the guest's hints are only hints. */
function parseTcp(frame: Uint8Array): TcpFrame | undefined {
  let ip = ETHERNET_BYTES
  let type = get16(frame, ip - 2)
  if (type === TYPE_VLAN) {
    type = get16(frame, ip + 2)
    ip += VLAN_BYTES
  }
  if (type !== TYPE_IPV4 && type !== TYPE_IPV6) return undefined
  const isIpv4 = type === TYPE_IPV4
  const ipBytes = isIpv4 ? ((frame[ip] ?? 0) & 0xf) * 4 : 40
  if (ipBytes < 20 || frame[ip + (isIpv4 ? 9 : 6)] !== PROTOCOL_TCP) return undefined
  const tcp = ip + ipBytes
  const tcpBytes = ((frame[tcp + 12] ?? 0) >> 4) * 4
  const payload = tcp + tcpBytes
  if (tcpBytes < TCP_MIN_BYTES || payload > frame.length) return undefined
  return { isIpv4, ip, tcp, payload }
}

const MIN_SEGMENT = 64
const MAX_FRAMES = 1100

/**
 * Cuts a long TCP segment into frames with at most `segmentBytes` of payload each, with all their checksums; [] when the frame is not what the
 * guest says.
 */
export function segmentTcp(frame: Uint8Array, segmentBytes: number): readonly Uint8Array[] {
  const parsed = parseTcp(frame)
  const size = Math.max(segmentBytes, MIN_SEGMENT)
  if (!parsed || Math.ceil((frame.length - parsed.payload) / size) > MAX_FRAMES) return []
  const { ip, tcp, payload, isIpv4 } = parsed
  const identification = get16(frame, ip + 4)
  const sequence = new DataView(frame.buffer, frame.byteOffset).getUint32(tcp + 4)
  const flags = frame[tcp + 13] ?? 0
  const frames: Uint8Array[] = []
  for (let at = payload; at < frame.length || frames.length === 0; at += size) {
    const end = Math.min(at + size, frame.length)
    const isFirst = at === payload
    const isLast = end === frame.length
    const piece = new Uint8Array(payload + end - at)
    piece.set(frame.subarray(0, payload))
    piece.set(frame.subarray(at, end), payload)
    new DataView(piece.buffer).setUint32(tcp + 4, (sequence + at - payload) >>> 0)
    piece[tcp + 13] = flags & (isLast ? 0xff : ~TCP_FIN_PSH) & (isFirst ? 0xff : ~TCP_CWR)
    if (isIpv4) finishIpv4(piece, ip, tcp, (identification + frames.length) & 0xffff)
    else put16(piece, ip + 4, piece.length - ip - 40)
    fillTcpChecksum(piece, parsed)
    frames.push(piece)
  }
  return frames
}

function finishIpv4(frame: Uint8Array, ip: number, end: number, identification: number): void {
  put16(frame, ip + 2, frame.length - ip)
  put16(frame, ip + 4, identification)
  put16(frame, ip + 10, 0)
  put16(frame, ip + 10, finishSum(addWords(0, frame, ip, end)))
}

function fillTcpChecksum(frame: Uint8Array, { isIpv4, ip, tcp }: TcpFrame): void {
  const addresses = isIpv4 ? [ip + 12, ip + 20] : [ip + 8, ip + 40]
  put16(frame, tcp + 16, 0)
  const pseudo = addWords(PROTOCOL_TCP + frame.length - tcp, frame, addresses[0], addresses[1])
  put16(frame, tcp + 16, finishSum(addWords(pseudo, frame, tcp)))
}

/** What goes on the wire for a frame with work undone; [] when it makes no sense. */
export function complete(frame: Uint8Array, { checksum, segmentation }: FrameOffload): readonly Uint8Array[] {
  if (segmentation) return segmentation.kind === 'udp' ? [] : segmentTcp(frame, segmentation.segmentBytes)
  if (!checksum) return [frame]
  const whole = frame.slice()
  return fillChecksum(whole, checksum) ? [whole] : []
}
