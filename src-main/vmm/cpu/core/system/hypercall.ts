/**
 * VMCALL and VMMCALL: calls of the hypervisor by its guest. Both vendors' encodings do the same, as with hypervisors that move guests between hosts. They
 * leave the guest at every privilege level and in every mode; the interface decides who may call. SDM vol. 3C 25.1.2 and chapter 30, APM vol. 2 15.9.
 */
import { STATUS_JUMP } from '../../layout'
import { HYPERCALL_HALT, HYPERCALL_UNDEFINED } from '../../layout-system'
import { call_hypervisor } from '../host'
import { halt } from '../interrupt/external'
import { raise_ud } from '../interrupt/raise'

export function hypercall(vcpu: usize): i32 {
  const answer = call_hypervisor(vcpu)
  if (answer == HYPERCALL_UNDEFINED) return raise_ud(vcpu)
  return answer == HYPERCALL_HALT ? halt(vcpu) : STATUS_JUMP
}
