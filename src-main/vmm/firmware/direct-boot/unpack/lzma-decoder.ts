/** LZMA as chunks of LZMA2 have it (XZ file format 1.1.0, 5.3.1; LZMA SDK, specification): range decoder, literals, matches. The input is a file's, hence hostile. */

const STATES = 12
const POSITION_STATES = 16
const HALF = 1024
const BITS = 11
const MOVE = 5
const TOP = 0x1000000
const LITERAL_TABLE = 0x300
const LENGTH_STATES = 4
const MATCH_MIN = 2
const END_MODEL = 14
const FULL_DISTANCES = 128
const ALIGN_BITS = 4

export class LzmaError extends Error {}

class LengthModel {
  readonly choice: Uint16Array = new Uint16Array(2)
  readonly low: Uint16Array = new Uint16Array(POSITION_STATES << 3)
  readonly middle: Uint16Array = new Uint16Array(POSITION_STATES << 3)
  readonly high: Uint16Array = new Uint16Array(256)

  reset(): void {
    for (const table of [this.choice, this.low, this.middle, this.high]) table.fill(HALF)
  }
}

export class LzmaDecoder {
  /** Bytes of output so far. */
  position = 0
  private range = 0
  private code = 0
  private at = 0
  private end = 0
  private state = 0
  private readonly distances = [0, 0, 0, 0]
  private literalContext = 0
  private literalPosition = 0
  private positionMask = 0
  private dictionaryStart = 0
  private literals = new Uint16Array(0)
  private readonly isMatch = new Uint16Array(STATES * POSITION_STATES)
  private readonly isRepeat = new Uint16Array(STATES)
  private readonly isRepeat0 = new Uint16Array(STATES)
  private readonly isRepeat1 = new Uint16Array(STATES)
  private readonly isRepeat2 = new Uint16Array(STATES)
  private readonly isRepeat0Long = new Uint16Array(STATES * POSITION_STATES)
  private readonly slots = new Uint16Array(LENGTH_STATES << 6)
  private readonly special = new Uint16Array(FULL_DISTANCES)
  private readonly align = new Uint16Array(1 << ALIGN_BITS)
  private readonly matchLength = new LengthModel()
  private readonly repeatLength = new LengthModel()

  constructor(
    private readonly input: Uint8Array,
    private readonly output: Uint8Array,
  ) {}

  resetDictionary(): void {
    this.dictionaryStart = this.position
  }

  /** Properties byte: (pb * 5 + lp) * 9 + lc. */
  setProperties(byte: number): void {
    if (byte > 4 * 45 + 4 * 9 + 8) throw new LzmaError('properties')
    this.literalContext = byte % 9
    const rest = Math.floor(byte / 9)
    this.literalPosition = rest % 5
    this.positionMask = (1 << Math.floor(rest / 5)) - 1
    if (this.literalContext + this.literalPosition > 4) throw new LzmaError('properties')
    this.literals = new Uint16Array(LITERAL_TABLE << (this.literalContext + this.literalPosition))
  }

  resetState(): void {
    this.state = 0
    this.distances.fill(0)
    const tables = [this.literals, this.isMatch, this.isRepeat, this.isRepeat0, this.isRepeat1, this.isRepeat2, this.isRepeat0Long, this.slots, this.special, this.align]
    for (const table of tables) table.fill(HALF)
    this.matchLength.reset()
    this.repeatLength.reset()
  }

  copy(from: number, bytes: number): void {
    if (from + bytes > this.input.length || this.position + bytes > this.output.length) throw new LzmaError('length')
    this.output.set(this.input.subarray(from, from + bytes), this.position)
    this.position += bytes
  }

  /** One compressed chunk: `packed` bytes of input from `from` on become `bytes` of output. */
  decode(from: number, packed: number, bytes: number): void {
    this.at = from
    this.end = from + packed
    if (packed < 5 || this.end > this.input.length || this.position + bytes > this.output.length) throw new LzmaError('length')
    this.range = 0xffffffff
    this.code = 0
    for (let i = 0; i < 5; i++) this.code = ((this.code << 8) | (this.input[this.at++] ?? 0)) >>> 0
    const limit = this.position + bytes
    while (this.position < limit) this.step(limit)
    this.normalize()
  }

  private normalize(): void {
    if (this.range >= TOP) return
    this.range = (this.range << 8) >>> 0
    if (this.at >= this.end) throw new LzmaError('input ends')
    this.code = ((this.code << 8) | (this.input[this.at++] ?? 0)) >>> 0
  }

