/** The Internet checksum (RFC 1071), over pieces that lie at even distances. */

/** Adds 16-bit words, first byte high; an odd last byte counts as high. */
export function addWords(sum: number, bytes: Uint8Array, from: number = 0, to: number = bytes.length): number {
  let total = sum
  let at = from
  for (; at + 1 < to; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  if (at < to) total += (bytes[at] ?? 0) << 8
  return total
}

/** Folds the carries and complements. */
export function finishSum(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
  return ~folded & 0xffff
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value & 0xff
}

export function get16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
