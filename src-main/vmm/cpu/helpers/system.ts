/** Helpers of the system and far-control meanings (core/{mmu,segment,interrupt,task,system}). */
import type { HelperTable } from './signature'

export const systemHelpers: HelperTable = {
  // core/segment
  /** (segment number, selector) */
  load_segment: { params: ['i32', 'i32'], result: 'status' },
  /** After a load of SS: STATUS_JUMP. */
  stack_segment_shadow: { params: [], result: 'status' },
  /** (selector, offset, operand bytes, 1 = call) */
  far_transfer: { params: ['i32', 'i64', 'i32', 'i32'], result: 'status' },
  /** (operand bytes, bytes of parameters to drop) */
  far_return: { params: ['i32', 'i32'], result: 'status' },
  interrupt_return: { params: ['i32'], result: 'status' },
  syscall: { params: [], result: 'status' },
  sysret: { params: ['i32'], result: 'status' },
  sysenter: { params: [], result: 'status' },
  sysexit: { params: ['i32'], result: 'status' },
  swapgs: { params: [], result: 'status' },
  lldt: { params: ['i32'], result: 'status' },
  ltr: { params: ['i32'], result: 'status' },
  /** #UD outside protected mode. */
  check_protected: { params: [], result: 'status' },
  /** #GP(0) above CPL 0. */
  privileged: { params: [], result: 'status' },
  /** (selector): 1 = visible, the result is in SCRATCH. */
  lar: { params: ['i32'], result: 'i32 or fault' },
  lsl: { params: ['i32'], result: 'i32 or fault' },
  /** (selector, 1 = for writing) */
  verify_segment: { params: ['i32', 'i32'], result: 'i32 or fault' },
  /** (base, limit) */
  load_gdtr: { params: ['i64', 'i32'], result: 'status' },
  load_idtr: { params: ['i64', 'i32'], result: 'status' },
  // core/interrupt
  int_n: { params: ['i32'], result: 'status' },
  int3: { params: [], result: 'status' },
  int1: { params: [], result: 'status' },
  into: { params: [], result: 'status' },
  hlt: { params: [], result: 'status' },
  // core/system
  pushf_value: { params: [], result: 'i32 or fault' },
  popf_check: { params: [], result: 'status' },
  /** (value, operand bytes) */
  popf_write: { params: ['i32', 'i32'], result: 'void' },
  cli: { params: [], result: 'status' },
  sti: { params: [], result: 'status' },
  read_cr: { params: ['i32'], result: 'i64 or fault' },
  write_cr: { params: ['i32', 'i64'], result: 'status' },
  read_dr: { params: ['i32'], result: 'i64 or fault' },
  write_dr: { params: ['i32', 'i64'], result: 'status' },
  clts: { params: [], result: 'status' },
  lmsw: { params: ['i32'], result: 'status' },
  smsw: { params: [], result: 'i64' },
  invlpg: { params: ['i64'], result: 'status' },
  xgetbv: { params: ['i32'], result: 'i64 or fault' },
  xsetbv: { params: ['i32', 'i64'], result: 'status' },
  set_ac: { params: ['i32'], result: 'status' },
  rdmsr: { params: [], result: 'status' },
  wrmsr: { params: [], result: 'status' },
  /** VMCALL, VMMCALL. */
  hypercall: { params: [], result: 'status' },
  cpuid: { params: [], result: 'void' },
  rdtsc: { params: [], result: 'status' },
  rdtscp: { params: [], result: 'status' },
  rdpmc: { params: [], result: 'status' },
  random_next: { params: [], result: 'i64' },
  read_segment_base: { params: ['i32'], result: 'i64 or fault' },
  set_segment_base: { params: ['i32', 'i64'], result: 'status' },
  // core/task and ports
  /** (port, bytes) */
  io_check: { params: ['i32', 'i32'], result: 'status' },
  io_read: { params: ['i32', 'i32'], result: 'i32' },
  io_write: { params: ['i32', 'i32', 'i32'], result: 'void' },
}
