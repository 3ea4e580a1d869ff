/**
 * What a pending x87 exception means for the instruction that waits for it. SDM vol. 1, 8.7: with CR0.NE it is #MF; without, the processor drives
 * FERR# and stands still until an interrupt comes in, unless IGNNE# tells it to go on. On a PC FERR# is IRQ 13.
 */
import { float_error } from '../host'
import {
  CR0_NE, EXC_HAS_ERROR, EXC_VECTOR, FPU_IGNORE_ERRORS, FPU_SW, REG_CR0, REG_NEXT_RIP, REG_RIP, STATUS_FAULT, STATUS_JUMP, STATUS_NEXT,
} from './constants'
import { SW_ES } from './state'

const NM: i32 = 7
const MF: i32 = 16

function fault(vcpu: usize, vector: i32): i32 {
  store<i32>(vcpu + EXC_VECTOR, vector)
  store<i32>(vcpu + EXC_HAS_ERROR, 0)
  return STATUS_FAULT
}

export function deviceNotAvailable(vcpu: usize): i32 {
  return fault(vcpu, NM)
}

/** STATUS_NEXT when nothing is pending. */
export function pendingError(vcpu: usize): i32 {
  if (!(load<u32>(vcpu + FPU_SW) & SW_ES)) return STATUS_NEXT
  if (load<u32>(vcpu + REG_CR0) & CR0_NE) return fault(vcpu, MF)
  if (load<u32>(vcpu + FPU_IGNORE_ERRORS)) return STATUS_NEXT
  if (!float_error(vcpu)) return fault(vcpu, MF)
  // The instruction is tried again until an interrupt is taken: the slice and its deadlines go on.
  store<u64>(vcpu + REG_NEXT_RIP, load<u64>(vcpu + REG_RIP))
  return STATUS_JUMP
}
