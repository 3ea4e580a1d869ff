/** Who answers which addresses and ports: the maps that the buses route by. */
import type { MappedRange } from '../../memory/guest-memory-impl'
import type { AccessCount } from '../../bus/access-counters'
import type { Board } from '../boards/board'

export interface RangeView {
  /** Hexadecimal; both inclusive. */
  readonly first: string
  readonly last: string
  readonly owner: string
  readonly kind: 'ram' | 'rom' | 'mmio' | 'port' | 'hole'
  readonly reads?: number
  readonly writes?: number
}

const ADDRESS_DIGITS = 9
const PORT_DIGITS = 4
const PAGE_LAST = 0xfff
/** Of unclaimed accesses, the most frequent. */
const MOST_UNCLAIMED = 64

export function memoryMap(board: Board): readonly RangeView[] {
  const memory = board.memoryRanges().map((range): Place => ({ ...place(range.first, range.last, range.block), kind: kindOf(range) }))
  const mmio = board.mmio.routesInUse().map(({ first, last, owner }): Place => ({ ...place(first, last, owner), kind: 'mmio' }))
  return [...memory, ...mmio].sort(byFirst).map((range) => view(range, ADDRESS_DIGITS))
}

export function portMap({ pio }: Board): readonly RangeView[] {
  return pio.routesInUse().map(({ first, last, owner }): Place => ({ ...place(first, last, owner), kind: 'port' })).sort(byFirst).map((range) => view(range, PORT_DIGITS))
}

/** Accesses that nothing answered, the most frequent first. */
export function unclaimedAccesses({ pio, mmio }: Board): readonly RangeView[] {
  const counted = (count: AccessCount, last: number, digits: number, owner: string): RangeView => ({ ...view({ first: count.place, last, owner, kind: 'hole' }, digits), reads: count.reads, writes: count.writes })
  const ports = pio.unclaimed.list().map((count) => counted(count, count.place, PORT_DIGITS, 'port'))
  const pages = mmio.unclaimed.list().map((count) => counted(count, count.place + PAGE_LAST, ADDRESS_DIGITS, 'memory'))
  const total = (range: RangeView): number => (range.reads ?? 0) + (range.writes ?? 0)
  return [...ports, ...pages].sort((a, b) => total(b) - total(a)).slice(0, MOST_UNCLAIMED)
}

interface Place {
  readonly first: number
  readonly last: number
  readonly owner: string
  readonly kind: RangeView['kind']
}

const place = (first: number, last: number, owner: string): Omit<Place, 'kind'> => ({ first, last, owner })
const byFirst = (a: Place, b: Place): number => a.first - b.first || a.last - b.last

/** Shadowed ROMs show as memory that is only read. */
function kindOf({ access }: MappedRange): RangeView['kind'] {
  return access === 'read' ? 'rom' : 'ram'
}

function view({ first, last, owner, kind }: Place, digits: number): RangeView {
  const hex = (value: number): string => `0x${value.toString(16).padStart(digits, '0')}`
  return { first: hex(first), last: hex(last), owner, kind }
}
