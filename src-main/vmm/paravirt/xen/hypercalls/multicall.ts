/** HYPERVISOR_multicall: several calls in one, as xen/include/public/xen.h has it (struct multicall_entry). They share the limit of one. */
import { EINVAL, refuse } from '../errors'
import type { HypercallCall } from '../hypercall-call'
import type { Hypercall } from './domain'

const MAX_CALLS = 64
const ARGUMENTS = 6
const MULTICALL = 13n
const SCHED_OP = 29n

export function multicall(dispatch: (number: number, call: HypercallCall) => bigint | number | 'block'): Hypercall {
  return (call) => {
    const [at, count] = [call.argument(0), call.argument32(1)]
    if (count > MAX_CALLS) refuse(EINVAL)
    for (let i = 0; i < count; i++) {
      // op, result, args[6]
      const entry = at + BigInt(i * (2 + ARGUMENTS) * call.word)
      const number = call.readLong(entry, 0)
      const nested = call.nested(Array.from({ length: ARGUMENTS }, (_, n) => call.readLong(entry, 2 + n)))
      // Batches in batches, and waiting in the middle of one, are refused.
      const result = number === MULTICALL || number === SCHED_OP || number > 0xffn ? BigInt(-EINVAL) : BigInt(toNumber(dispatch(Number(number), nested)))
      call.absorb(nested)
      call.writeLong(entry, 1, result)
    }
    return 0
  }
}

function toNumber(result: bigint | number | 'block'): bigint | number {
  return result === 'block' ? 0 : result
}
