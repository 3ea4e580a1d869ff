/** HYPERVISOR_console_io: the hypervisor's own console, for guests whose own does not work yet. */
import { EINVAL, ENOSYS, refuse } from '../errors'
import type { Hypercall } from './domain'

const WRITE = 0
const READ = 1
const MOST = 4096

export const consoleIo: Hypercall = (call, domain) => {
  const count = call.argument32(1)
  if (count > MOST || !call.afford(count)) refuse(EINVAL)
  const at = call.argument(2)
  switch (call.argument32(0)) {
    case WRITE:
      domain.print(call.readBytes(at, count))
      return 0
    case READ:
      // What is typed there is not the guest's.
      return 0
    default:
      return refuse(ENOSYS)
  }
}
