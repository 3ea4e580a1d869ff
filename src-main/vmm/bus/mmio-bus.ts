import type { IoFault, MmioHandler } from '../devices/device'
import { AccessCounters, allOnes } from './access-counters'
import type { AccessTrace } from './access-trace'
import type { ClaimConflict, DynamicRange } from './claim-conflict'
import { RangeMap } from './range-map'
import type { Width } from './width'

interface Route {
  readonly owner: string
  readonly first: number
  readonly last: number
  readonly handler: MmioHandler
}

export interface MmioClaim {
  readonly name: string
  readonly first: number
  readonly last: number
  readonly handler: MmioHandler
}

/** Memory-mapped device space: what the CPU finds no memory for. */
export class MmioBus {
  private readonly fixed = new RangeMap<Route>()
  /** Later ones win over earlier ones; fixed claims win over all. */
  private dynamic: Route[] = []
  /** The route of the last access: most come in runs. */
  private latest: Route | undefined = undefined

  readonly conflicts: ClaimConflict[] = []
  /** By page. */
  readonly unclaimed: AccessCounters = new AccessCounters()
  readonly faults: AccessCounters = new AccessCounters()
  trace: AccessTrace | undefined = undefined

  /** Routes a device's claim. A range that overlaps another claim is noted in `conflicts` and not routed. */
  claim(device: string, claim: MmioClaim): void {
    const owner = `${device}/${claim.name}`
    const overlaps = this.fixed.insert(claim.first, claim.last, { owner, first: claim.first, last: claim.last, handler: claim.handler })
    for (const other of overlaps) {
      const [first, last] = [Math.max(claim.first, other.first), Math.min(claim.last, other.last)]
      this.conflicts.push({ kind: 'mmio', claim: owner, with: other.value.owner, first, last })
    }
    this.latest = undefined
  }

  /** Routes a range until it is removed; the handler gets offsets relative to `first`. */
  mapDynamic(owner: string, first: number, bytes: number, handler: MmioHandler): DynamicRange {
    const route: Route = { owner, first, last: first + bytes - 1, handler }
    this.dynamic.push(route)
    this.latest = undefined
    return {
      remove: (): void => {
        this.dynamic = this.dynamic.filter((other) => other !== route)
        this.latest = undefined
      },
    }
  }

  private routeOf(address: number): Route | undefined {
    const latest = this.latest
    // A dynamic route may be partly covered by a fixed claim, so only fixed routes are remembered.
    if (latest !== undefined && address >= latest.first && address <= latest.last) return latest
    const fixed = this.fixed.find(address)
    if (fixed !== undefined) {
      this.latest = fixed.value
      return fixed.value
    }
    for (let i = this.dynamic.length - 1; i >= 0; i--) {
      const route = this.dynamic[i]
      if (route !== undefined && address >= route.first && address <= route.last) return route
    }
    return undefined
  }

  read(address: number, width: Width): number {
    const route = this.routeOf(address)
    if (route === undefined) {
      this.unclaimed.count(address - (address % 0x1000), false)
      this.trace?.record({ kind: 'mmio', write: false, address, width, value: allOnes(width), owner: undefined, fault: undefined })
      return allOnes(width)
    }
    if (address + width - 1 > route.last) return this.readSplit(address, width)
    const answer = route.handler.mmioRead(address - route.first, width)
    if (typeof answer !== 'number') return this.refused(route, address, width, false, allOnes(width), answer)
    this.trace?.record({ kind: 'mmio', write: false, address, width, value: answer, owner: route.owner, fault: undefined })
    return answer
  }

  write(address: number, width: Width, value: number): void {
    const route = this.routeOf(address)
    if (route === undefined) {
      this.unclaimed.count(address - (address % 0x1000), true)
      this.trace?.record({ kind: 'mmio', write: true, address, width, value, owner: undefined, fault: undefined })
      return
    }
    if (address + width - 1 > route.last) {
      for (let i = 0; i < width; i++) this.write(address + i, 1, (value >>> (8 * i)) & 0xff)
      return
    }
    const fault = route.handler.mmioWrite(address - route.first, width, value)
    if (fault !== undefined) this.refused(route, address, width, true, value, fault)
    else this.trace?.record({ kind: 'mmio', write: true, address, width, value, owner: route.owner, fault: undefined })
  }

  ownerOf(address: number): string | undefined {
    return this.routeOf(address)?.owner
  }

  routesInUse(): readonly { readonly owner: string; readonly first: number; readonly last: number }[] {
    const routes = [...this.fixed.entries().map((entry) => entry.value), ...this.dynamic]
    return routes.map(({ owner, first, last }) => ({ owner, first, last }))
  }

  private readSplit(address: number, width: Width): number {
    let value = 0
    for (let i = 0; i < width; i++) value |= this.read(address + i, 1) << (8 * i)
    return value >>> 0
  }

  private refused(route: Route, address: number, width: Width, write: boolean, value: number, fault: IoFault): number {
    this.faults.count(address - (address % 0x1000), write)
    this.trace?.record({ kind: 'mmio', write, address, width, value, owner: route.owner, fault: fault.fault })
    return value
  }
}
