/** HYPERVISOR_event_channel_op. xen/include/public/event_channel.h. The FIFO ABI is not offered: the guest stays with two levels. */
import { isSelf } from '../domains'
import { EINVAL, ENOSYS, EPERM, refuse } from '../errors'
import type { Channel } from '../event-channels'
import { GuestStruct } from '../guest-struct'
import type { HypercallCall } from '../hypercall-call'
import type { Domain, Hypercall } from './domain'

const BIND_INTERDOMAIN = 0
const BIND_VIRQ = 1
const CLOSE = 3
const SEND = 4
const STATUS = 5
const ALLOC_UNBOUND = 6
const BIND_IPI = 7
const BIND_VCPU = 8
const UNMASK = 9

const UNBOUND = new GuestStruct({ domain: 'u16', remote: 'u16', port: 'u32' })
const INTERDOMAIN = new GuestStruct({ remote: 'u16', remotePort: 'u32', port: 'u32' })
const VIRQ = new GuestStruct({ virq: 'u32', vcpu: 'u32', port: 'u32' })
const IPI = new GuestStruct({ vcpu: 'u32', port: 'u32' })
const PORT = new GuestStruct({ port: 'u32' })
const PORT_VCPU = new GuestStruct({ port: 'u32', vcpu: 'u32' })
/** The union that follows has a domain and port, or a virtual interrupt's number, at the same place. */
const STATUS_QUERY = new GuestStruct({ domain: 'u16', port: 'u32', status: 'u32', vcpu: 'u32', detail: 'u32', remotePort: 'u32' })

const STATUS_CODES: Readonly<Record<Channel['kind'], number>> = { closed: 0, unbound: 1, interdomain: 2, virq: 4, ipi: 5 }

export const eventChannelOp: Hypercall = (call, { events }) => {
  const at = call.argument(1)
  switch (call.argument32(0)) {
    case ALLOC_UNBOUND: {
      const { domain, remote } = call.read(UNBOUND, at)
      call.writeField(UNBOUND, at, 'port', events.allocateUnbound(domain, remote))
      return 0
    }
    case BIND_INTERDOMAIN: {
      const { remote, remotePort } = call.read(INTERDOMAIN, at)
      call.writeField(INTERDOMAIN, at, 'port', events.bindInterdomain(remote, remotePort))
      return 0
    }
    case BIND_VIRQ: {
      const { virq, vcpu } = call.read(VIRQ, at)
      call.writeField(VIRQ, at, 'port', events.bindVirq(virq, vcpu))
      return 0
    }
    case BIND_IPI:
      call.writeField(IPI, at, 'port', events.bindIpi(call.read(IPI, at).vcpu))
      return 0
    case BIND_VCPU: {
      const { port, vcpu } = call.read(PORT_VCPU, at)
      events.bindVcpu(port, vcpu)
      return 0
    }
    case CLOSE:
      events.close(call.read(PORT, at).port)
      return 0
    case SEND:
      events.send(call.read(PORT, at).port)
      return 0
    case UNMASK:
      events.unmask(call.read(PORT, at).port)
      return 0
    case STATUS:
      return status(call, events, at)
    default:
      return refuse(ENOSYS)
  }
}

function status(call: HypercallCall, events: Domain['events'], at: bigint): number {
  const { domain, port } = call.read(STATUS_QUERY, at)
  if (!isSelf(domain)) refuse(EPERM)
  if (port === 0) refuse(EINVAL)
  const channel = events.status(port)
  call.writeField(STATUS_QUERY, at, 'status', STATUS_CODES[channel.kind])
  call.writeField(STATUS_QUERY, at, 'vcpu', 0)
  if (channel.kind === 'virq') call.writeField(STATUS_QUERY, at, 'detail', channel.virq)
  if (channel.kind === 'unbound' || channel.kind === 'interdomain') call.writeField(STATUS_QUERY, at, 'detail', channel.remote)
  if (channel.kind === 'interdomain') call.writeField(STATUS_QUERY, at, 'remotePort', Math.max(0, channel.remotePort))
  return 0
}
