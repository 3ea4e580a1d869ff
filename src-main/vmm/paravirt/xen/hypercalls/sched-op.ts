/** HYPERVISOR_sched_op. xen/include/public/sched.h. */
import { EINVAL, ENOSYS, refuse } from '../errors'
import { GuestStruct } from '../guest-struct'
import type { Hypercall } from './domain'

const YIELD = 0
const BLOCK = 1
const SHUTDOWN = 2
const POLL = 3
const MAX_POLLED = 128

export const SHUTDOWN_POWEROFF = 0
export const SHUTDOWN_REBOOT = 1
export const SHUTDOWN_SUSPEND = 2
export const SHUTDOWN_CRASH = 3
/** What a suspended guest reads when it goes on in the same domain. */
const SUSPEND_CANCELLED = 1

const SHUTDOWN_ARGUMENT = new GuestStruct({ reason: 'u32' })
const POLL_ARGUMENT = new GuestStruct({ ports: 'long', count: 'u32', timeout: 'u64' })

export const schedOp: Hypercall = (call, domain) => {
  const at = call.argument(1)
  switch (call.argument32(0)) {
    case YIELD:
      domain.leaveSlice()
      return 0
    case BLOCK:
      return 'block'
    case SHUTDOWN: {
      const { reason } = call.read(SHUTDOWN_ARGUMENT, at)
      // A machine is saved with the guest none the wiser: one that prepares for it goes on at once.
      if (reason === SHUTDOWN_SUSPEND) return SUSPEND_CANCELLED
      domain.shutdown(reason)
      return 0
    }
    case POLL: {
      // May come back before anything has happened; the guest looks again.
      if (call.read(POLL_ARGUMENT, at).count > MAX_POLLED) refuse(EINVAL)
      domain.leaveSlice()
      return 0
    }
    default:
      return refuse(ENOSYS)
  }
}
