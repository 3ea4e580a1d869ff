/**
 * Event channels with the 2-level ABI: a bit a port in shared info, a bit a word of them in vcpu_info, and one interrupt for all. Channels have two ends:
 * the guest's port, and a virtual interrupt, the guest itself, or one of our back ends. xen/include/public/event_channel.h.
 */
import { BACKEND_DOMAIN, GUEST_DOMAIN, isSelf } from './domains'
import { EEXIST, EINVAL, ENOENT, ENOSPC, ESRCH, EPERM, refuse } from './errors'
import type { SharedInfo } from './shared-info'

export const VIRQ_TIMER = 0
const VIRQS = 24
const MAX_PORTS = 4096

export type Channel =
  | { readonly kind: 'closed' }
  /** Waits for the remote domain to bind to it. */
  | { readonly kind: 'unbound'; readonly remote: number }
  /** To a port of the guest's own, or to a back end (-1). */
  | { readonly kind: 'interdomain'; readonly remote: number; readonly remotePort: number }
  | { readonly kind: 'virq'; readonly virq: number }
  | { readonly kind: 'ipi' }

const CLOSED: Channel = { kind: 'closed' }
const BACKEND_PORT = -1

/** The back end's end of a channel. */
export interface BackendChannel {
  readonly port: number
  /** Tells the guest. Once the guest has closed its end nothing happens. */
  notify(): void
  close(): void
}

export interface EventChannelsState {
  readonly channels: readonly (readonly [port: number, channel: Channel])[]
}

export class EventChannels {
  private readonly channels: Channel[] = []
  private readonly listeners = new Map<number, () => void>()

  constructor(
    private readonly shared: SharedInfo,
    /** upcall_pending has become set: the vCPU is to be interrupted. */
    private readonly upcall: () => void,
  ) {}

  private at(port: number): Channel {
    return this.channels[port] ?? CLOSED
  }

  private bound(port: number): Channel {
    const channel = this.at(port)
    return channel.kind === 'closed' ? refuse(EINVAL) : channel
  }

  private freePort(): number {
    const limit = Math.min(this.shared.ports, MAX_PORTS)
    for (let port = 1; port < limit; port++) if (this.at(port).kind === 'closed') return port
    return refuse(ENOSPC)
  }

  private open(channel: Channel): number {
    const port = this.freePort()
    while (this.channels.length <= port) this.channels.push(CLOSED)
    this.channels[port] = channel
    this.shared.setPending(port, false)
    return port
  }

  // ---- what the guest asks ---------------------------------------------------------------------------------------------------------

  allocateUnbound(domain: number, remote: number): number {
    if (!isSelf(domain)) refuse(EPERM)
    return this.open({ kind: 'unbound', remote: isSelf(remote) ? GUEST_DOMAIN : remote })
  }

  bindInterdomain(remote: number, remotePort: number): number {
    // Our back ends offer no ports: they bind to the guest's.
    if (!isSelf(remote)) refuse(remote === BACKEND_DOMAIN ? EINVAL : ESRCH)
    const other = this.at(remotePort)
    if (other.kind !== 'unbound' || other.remote !== GUEST_DOMAIN) refuse(EINVAL)
    const port = this.open({ kind: 'interdomain', remote: GUEST_DOMAIN, remotePort })
    this.channels[remotePort] = { kind: 'interdomain', remote: GUEST_DOMAIN, remotePort: port }
    // What was sent while nobody listened may be lost: both ends look once.
    this.raise(port)
    return port
  }

  bindVirq(virq: number, vcpu: number): number {
    if (virq >= VIRQS) refuse(EINVAL)
    if (vcpu !== 0) refuse(ENOENT)
    if (this.channels.some((channel) => channel.kind === 'virq' && channel.virq === virq)) refuse(EEXIST)
    return this.open({ kind: 'virq', virq })
  }

  bindIpi(vcpu: number): number {
    if (vcpu !== 0) refuse(ENOENT)
    return this.open({ kind: 'ipi' })
  }

