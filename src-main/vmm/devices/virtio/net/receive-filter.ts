/** Which frames a guest wants to see. OASIS VIRTIO 1.2, 5.1.6.5.1 and 5.1.6.5.2. */
import type { PlainData } from '../../device'
import * as net from './registers'

/** Longer lists mean: everything. */
const MAX_ADDRESSES = 64
const MAC_BYTES = 6

export interface FilterState {
  readonly [key: string]: PlainData
  readonly promiscuous: boolean
  readonly allMulticast: boolean
  readonly addresses: readonly string[]
}

export class ReceiveFilter {
  private promiscuous = true
  private allMulticast = false
  private addresses: ReadonlySet<string> = new Set()

  constructor(private readonly mac: string) {}

  /** Until the driver says otherwise, everything. */
  reset(): void {
    this.promiscuous = true
    this.allMulticast = false
    this.addresses = new Set()
  }

  /** False: not known, or not as it should be. */
  command(group: number, command: number, data: Uint8Array): boolean {
    if (group === net.CTRL_RX && data.length >= 1) return this.setMode(command, data[0] !== 0)
    if (group === net.CTRL_MAC && command === net.CTRL_MAC_TABLE_SET) return this.setTable(data)
    return false
  }

  private setMode(command: number, on: boolean): boolean {
    if (command === net.CTRL_RX_PROMISC) this.promiscuous = on
    else if (command === net.CTRL_RX_ALLMULTI) this.allMulticast = on
    else return false
    return true
  }

  /** Two lists, unicast and multicast, each with its length before it. */
  private setTable(data: Uint8Array): boolean {
    const view = new DataView(data.buffer, data.byteOffset, data.length)
    const addresses = new Set<string>()
    let at = 0
    for (let list = 0; list < 2; list++) {
      if (at + 4 > data.length) return false
      const count = view.getUint32(at, true)
      at += 4
      if (count * MAC_BYTES > data.length - at) return false
      for (let i = 0; i < count; i++, at += MAC_BYTES) addresses.add(macText(data, at))
    }
    this.addresses = addresses.size > MAX_ADDRESSES ? new Set() : addresses
    if (addresses.size > MAX_ADDRESSES) this.promiscuous = true
    return true
  }

  passes(frame: Uint8Array): boolean {
    if (this.promiscuous) return true
    const to = macText(frame, 0)
    if (to === 'ff:ff:ff:ff:ff:ff' || to === this.mac || this.addresses.has(to)) return true
    return this.allMulticast && ((frame[0] ?? 0) & 1) !== 0
  }

  save(): FilterState {
    const { promiscuous, allMulticast, addresses } = this
    return { promiscuous, allMulticast, addresses: [...addresses] }
  }

  load(state: FilterState): void {
    this.promiscuous = state.promiscuous
    this.allMulticast = state.allMulticast
    this.addresses = new Set(state.addresses)
  }
}

export function macText(bytes: Uint8Array, at: number): string {
  return Array.from({ length: MAC_BYTES }, (_, i) => (bytes[at + i] ?? 0).toString(16).padStart(2, '0')).join(':')
}
