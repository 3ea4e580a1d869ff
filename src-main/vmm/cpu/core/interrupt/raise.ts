/** Recording exceptions. Delivery is deliver.ts; between the two the vCPU is as before the instruction. */
import { EXC_ERROR, EXC_HAS_ERROR, EXC_VECTOR, STATUS_FAULT } from '../../layout'
import { EXC_TRAP } from '../../layout-system'
import { EXCEPTION_GP, EXCEPTION_NP, EXCEPTION_SS, EXCEPTION_TS, EXCEPTION_UD } from '../system/bits'

/** Records an exception; returns STATUS_FAULT, so that helpers can end with `return raise(...)`. */
export function raise(vcpu: usize, vector: i32, error: i32, hasError: i32): i32 {
  store<i32>(vcpu, vector, EXC_VECTOR)
  store<i32>(vcpu, error, EXC_ERROR)
  store<i32>(vcpu, hasError, EXC_HAS_ERROR)
  store<u32>(vcpu, 0, EXC_TRAP)
  return STATUS_FAULT
}

export function raise_ud(vcpu: usize): i32 {
  return raise(vcpu, EXCEPTION_UD, 0, 0)
}
export function raise_gp(vcpu: usize, error: u32): i32 {
  return raise(vcpu, EXCEPTION_GP, error & 0xffff, 1)
}
export function raise_np(vcpu: usize, error: u32): i32 {
  return raise(vcpu, EXCEPTION_NP, error & 0xffff, 1)
}
export function raise_ss(vcpu: usize, error: u32): i32 {
  return raise(vcpu, EXCEPTION_SS, error & 0xffff, 1)
}
export function raise_ts(vcpu: usize, error: u32): i32 {
  return raise(vcpu, EXCEPTION_TS, error & 0xffff, 1)
}
