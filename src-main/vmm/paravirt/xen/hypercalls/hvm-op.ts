/** HYPERVISOR_hvm_op. xen/include/public/hvm/hvm_op.h. */
import { isSelf } from '../domains'
import { EINVAL, ENOSYS, EPERM, refuse } from '../errors'
import { GuestStruct } from '../guest-struct'
import type { HypercallCall } from '../hypercall-call'
import type { Hypercall } from './domain'

const SET_PARAM = 0
const GET_PARAM = 1
const GET_TIME = 10
const SET_UPCALL_VECTOR = 23

const PARAM = new GuestStruct({ domain: 'u16', padding: 'u16', index: 'u32', value: 'u64' })
const VECTOR = new GuestStruct({ vcpu: 'u32', vector: 'u8' })
const TIME = new GuestStruct({ now: 'u64' })

/** `upcall`: asks for the interrupt again, should something be pending already. */
export function hvmOp(upcall: () => void): Hypercall {
  return (call, domain) => {
    const at = call.argument(1)
    switch (call.argument32(0)) {
      case SET_PARAM: {
        const { index, value } = readParam(call, at)
        domain.parameters.set(index, value)
        if (domain.shared.upcallPending) upcall()
        return 0
      }
      case GET_PARAM: {
        const { index } = readParam(call, at)
        call.writeField(PARAM, at, 'value', domain.parameters.get(index))
        return 0
      }
      case GET_TIME:
        call.writeField(TIME, at, 'now', BigInt(domain.time.now()))
        return 0
      case SET_UPCALL_VECTOR: {
        const { vcpu, vector } = call.read(VECTOR, at)
        if (vcpu !== 0) refuse(EINVAL)
        domain.parameters.setUpcallVector(vector)
        if (domain.shared.upcallPending) upcall()
        return 0
      }
      default:
        return refuse(ENOSYS)
    }
  }
}

function readParam(call: HypercallCall, at: bigint): { readonly index: number; readonly value: bigint } {
  const { domain, index, value } = call.read(PARAM, at)
  if (!isSelf(domain)) refuse(EPERM)
  return { index, value }
}
