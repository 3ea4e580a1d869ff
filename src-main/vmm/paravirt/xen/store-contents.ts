/** What the toolstack puts into the store for a domain: docs/misc/xenstore-paths.pandoc of Xen. */
import { BACKEND_DOMAIN, GUEST_DOMAIN } from './domains'
import type { Permission } from './xenstore/tree'
import type { Store } from './xenstore/store'

export const DOMAIN_HOME: string = `/local/domain/${GUEST_DOMAIN}`
const GUEST_OWNS: readonly Permission[] = [{ access: 'n', domain: GUEST_DOMAIN }]
const GUEST_READS: readonly Permission[] = [{ access: 'n', domain: BACKEND_DOMAIN }, { access: 'r', domain: GUEST_DOMAIN }]

export interface DomainFacts {
  readonly name: string
  readonly uuid: string
  readonly memoryKiB: number
  readonly storeFrame: number
  readonly storePort: number
  /** Absent: the domain has no console. */
  readonly console?: { readonly frame: number; readonly port: number }
}

export function fillStore(store: Store, facts: DomainFacts): void {
  const { name, uuid, memoryKiB, storeFrame, storePort, console } = facts
  const vm = `/vm/${uuid}`
  for (const path of ['/local', '/local/domain']) store.put(path, '', [{ access: 'n', domain: BACKEND_DOMAIN }])
  store.put(`/local/domain/${BACKEND_DOMAIN}`, '', GUEST_READS)
  store.put(`${vm}/uuid`, uuid)
  store.put(`${vm}/name`, name)
  for (const path of [vm, `${vm}/uuid`, `${vm}/name`]) store.setPermissions(BACKEND_DOMAIN, path, GUEST_READS)
  store.put(DOMAIN_HOME, '', GUEST_READS)
  const entries: Readonly<Record<string, string | number>> = {
    name, vm, domid: GUEST_DOMAIN,
    'cpu/0/availability': 'online',
    'memory/static-max': memoryKiB, 'memory/target': memoryKiB, 'memory/videoram': 0,
    'store/port': storePort, 'store/ring-ref': storeFrame,
    'control/platform-feature-multiprocessor-suspend': 1, 'control/platform-feature-xs_reset_watches': 1,
    device: '',
    ...(console ? { 'console/port': console.port, 'console/ring-ref': console.frame, 'console/type': 'xenconsoled', 'console/limit': 1048576, 'console/output': 'pty', 'console/tty': '' } : {}),
  }
  for (const [path, value] of Object.entries(entries)) store.put(`${DOMAIN_HOME}/${path}`, value)
  // What the guest may write: its answers to requests, what it can do, and whatever it likes under data.
  const own = ['control/shutdown', 'control/feature-poweroff', 'control/feature-reboot', 'control/feature-suspend', 'control/sysrq', 'data', 'drivers', 'feature', 'attr', 'error', 'device/suspend/event-channel']
  for (const path of own) store.put(`${DOMAIN_HOME}/${path}`, '', GUEST_OWNS)
}
