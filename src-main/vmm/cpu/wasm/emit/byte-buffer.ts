/** A growing byte buffer with the encodings of the WebAssembly binary format. */
const encoder = new TextEncoder()
/** Each module says the same few hundred again. */
const names = new Map<string, Uint8Array>()
const scratch = new DataView(new ArrayBuffer(8))

export class ByteBuffer {
  private bytes: Uint8Array<ArrayBuffer>
  length = 0

  constructor(capacity: number = 4096) {
    this.bytes = new Uint8Array(capacity)
  }

  u8(n: number): void {
    if (this.length === this.bytes.length) this.grow(1)
    this.bytes[this.length++] = n
  }

  /** Unsigned LEB128 of up to 32 bits. */
  uleb(n: number): void {
    let rest = n >>> 0
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.u8(rest)
  }

  /** Signed LEB128 of an i32. */
  sleb32(n: number): void {
    let rest = n | 0
    while (rest < -64 || rest > 63) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    this.u8(rest & 0x7f)
  }

  /** Signed LEB128 of an i64. */
  sleb64(n: number | bigint): void {
    if (typeof n === 'number' && n >= -0x80000000 && n <= 0x7fffffff) return this.sleb32(n)
    if (typeof n === 'number' && Number.isSafeInteger(n)) return this.slebOf(n)
    let rest = BigInt.asIntN(64, BigInt(n))
    while (rest < -64n || rest > 63n) {
      this.u8(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.u8(Number(rest & 0x7fn))
  }

  private slebOf(n: number): void {
    let rest = n
    while (rest < -64 || rest > 63) {
      this.u8((rest & 0x7f) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.u8(rest & 0x7f)
  }

  f32(n: number): void {
    scratch.setFloat32(0, n, true)
    for (let i = 0; i < 4; i++) this.u8(scratch.getUint8(i))
  }

  f64(n: number): void {
    scratch.setFloat64(0, n, true)
    for (let i = 0; i < 8; i++) this.u8(scratch.getUint8(i))
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  name(text: string): void {
    let bytes = names.get(text)
    if (bytes === undefined) names.set(text, (bytes = encoder.encode(text)))
    this.uleb(bytes.length)
    this.append(bytes)
  }

  /** Leaves room for a size that is known later; fixed-width LEB128 is valid. */
  openSize(): number {
    const at = this.length
    for (let i = 0; i < 5; i++) this.u8(0)
    return at
  }

  closeSize(at: number): void {
    let rest = this.length - at - 5
    for (let i = 0; i < 5; i++) {
      this.bytes[at + i] = (rest & 0x7f) | (i < 4 ? 0x80 : 0)
      rest >>>= 7
    }
  }

  /** A view, valid until the next write. */
  view(from: number = 0): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(from, this.length)
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length)
  }

  private grow(need: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + need))
    larger.set(this.bytes)
    this.bytes = larger
  }
}
