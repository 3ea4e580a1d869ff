/** RETF and IRET in all forms. SDM vol. 2 (RET, IRET), vol. 3A 5.8.6, 21.2.2 (return to virtual-8086 mode). */
import {
  CPL,
  NMI_BLOCKED,
  REG_EFLAGS,
  REG_GPR,
  REG_NEXT_RIP,
  SEG_ACCESS,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LIMIT,
  SEG_SS,
  STATUS_FAULT,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { raise_gp, raise_np } from '../interrupt/raise'
import {
  ACCESS_CODE,
  ACCESS_DB,
  ACCESS_DPL_SHIFT,
  ACCESS_EC,
  ACCESS_L,
  ACCESS_P,
  ACCESS_S,
  FLAGS_STATUS,
  FLAG_AC,
  FLAG_DF,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VIF,
  FLAG_VIP,
  FLAG_VM,
} from '../system/bits'
import { in_v86, iopl, writable_flags, write_eflags } from '../system/flags'
import { task_return } from '../task/switch'
import { code64, faulted, long_mode, protected_mode, refresh_mode, segment, set_segment } from './derived'
import { descriptor_access, descriptor_base, descriptor_dpl, descriptor_limit, DESCRIPTOR_OUTSIDE, mark_accessed, read_descriptor } from './descriptor'
import { check_target } from './far'
import { check_stack_selector, load_segment_descriptor, load_segment_null, load_segment_real } from './load'
import { stack_commit, stack_current, stack_pop, stack_skip } from './stack'

const RSP = REG_GPR + 32

/** Code segment of a return, checked against the RPL it returns to; its descriptor is in DESC_*. */
function check_return_code(vcpu: usize, selector: u32): i32 {
  if (!(selector & 0xfffc)) return raise_gp(vcpu, 0)
  const error = selector & 0xfffc
  const status = read_descriptor(vcpu, selector, 8)
  if (status == STATUS_FAULT) return status
  const rpl = <i32>(selector & 3)
  const access = descriptor_access(vcpu)
  if (
    status == DESCRIPTOR_OUTSIDE ||
    (access & (ACCESS_S | ACCESS_CODE)) != (ACCESS_S | ACCESS_CODE) ||
    rpl < load<i32>(vcpu, CPL) ||
    (access & ACCESS_EC ? descriptor_dpl(vcpu) > rpl : descriptor_dpl(vcpu) != rpl) ||
    (long_mode(vcpu) && (access & (ACCESS_L | ACCESS_DB)) == (ACCESS_L | ACCESS_DB))
  ) {
    return raise_gp(vcpu, error)
  }
  if (!(access & ACCESS_P)) return raise_np(vcpu, error)
  return mark_accessed(vcpu)
}

/**
 * Stack segment of a return to privilege `rpl`: checked and loaded (the last thing that can fault). Null is allowed for 64-bit code above ring 3.
 */
function load_return_stack(vcpu: usize, selector: u32, rpl: i32, to64: bool): i32 {
  if (!(selector & 0xfffc) && to64 && rpl != 3 && <i32>(selector & 3) == rpl) {
    load_segment_null(vcpu, SEG_SS, selector)
    return STATUS_NEXT
  }
  if (check_stack_selector(vcpu, selector, rpl, 13, 0) != STATUS_NEXT || mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
  load_segment_descriptor(vcpu, SEG_SS, selector)
  return STATUS_NEXT
}

/** Segments that the new, lower privilege may not use become null (SDM: RET, "outer privilege level"). */
function drop_privileged_segment(vcpu: usize, seg: i32): void {
  const access = load<u32>(segment(vcpu, seg), SEG_ACCESS)
  if (!(access & ACCESS_P)) {
    return
  }
  const conforming = (access & (ACCESS_CODE | ACCESS_EC)) == (ACCESS_CODE | ACCESS_EC)
  if (!conforming && <i32>((access >> ACCESS_DPL_SHIFT) & 3) < load<i32>(vcpu, CPL)) load_segment_null(vcpu, seg, 0)
}

function drop_privileged_segments(vcpu: usize): void {
  drop_privileged_segment(vcpu, SEG_ES)
  drop_privileged_segment(vcpu, SEG_DS)
  drop_privileged_segment(vcpu, SEG_FS)
  drop_privileged_segment(vcpu, SEG_GS)
}

/** RSP of the return's stack under the new stack segment's size: a 16-bit stack changes only SP. */
function set_return_pointer(vcpu: usize, pointer: u64, to64: bool): void {
  const old = load<u64>(vcpu, RSP)
  if (to64) store<u64>(vcpu, pointer, RSP)
  else if (load<u32>(segment(vcpu, SEG_SS), SEG_ACCESS) & ACCESS_DB) store<u64>(vcpu, pointer & 0xffffffff, RSP)
  else store<u64>(vcpu, (old & 0xffff0000) | (pointer & 0xffff), RSP)
}

/** RETF n with operand size `bytes`. */
export function far_return(vcpu: usize, bytes: i32, parameters: i32): i32 {
  parameters &= 0xffff
  stack_current(vcpu, 0)
  const rip = stack_pop(vcpu, bytes)
  const selector = <u32>stack_pop(vcpu, bytes) & 0xffff
  if (faulted(vcpu)) return STATUS_FAULT
  if (!protected_mode(vcpu)) {
    if (rip > <u64>load<u32>(segment(vcpu, SEG_CS), SEG_LIMIT)) return raise_gp(vcpu, 0)
    stack_skip(vcpu, parameters)
    stack_commit(vcpu)
    load_segment_real(vcpu, SEG_CS, selector)
    store<u64>(vcpu, rip, REG_NEXT_RIP)
    refresh_mode(vcpu)
    return STATUS_JUMP
  }
  if (check_return_code(vcpu, selector) != STATUS_NEXT) return STATUS_FAULT
  const access = descriptor_access(vcpu)
  const base = descriptor_base(vcpu)
  const limit = descriptor_limit(vcpu)
  if (check_target(vcpu, access, limit, rip) != STATUS_NEXT) return STATUS_FAULT
  const rpl = <i32>(selector & 3)
  stack_skip(vcpu, parameters)
  if (rpl > load<i32>(vcpu, CPL)) {
    const pointer = stack_pop(vcpu, bytes)
    const ss = <u32>stack_pop(vcpu, bytes) & 0xffff
    if (faulted(vcpu)) return STATUS_FAULT
    const to64 = long_mode(vcpu) && (access & ACCESS_L) != 0
    if (load_return_stack(vcpu, ss, rpl, to64) != STATUS_NEXT) return STATUS_FAULT
    store<i32>(vcpu, rpl, CPL)
    set_segment(vcpu, SEG_CS, selector, access, base, limit)
    set_return_pointer(vcpu, pointer, to64)
    refresh_mode(vcpu)
    drop_privileged_segments(vcpu)
    // The parameters are on the outer stack too.
    stack_current(vcpu, 0)
    stack_skip(vcpu, parameters)
    stack_commit(vcpu)
  } else {
    stack_commit(vcpu)
    set_segment(vcpu, SEG_CS, selector, access, base, limit)
  }
  store<u64>(vcpu, rip, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** IRET with operand size `bytes`. */
export function interrupt_return(vcpu: usize, bytes: i32): i32 {
  if (!protected_mode(vcpu)) return iret_real(vcpu, bytes)
  const flags = load<u32>(vcpu, REG_EFLAGS)
  if (flags & FLAG_NT) {
    if (long_mode(vcpu)) return raise_gp(vcpu, 0)
    const status = task_return(vcpu)
    if (status == STATUS_JUMP) store<i32>(vcpu, 0, NMI_BLOCKED)
    return status
  }
  stack_current(vcpu, 0)
  const rip = stack_pop(vcpu, bytes)
  const selector = <u32>stack_pop(vcpu, bytes) & 0xffff
  const newFlags = <u32>stack_pop(vcpu, bytes)
  if (faulted(vcpu)) return STATUS_FAULT
  if (bytes == 4 && newFlags & FLAG_VM && load<i32>(vcpu, CPL) == 0 && !long_mode(vcpu)) return iret_v86(vcpu, rip, selector, newFlags)
  if (check_return_code(vcpu, selector) != STATUS_NEXT) return STATUS_FAULT
  const access = descriptor_access(vcpu)
  const base = descriptor_base(vcpu)
  const limit = descriptor_limit(vcpu)
  const oldCpl = load<i32>(vcpu, CPL)
  const rpl = <i32>(selector & 3)
  const to64 = long_mode(vcpu) && (access & ACCESS_L) != 0
  // IRET in 64-bit mode always pops the stack, too.
  const withStack = rpl > oldCpl || code64(vcpu)
  let pointer: u64 = 0
  let ss: u32 = 0
  if (withStack) {
    pointer = stack_pop(vcpu, bytes)
    ss = <u32>stack_pop(vcpu, bytes) & 0xffff
    if (faulted(vcpu)) return STATUS_FAULT
  }
  if (check_target(vcpu, access, limit, rip) != STATUS_NEXT) return STATUS_FAULT
  if (withStack && load_return_stack(vcpu, ss, rpl, to64) != STATUS_NEXT) return STATUS_FAULT
  let mask = writable_flags(vcpu, bytes)
  if (bytes != 2) {
    mask |= FLAG_RF
    if (oldCpl == 0) mask |= FLAG_VIF | FLAG_VIP
  }
  store<i32>(vcpu, rpl, CPL)
  set_segment(vcpu, SEG_CS, selector, access, base, limit)
  if (withStack) set_return_pointer(vcpu, pointer, to64)
  else stack_commit(vcpu)
  store<u64>(vcpu, rip, REG_NEXT_RIP)
  write_eflags(vcpu, newFlags, mask)
  refresh_mode(vcpu)
  if (rpl > oldCpl) drop_privileged_segments(vcpu)
  store<i32>(vcpu, 0, NMI_BLOCKED)
  return STATUS_JUMP
}

/** Real mode, and virtual-8086 mode with IOPL 3. */
function iret_real(vcpu: usize, bytes: i32): i32 {
  const v86 = in_v86(vcpu)
  if (v86 && iopl(vcpu) < 3) return raise_gp(vcpu, 0)
  stack_current(vcpu, 0)
  const rip = stack_pop(vcpu, bytes)
  const selector = <u32>stack_pop(vcpu, bytes) & 0xffff
  const newFlags = <u32>stack_pop(vcpu, bytes)
  if (faulted(vcpu)) return STATUS_FAULT
  if (rip > <u64>load<u32>(segment(vcpu, SEG_CS), SEG_LIMIT)) return raise_gp(vcpu, 0)
  stack_commit(vcpu)
  load_segment_real(vcpu, SEG_CS, selector)
  store<u64>(vcpu, rip, REG_NEXT_RIP)
  let mask = FLAGS_STATUS | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID
  if (!v86) mask |= FLAG_IOPL
  write_eflags(vcpu, newFlags, bytes == 2 ? mask & 0xffff : mask)
  refresh_mode(vcpu)
  store<i32>(vcpu, 0, NMI_BLOCKED)
  return STATUS_JUMP
}

/** IRETD at CPL 0 with VM in the flags image: SS:ESP and the four data segments follow. */
function iret_v86(vcpu: usize, rip: u64, cs: u32, flags: u32): i32 {
  const esp = stack_pop(vcpu, 4)
  const ss = <u32>stack_pop(vcpu, 4)
  const es = <u32>stack_pop(vcpu, 4)
  const ds = <u32>stack_pop(vcpu, 4)
  const fs = <u32>stack_pop(vcpu, 4)
  const gs = <u32>stack_pop(vcpu, 4)
  if (faulted(vcpu)) return STATUS_FAULT
  if (rip > 0xffff) return raise_gp(vcpu, 0)
  const mask =
    FLAGS_STATUS | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP | FLAG_ID
  write_eflags(vcpu, flags, mask)
  store<i32>(vcpu, 3, CPL)
  load_segment_real(vcpu, SEG_CS, cs)
  load_segment_real(vcpu, SEG_SS, ss)
  load_segment_real(vcpu, SEG_ES, es)
  load_segment_real(vcpu, SEG_DS, ds)
  load_segment_real(vcpu, SEG_FS, fs)
  load_segment_real(vcpu, SEG_GS, gs)
  store<u64>(vcpu, esp, RSP)
  store<u64>(vcpu, rip, REG_NEXT_RIP)
  refresh_mode(vcpu)
  store<i32>(vcpu, 0, NMI_BLOCKED)
  return STATUS_JUMP
}