  private bit(table: Uint16Array, index: number): number {
    if (this.range < TOP) this.normalize()
    const probability = table[index] ?? HALF
    const bound = Math.imul(this.range >>> BITS, probability) >>> 0
    if (this.code < bound) {
      this.range = bound
      table[index] = probability + ((2048 - probability) >> MOVE)
      return 0
    }
    this.range = (this.range - bound) >>> 0
    this.code = (this.code - bound) >>> 0
    table[index] = probability - (probability >> MOVE)
    return 1
  }

  private tree(table: Uint16Array, base: number, bits: number): number {
    let symbol = 1
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.bit(table, base + symbol)
    return symbol - (1 << bits)
  }

  private reverseTree(table: Uint16Array, base: number, bits: number): number {
    let symbol = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(table, base + symbol)
      symbol = (symbol << 1) | bit
      value |= bit << i
    }
    return value
  }

  private direct(bits: number): number {
    let value = 0
    for (let i = 0; i < bits; i++) {
      this.normalize()
      this.range = this.range >>> 1
      const one = this.code >= this.range ? 1 : 0
      if (one) this.code = (this.code - this.range) >>> 0
      value = (value << 1) | one
    }
    return value
  }

  private step(limit: number): void {
    const positionState = (this.position - this.dictionaryStart) & this.positionMask
    const index = (this.state << 4) + positionState
    if (this.bit(this.isMatch, index) === 0) {
      this.literal()
      return
    }
    let length: number
    if (this.bit(this.isRepeat, this.state) === 0) {
      length = this.length(this.matchLength, positionState)
      this.state = this.state < 7 ? 7 : 10
      this.shiftDistances(3, this.distance(length))
    } else if (this.bit(this.isRepeat0, this.state) === 0) {
      if (this.bit(this.isRepeat0Long, index) === 0) {
        this.state = this.state < 7 ? 9 : 11
        this.match(1, limit)
        return
      }
      length = this.length(this.repeatLength, positionState)
      this.state = this.state < 7 ? 8 : 11
    } else {
      const which = this.bit(this.isRepeat1, this.state) === 0 ? 1 : this.bit(this.isRepeat2, this.state) === 0 ? 2 : 3
      this.shiftDistances(which, this.distances[which] ?? 0)
      length = this.length(this.repeatLength, positionState)
      this.state = this.state < 7 ? 8 : 11
    }
    this.match(length + MATCH_MIN, limit)
  }

  private shiftDistances(from: number, distance: number): void {
    for (let i = from; i > 0; i--) this.distances[i] = this.distances[i - 1] ?? 0
    this.distances[0] = distance
  }

  private literal(): void {
    const place = this.position - this.dictionaryStart
    const before = place > 0 ? (this.output[this.position - 1] ?? 0) : 0
    const context = ((place & ((1 << this.literalPosition) - 1)) << this.literalContext) + (before >> (8 - this.literalContext))
    const base = context * LITERAL_TABLE
    let symbol = 1
    if (this.state >= 7) {
      let matched = this.output[this.position - (this.distances[0] ?? 0) - 1] ?? 0
      while (symbol < 0x100) {
        const expected = (matched >> 7) & 1
        matched <<= 1
        const bit = this.bit(this.literals, base + ((1 + expected) << 8) + symbol)
        symbol = (symbol << 1) | bit
        if (bit !== expected) break
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.bit(this.literals, base + symbol)
    this.output[this.position++] = symbol & 0xff
    this.state = this.state < 4 ? 0 : this.state < 10 ? this.state - 3 : this.state - 6
  }

  private length(model: LengthModel, positionState: number): number {
    if (this.bit(model.choice, 0) === 0) return this.tree(model.low, positionState << 3, 3)
    if (this.bit(model.choice, 1) === 0) return 8 + this.tree(model.middle, positionState << 3, 3)
    return 16 + this.tree(model.high, 0, 8)
  }

  private distance(length: number): number {
    const slot = this.tree(this.slots, Math.min(length, LENGTH_STATES - 1) << 6, 6)
    if (slot < 4) return slot
    const bits = (slot >> 1) - 1
    const base = (2 | (slot & 1)) << bits
    if (slot < END_MODEL) return base + this.reverseTree(this.special, base - slot, bits)
    return (base + (this.direct(bits - ALIGN_BITS) << ALIGN_BITS) + this.reverseTree(this.align, 0, ALIGN_BITS)) >>> 0
  }

  private match(length: number, limit: number): void {
    const distance = (this.distances[0] ?? 0) + 1
    if (distance > this.position - this.dictionaryStart || this.position + length > limit) throw new LzmaError('distance')
    const { output } = this
    let at = this.position
    for (const stop = at + length; at < stop; at++) output[at] = output[at - distance] ?? 0
    this.position = at
  }
}
