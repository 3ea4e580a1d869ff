/**
 * Structures of the hypercall interface as 64-bit and 32-bit guests lay them out: natural alignment, but 64-bit numbers of 32-bit guests are aligned to 4;
 * `long` (unsigned long, frame numbers, pointers) has the guest's width.
 */
export type FieldKind = 'u8' | 'u16' | 's16' | 'u32' | 'u64' | 'long'
export type WordBytes = 4 | 8
export type Fields = Readonly<Record<string, FieldKind>>
export type Values<F extends Fields> = { [K in keyof F]: F[K] extends 'u64' | 'long' ? bigint : number }

interface Layout {
  readonly offsets: ReadonlyMap<string, number>
  readonly bytes: number
}

const SIZES: Readonly<Record<Exclude<FieldKind, 'long'>, number>> = { u8: 1, u16: 2, s16: 2, u32: 4, u64: 8 }

function layoutOf(fields: Fields, word: WordBytes): Layout {
  const offsets = new Map<string, number>()
  let at = 0
  let strictest = 1
  for (const [name, kind] of Object.entries(fields)) {
    const size = kind === 'long' ? word : SIZES[kind]
    const alignment = Math.min(size, word)
    strictest = Math.max(strictest, alignment)
    at = Math.ceil(at / alignment) * alignment
    offsets.set(name, at)
    at += size
  }
  return { offsets, bytes: Math.ceil(at / strictest) * strictest }
}

export class GuestStruct<F extends Fields> {
  private readonly layouts: Readonly<Record<WordBytes, Layout>>

  constructor(private readonly fields: F) {
    this.layouts = { 4: layoutOf(fields, 4), 8: layoutOf(fields, 8) }
  }

  bytes(word: WordBytes): number {
    return this.layouts[word].bytes
  }

  decode(source: Uint8Array, word: WordBytes): Values<F> {
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    const values: Record<string, number | bigint> = {}
    for (const [name, kind] of Object.entries(this.fields)) values[name] = readField(view, this.offset(name, word), kind, word)
    return values as Values<F>
  }

  /** Where a field is, and its encoded value. */
  encodeField<K extends keyof F & string>(name: K, value: Values<F>[K], word: WordBytes): { readonly offset: number; readonly data: Uint8Array } {
    const kind: FieldKind = this.fields[name] ?? 'u32'
    const data = new Uint8Array(kind === 'long' ? word : SIZES[kind])
    writeField(new DataView(data.buffer), kind, value, word)
    return { offset: this.offset(name, word), data }
  }

  private offset(name: string, word: WordBytes): number {
    return this.layouts[word].offsets.get(name) ?? 0
  }
}

function readField(view: DataView, at: number, kind: FieldKind, word: WordBytes): number | bigint {
  switch (kind) {
    case 'u8':
      return view.getUint8(at)
    case 'u16':
      return view.getUint16(at, true)
    case 's16':
      return view.getInt16(at, true)
    case 'u32':
      return view.getUint32(at, true)
    case 'u64':
      return view.getBigUint64(at, true)
    case 'long':
      return word === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))
  }
}

function writeField(view: DataView, kind: FieldKind, value: number | bigint, word: WordBytes): void {
  const width = kind === 'long' ? word : SIZES[kind]
  if (width === 8) view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true)
  else if (width === 4) view.setUint32(0, Number(BigInt.asUintN(32, BigInt(value))), true)
  else if (width === 2) view.setUint16(0, Number(value) & 0xffff, true)
  else view.setUint8(0, Number(value) & 0xff)
}
