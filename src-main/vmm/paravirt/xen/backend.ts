/** What the devices of a Xen guest are to its domain: our ends of rings, found through the store. */
import type { GuestMemory } from '../../memory/guest-memory'
import type { TimerService } from '../../time/clock'
import type { SavedState } from '../../devices/device'
import type { EventChannels } from './event-channels'
import type { GrantTable } from './grant-table'
import type { Store } from './xenstore/store'

export interface XenBackendHost {
  readonly memory: GuestMemory
  readonly time: TimerService
  readonly store: Store
  readonly events: EventChannels
  readonly grants: GrantTable
}

export interface XenBackend<S extends SavedState = SavedState> {
  /** Stable: the key in the saved state, e.g. 'xen-block.0'. */
  readonly name: string
  /** Called once, before anything else. */
  connect(host: XenBackendHost): void
  /** At power-on and after each reset: everything is forgotten, the store is empty, and the device puts itself into it. */
  start(): void
  save(): S
  /** After store, channels and grants are back. */
  load(state: S): void
  /** What it counted, by name. */
  figures(): Readonly<Record<string, number>>
}
