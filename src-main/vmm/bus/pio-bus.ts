import type { IoFault, PioHandler } from '../devices/device'
import { AccessCounters, allOnes } from './access-counters'
import type { AccessTrace } from './access-trace'
import type { ClaimConflict, DynamicRange } from './claim-conflict'
import type { Width } from './width'

const PORTS = 0x10000

interface Route {
  readonly owner: string
  readonly first: number
  readonly last: number
  /** Subtracted from the port before the handler sees it: 0 for fixed claims, the BAR's address for PCI. */
  readonly base: number
  readonly handler: PioHandler
  readonly split: boolean
}

export interface PioClaim {
  readonly name: string
  readonly first: number
  readonly last: number
  readonly handler: PioHandler
  readonly split?: 'bytes'
}

/** Port space. One table lookup per access; the bus answers for what nobody claims and for what a device refuses. */
export class PioBus {
  /** Index into routes for each port, 0 = nobody. */
  private readonly table = new Uint16Array(PORTS)
  private readonly routes: (Route | undefined)[] = [undefined]
  private readonly fixed: number[] = []
  /** Dynamic routes in the order of mapping: later ones win over earlier ones, fixed claims win over all. */
  private dynamic: number[] = []

  readonly conflicts: ClaimConflict[] = []
  readonly unclaimed: AccessCounters = new AccessCounters()
  readonly faults: AccessCounters = new AccessCounters()
  trace: AccessTrace | undefined = undefined

  /** Routes a device's claim. A range that overlaps another claim is noted in `conflicts` and not routed. */
  claim(device: string, claim: PioClaim): void {
    const owner = `${device}/${claim.name}`
    for (const index of this.fixed) {
      const other = this.routes[index]
      if (other === undefined || claim.first > other.last || claim.last < other.first) continue
      const [first, last] = [Math.max(claim.first, other.first), Math.min(claim.last, other.last)]
      this.conflicts.push({ kind: 'pio', claim: owner, with: other.owner, first, last })
      return
    }
    const index = this.add({ owner, first: claim.first, last: claim.last, base: 0, handler: claim.handler, split: claim.split === 'bytes' })
    this.fixed.push(index)
    this.paint(claim.first, claim.last)
  }

  /** Routes a range until it is removed; the handler gets ports relative to `first`. */
  mapDynamic(owner: string, first: number, bytes: number, handler: PioHandler): DynamicRange {
    const last = first + bytes - 1
    const index = this.add({ owner, first, last, base: first, handler, split: false })
    this.dynamic.push(index)
    this.paint(first, last)
    return {
      remove: (): void => {
        if (this.routes[index] === undefined || !this.dynamic.includes(index)) return
        this.dynamic = this.dynamic.filter((other) => other !== index)
        this.routes[index] = undefined
        this.paint(first, last)
      },
    }
  }

  private add(route: Route): number {
    const free = this.routes.indexOf(undefined, 1)
    const index = free < 0 ? this.routes.length : free
    this.routes[index] = route
    return index
  }

  /** Recomputes the table for the ports of a range. */
  private paint(first: number, last: number): void {
    this.table.fill(0, first, last + 1)
    for (const index of [...this.dynamic, ...this.fixed]) {
      const route = this.routes[index]
      if (route === undefined || route.first > last || route.last < first) continue
      this.table.fill(index, Math.max(first, route.first), Math.min(last, route.last) + 1)
    }
  }

  read(port: number, width: Width): number {
    const route = this.routes[this.table[port & 0xffff] ?? 0]
    if (route === undefined) {
      if (width !== 1 && this.anyClaimed(port, width)) return this.readSplit(port, width)
      this.unclaimed.count(port, false)
      this.trace?.record({ kind: 'pio', write: false, address: port, width, value: allOnes(width), owner: undefined, fault: undefined })
      return allOnes(width)
    }
    if (width !== 1 && (route.split || port + width - 1 > route.last)) return this.readSplit(port, width)
    const answer = route.handler.pioRead(port - route.base, width)
    if (typeof answer !== 'number') return this.refused(route, port, width, false, allOnes(width), answer)
    this.trace?.record({ kind: 'pio', write: false, address: port, width, value: answer, owner: route.owner, fault: undefined })
    return answer
  }

  write(port: number, width: Width, value: number): void {
    const route = this.routes[this.table[port & 0xffff] ?? 0]
    if (route === undefined) {
      if (width !== 1 && this.anyClaimed(port, width)) {
        this.writeSplit(port, width, value)
        return
      }
      this.unclaimed.count(port, true)
      this.trace?.record({ kind: 'pio', write: true, address: port, width, value, owner: undefined, fault: undefined })
      return
    }
    if (width !== 1 && (route.split || port + width - 1 > route.last)) {
      this.writeSplit(port, width, value)
      return
    }
    const fault = route.handler.pioWrite(port - route.base, width, value)
    if (fault !== undefined) this.refused(route, port, width, true, value, fault)
    else this.trace?.record({ kind: 'pio', write: true, address: port, width, value, owner: route.owner, fault: undefined })
  }

  /** Who answers a port: for the inspector. */
  ownerOf(port: number): string | undefined {
    return this.routes[this.table[port & 0xffff] ?? 0]?.owner
  }

  routesInUse(): readonly { readonly owner: string; readonly first: number; readonly last: number }[] {
    return [...this.fixed, ...this.dynamic].flatMap((index) => {
      const route = this.routes[index]
      return route === undefined ? [] : [{ owner: route.owner, first: route.first, last: route.last }]
    })
  }

  private anyClaimed(port: number, width: Width): boolean {
    for (let i = 1; i < width; i++) if ((this.table[(port + i) & 0xffff] ?? 0) !== 0) return true
    return false
  }

  /** The chipset breaks what no single device covers into bytes, lowest first. */
  private readSplit(port: number, width: Width): number {
    let value = 0
    for (let i = 0; i < width; i++) value |= this.read((port + i) & 0xffff, 1) << (8 * i)
    return value >>> 0
  }

  private writeSplit(port: number, width: Width, value: number): void {
    for (let i = 0; i < width; i++) this.write((port + i) & 0xffff, 1, (value >>> (8 * i)) & 0xff)
  }

  private refused(route: Route, port: number, width: Width, write: boolean, value: number, fault: IoFault): number {
    this.faults.count(port, write)
    this.trace?.record({ kind: 'pio', write, address: port, width, value, owner: route.owner, fault: fault.fault })
    return value
  }
}
