/** Makes the bytes [offset, offset + bytes) sum to 0 modulo 256 by setting the one at `field`. */
export function sealChecksum(target: Uint8Array, offset: number, bytes: number, field: number): void {
  let sum = 0
  target[field] = 0
  for (let i = 0; i < bytes; i++) sum += target[offset + i] ?? 0
  target[field] = -sum & 0xff
}

/** Writes text at an offset, cut or filled up with blanks to `bytes`. */
export function putText(target: Uint8Array, offset: number, text: string, bytes: number): void {
  for (let i = 0; i < bytes; i++) target[offset + i] = i < text.length ? text.charCodeAt(i) & 0xff : 0x20
}