  /** There is one vCPU, on which all channels are. */
  bindVcpu(port: number, vcpu: number): void {
    if (vcpu !== 0) refuse(ENOENT)
    if (this.bound(port).kind === 'virq') refuse(EINVAL)
  }

  close(port: number): void {
    const channel = this.bound(port)
    if (channel.kind === 'interdomain' && channel.remotePort >= 0) this.channels[channel.remotePort] = { kind: 'unbound', remote: GUEST_DOMAIN }
    this.channels[port] = CLOSED
    this.listeners.delete(port)
    this.shared.setPending(port, false)
  }

  send(port: number): void {
    const channel = this.bound(port)
    if (channel.kind === 'ipi') this.raise(port)
    else if (channel.kind === 'interdomain') {
      if (channel.remotePort >= 0) this.raise(channel.remotePort)
      else this.listeners.get(port)?.()
    } else if (channel.kind !== 'unbound') refuse(EINVAL)
  }

  status(port: number): Channel {
    return port > 0 && port < MAX_PORTS ? this.at(port) : refuse(EINVAL)
  }

  unmask(port: number): void {
    this.bound(port)
    if (!this.shared.isMasked(port)) return
    this.shared.setMasked(port, false)
    if (this.shared.isPending(port)) this.mark(port)
  }

  isPending(port: number): boolean {
    return port > 0 && port < this.shared.ports && this.shared.isPending(port)
  }

  // ---- our side --------------------------------------------------------------------------------------------------------------------

  raiseVirq(virq: number): void {
    const port = this.channels.findIndex((channel) => channel.kind === 'virq' && channel.virq === virq)
    if (port > 0) this.raise(port)
  }

  /** Takes the remote end of a port that the guest has offered domain 0. `heard` is called inside the guest's hypercall. */
  bindBackend(port: number, heard: () => void): BackendChannel | undefined {
    const channel = this.at(port)
    if (channel.kind !== 'unbound' || channel.remote !== BACKEND_DOMAIN) return undefined
    this.channels[port] = { kind: 'interdomain', remote: BACKEND_DOMAIN, remotePort: BACKEND_PORT }
    return this.listen(port, heard)
  }

  /** After a saved state was loaded: the end that was bound before. */
  rebindBackend(port: number, heard: () => void): BackendChannel | undefined {
    const channel = this.at(port)
    if (channel.kind !== 'interdomain' || channel.remotePort !== BACKEND_PORT || this.listeners.has(port)) return undefined
    return this.listen(port, heard)
  }

  private listen(port: number, heard: () => void): BackendChannel {
    this.listeners.set(port, heard)
    const mine = (): boolean => this.listeners.get(port) === heard
    return {
      port,
      notify: () => {
        if (mine()) this.raise(port)
      },
      close: () => {
        if (!mine()) return
        this.listeners.delete(port)
        this.channels[port] = { kind: 'unbound', remote: BACKEND_DOMAIN }
      },
    }
  }

  private raise(port: number): void {
    if (this.shared.isPending(port)) return
    this.shared.setPending(port, true)
    if (!this.shared.isMasked(port)) this.mark(port)
  }

  private mark(port: number): void {
    if (this.shared.select(port)) this.markUpcall()
  }

  /** The guest is interrupted when upcall_pending becomes set; it clears it when it begins to look. */
  private markUpcall(): void {
    if (this.shared.upcallPending) return
    this.shared.upcallPending = true
    this.upcall()
  }

  /** Ports in use, for the inspector. */
  get inUse(): number {
    return this.channels.filter(({ kind }) => kind !== 'closed').length
  }

  reset(): void {
    this.channels.length = 0
    this.listeners.clear()
  }

  save(): EventChannelsState {
    return { channels: this.channels.flatMap((channel, port) => (channel.kind === 'closed' ? [] : [[port, channel] as const])) }
  }

  load({ channels }: EventChannelsState): void {
    this.reset()
    for (const [port, channel] of channels) {
      if (!Number.isInteger(port) || port < 1 || port >= MAX_PORTS) continue
      while (this.channels.length <= port) this.channels.push(CLOSED)
      this.channels[port] = channel
    }
  }
}
