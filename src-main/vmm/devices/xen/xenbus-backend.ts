/**
 * Our half of a device: both halves tell their state in the store, and follow each other's. xen/include/public/io/xenbus.h; who does what when:
 * the comments of io/blkif.h and netif.h.
 */
import type { XenBackend, XenBackendHost } from '../../paravirt/xen/backend'
import { BACKEND_DOMAIN, GUEST_DOMAIN } from '../../paravirt/xen/domains'
import { VmmError } from '../../errors/vmm-error'
import type { SavedState } from '../device'

const STATE_INITIALISING = 1
const STATE_INIT_WAIT = 2
const STATE_INITIALISED = 3
const STATE_CONNECTED = 4
const STATE_CLOSING = 5
const STATE_CLOSED = 6

export interface XenbusPlace {
  /** 'vbd', 'vif'. */
  readonly kind: string
  /** Number of the device among its kind, in the store. */
  readonly id: number
}

export abstract class XenbusBackend<S extends SavedState> implements XenBackend<S> {
  private connected: XenBackendHost | undefined
  protected readonly frontend: string
  protected readonly backend: string
  private state = STATE_INITIALISING
  private stopWatching: () => void = () => undefined

  constructor(
    readonly name: string,
    { kind, id }: XenbusPlace,
  ) {
    this.frontend = `/local/domain/${GUEST_DOMAIN}/device/${kind}/${id}`
    this.backend = `/local/domain/${BACKEND_DOMAIN}/backend/${kind}/${GUEST_DOMAIN}/${id}`
  }

  connect(host: XenBackendHost): void {
    this.connected = host
  }

  protected get host(): XenBackendHost {
    if (!this.connected) throw new VmmError('internal/bug', `${this.name}: used before it was connected`)
    return this.connected
  }

  /** What both halves' folders hold beyond what all devices have. */
  protected abstract describe(): { readonly frontend: Readonly<Record<string, string | number>>; readonly backend: Readonly<Record<string, string | number>> }
  /** The guest's half has said what it has to say. False: it makes no sense. */
  protected abstract attach(): boolean
  /** Lets go of rings and channels; what is under way finds nobody. */
  protected abstract detach(): void
  abstract save(): S
  abstract load(state: S): void
  abstract figures(): Readonly<Record<string, number>>

  get isConnected(): boolean {
    return this.state === STATE_CONNECTED
  }

  start(): void {
    this.stopWatching()
    this.detach()
    const { store } = this.host
    const { frontend, backend } = this.describe()
    const guestOwned = [{ access: 'n', domain: GUEST_DOMAIN }, { access: 'r', domain: BACKEND_DOMAIN }] as const
    const guestReads = [{ access: 'n', domain: BACKEND_DOMAIN }, { access: 'r', domain: GUEST_DOMAIN }] as const
    store.put(this.frontend, '', guestOwned)
    store.put(this.backend, '', guestReads)
    const ours = { frontend: this.frontend, 'frontend-id': GUEST_DOMAIN, online: 1, ...backend }
    for (const [key, value] of Object.entries(ours)) store.put(`${this.backend}/${key}`, value)
    this.state = STATE_INITIALISING
    this.setState(STATE_INIT_WAIT)
    const theirs = { backend: this.backend, 'backend-id': BACKEND_DOMAIN, state: STATE_INITIALISING, ...frontend }
    for (const [key, value] of Object.entries(theirs)) store.put(`${this.frontend}/${key}`, value)
    this.stopWatching = this.host.store.watch(`${this.frontend}/state`, () => this.follow())
  }

  private follow(): void {
    switch (this.frontNumber('state')) {
      case STATE_INITIALISED:
      case STATE_CONNECTED:
        if (this.state !== STATE_INIT_WAIT) return
        if (this.attach()) this.setState(STATE_CONNECTED)
        else this.fail('the rings or channels that the guest names are not there')
        return
      case STATE_CLOSING:
        if (this.state !== STATE_CLOSED) this.shut(STATE_CLOSING)
        return
      case STATE_CLOSED:
        this.shut(STATE_CLOSED)
        return
      case STATE_INITIALISING:
        if (this.state === STATE_CLOSED || this.state === STATE_CLOSING) this.setState(STATE_INIT_WAIT)
        return
      case undefined:
        // The guest has taken its half out of the store: a driver that is unloaded does not.
        this.shut(STATE_CLOSED)
        return
    }
  }

  private shut(state: number): void {
    this.detach()
    this.setState(state)
  }

  private setState(state: number): void {
    if (this.state === state) return
    this.state = state
    this.host.store.put(`${this.backend}/state`, state)
  }

  /** The guest broke the rules: the device is gone until its driver starts anew. */
  protected fail(reason: string): void {
    this.detach()
    this.host.store.put(`${this.backend}/error`, reason)
    this.setState(STATE_CLOSING)
  }

  /** A number that the guest's half has put into the store. */
  protected frontNumber(key: string): number | undefined {
    const text = this.host.store.text(`${this.frontend}/${key}`)
    return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
  }

  protected frontText(key: string): string | undefined {
    return this.host.store.text(`${this.frontend}/${key}`)
  }

  protected tell(key: string, value: string | number): void {
    this.host.store.put(`${this.backend}/${key}`, value)
  }

  protected get savedBusState(): number {
    return this.state
  }

  /** True: the device was connected, and is to take its rings and channels again. */
  protected loadBusState(state: number): boolean {
    this.stopWatching()
    this.state = state
    this.stopWatching = this.host.store.watch(`${this.frontend}/state`, () => this.follow())
    return state === STATE_CONNECTED
  }
}
