/** Requests and responses of a paravirtual disk: xen/include/public/io/blkif.h, as guests of both widths lay them out. */

export const OP_READ = 0
export const OP_WRITE = 1
export const OP_FLUSH = 3
export const OP_DISCARD = 5
export const OP_INDIRECT = 6

export const STATUS_OK = 0
export const STATUS_ERROR = -1
export const STATUS_UNSUPPORTED = -2

export const SECTOR = 512
const SECTORS_PER_PAGE = 8
const MAX_SEGMENTS = 11
const SEGMENT_BYTES = 8
const SEGMENTS_PER_PAGE = 512
/** Segments of an indirect request: 1 MiB. */
export const MAX_INDIRECT_SEGMENTS = 256

export interface RequestLayout {
  readonly bytes: number
  readonly id: number
  readonly sector: number
  readonly segments: number
  /** Of an indirect request. */
  readonly indirect: number
  readonly responseBytes: number
}
export const LAYOUTS: Readonly<Record<string, RequestLayout>> = {
  'x86_64-abi': { bytes: 112, id: 8, sector: 16, segments: 24, indirect: 28, responseBytes: 16 },
  'x86_32-abi': { bytes: 108, id: 4, sector: 12, segments: 20, indirect: 24, responseBytes: 12 },
}

/** Part of a granted page, in sectors. */
export interface BlockSegment {
  readonly reference: number
  readonly first: number
  readonly count: number
}

export type BlockRequest = { readonly id: bigint; readonly operation: number } & (
  | { readonly kind: 'transfer'; readonly write: boolean; readonly sector: number; readonly segments: readonly BlockSegment[] }
  | { readonly kind: 'indirect'; readonly write: boolean; readonly sector: number; readonly count: number; readonly pages: readonly number[] }
  | { readonly kind: 'flush' }
  | { readonly kind: 'discard'; readonly sector: number; readonly sectors: number }
  | { readonly kind: 'refused'; readonly status: number }
)

export function parseRequest(bytes: Uint8Array, layout: RequestLayout): BlockRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const operation = view.getUint8(0)
  const id = view.getBigUint64(layout.id, true)
  const sector = safe(view.getBigUint64(layout.sector, true))
  switch (operation) {
    case OP_READ:
    case OP_WRITE: {
      const segments = parseSegments(view, layout.segments, view.getUint8(1), MAX_SEGMENTS)
      if (!segments) return { id, operation, kind: 'refused', status: STATUS_ERROR }
      return { id, operation, kind: 'transfer', write: operation === OP_WRITE, sector, segments }
    }
    case OP_INDIRECT: {
      const [what, count] = [view.getUint8(1), view.getUint16(2, true)]
      if ((what !== OP_READ && what !== OP_WRITE) || count === 0 || count > MAX_INDIRECT_SEGMENTS) return { id, operation, kind: 'refused', status: STATUS_ERROR }
      const pages = Array.from({ length: Math.ceil(count / SEGMENTS_PER_PAGE) }, (_, i) => view.getUint32(layout.indirect + i * 4, true))
      // answered as what it asks for
      return { id, operation: what, kind: 'indirect', write: what === OP_WRITE, sector, count, pages }
    }
    case OP_FLUSH:
      return { id, operation, kind: 'flush' }
    case OP_DISCARD:
      return { id, operation, kind: 'discard', sector, sectors: safe(view.getBigUint64(layout.sector + 8, true)) }
    default:
      return { id, operation, kind: 'refused', status: STATUS_UNSUPPORTED }
  }
}

/** undefined: one of them makes no sense. */
export function parseSegments(view: DataView, start: number, count: number, most: number): readonly BlockSegment[] | undefined {
  if (count === 0 || count > most) return undefined
  const segments: BlockSegment[] = []
  for (let i = 0; i < count; i++) {
    const at = start + i * SEGMENT_BYTES
    const [first, last] = [view.getUint8(at + 4), view.getUint8(at + 5)]
    if (last >= SECTORS_PER_PAGE || first > last) return undefined
    segments.push({ reference: view.getUint32(at, true), first, count: last - first + 1 })
  }
  return segments
}

/** Numbers beyond any disk are refused as such later. */
function safe(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) / 1024n ? Infinity : Number(value)
}

export function encodeResponse(layout: RequestLayout, id: bigint, operation: number, status: number): Uint8Array {
  const bytes = new Uint8Array(layout.responseBytes)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, id, true)
  view.setUint8(8, operation)
  view.setInt16(10, status, true)
  return bytes
}
