/** Where a frame's transport checksum is, for guests that leave it out and do not say (RFC 9293, 3.1; RFC 768; RFC 791; RFC 8200). */
const ETHERNET = 14
const VLAN = 0x8100
const IPV4 = 0x0800
const IPV6 = 0x86dd
const TCP = 6
const UDP = 17
const CHECKSUM_OFFSETS: Readonly<Record<number, number>> = { [TCP]: 16, [UDP]: 6 }

export interface ChecksumPlace {
  /** Of the transport header, in the frame. */
  readonly start: number
  /** Of the checksum field, in that header. */
  readonly offset: number
}

/** undefined: neither TCP nor UDP by IP, or cut short. */
export function checksumPlace(frame: Uint8Array): ChecksumPlace | undefined {
  const u16 = (at: number): number => ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0)
  let start = ETHERNET
  let type = u16(12)
  if (type === VLAN) {
    type = u16(16)
    start += 4
  }
  let protocol: number
  if (type === IPV4) {
    protocol = frame[start + 9] ?? 0
    start += ((frame[start] ?? 0) & 15) * 4
  } else if (type === IPV6) {
    protocol = frame[start + 6] ?? 0
    start += 40
  } else return undefined
  const offset = CHECKSUM_OFFSETS[protocol]
  return offset !== undefined && start + offset + 2 <= frame.length ? { start, offset } : undefined
}

/** Bytes of all headers of a TCP segment, or undefined. */
export function tcpHeaderBytes(frame: Uint8Array, { start }: ChecksumPlace): number | undefined {
  const bytes = start + ((frame[start + 12] ?? 0) >> 4) * 4
  return bytes <= frame.length && bytes >= start + 20 ? bytes : undefined
}
