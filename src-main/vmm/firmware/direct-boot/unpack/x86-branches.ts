/**
 * The filter for x86 code of the XZ format (5.3.2): targets of CALL and JMP rel32 were made absolute before packing, because they repeat then; this makes them
 * relative again. What counts as a branch is found as xz's filter finds it: by the opcodes before, and a highest byte of 00h or FFh.
 */
const ALLOWED: readonly boolean[] = [true, true, true, false, true, false, false, false]
const BIT_NUMBERS: readonly number[] = [0, 1, 2, 2, 3, 3, 3, 3]

const isSign = (byte: number): boolean => byte === 0 || byte === 0xff

export function decodeX86Branches(code: Uint8Array): void {
  if (code.length <= 4) return
  const byte = (at: number): number => code[at] ?? 0
  const end = code.length - 4
  let mask = 0
  let previous = -1
  let at = 0
  while (at < end) {
    if ((byte(at) & 0xfe) !== 0xe8) {
      at++
      continue
    }
    const distance = at - previous
    if (distance > 3) mask = 0
    else {
      mask = (mask << (distance - 1)) & 7
      if (mask !== 0 && (ALLOWED[mask] === false || isSign(byte(at + 4 - (BIT_NUMBERS[mask] ?? 0))))) {
        previous = at
        mask = (mask << 1) | 1
        at++
        continue
      }
    }
    previous = at
    if (!isSign(byte(at + 4))) {
      mask = (mask << 1) | 1
      at++
      continue
    }
    let source = (byte(at + 1) | (byte(at + 2) << 8) | (byte(at + 3) << 16) | (byte(at + 4) << 24)) >>> 0
    let target: number
    for (;;) {
      target = (source - (at + 5)) >>> 0
      if (mask === 0) break
      const shift = (BIT_NUMBERS[mask] ?? 0) * 8
      if (!isSign((target >>> (24 - shift)) & 0xff)) break
      source = (target ^ (shift === 0 ? 0xffffffff : 2 ** (32 - shift) - 1)) >>> 0
    }
    code[at + 1] = target & 0xff
    code[at + 2] = (target >>> 8) & 0xff
    code[at + 3] = (target >>> 16) & 0xff
    code[at + 4] = (target & 0x1000000) === 0 ? 0 : 0xff
    at += 5
    mask = 0
  }
}
