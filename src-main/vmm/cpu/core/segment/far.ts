/** Far JMP and CALL: code segments, call gates, task gates, TSSs. SDM vol. 2 (CALL, JMP), vol. 3A 5.8. */
import {
  CPL,
  REG_GPR,
  REG_NEXT_RIP,
  SEG_CS,
  SEG_LIMIT,
  SEG_SS,
  STATUS_FAULT,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { DESC_HIGH, DESC_UPPER, STK_POINTER } from '../../layout-system'
import { raise_gp, raise_np, raise_ts } from '../interrupt/raise'
import { is_canonical } from '../mmu/access'
import { access_mode_for } from '../mmu/walk'
import { ACCESS_CODE, ACCESS_DB, ACCESS_EC, ACCESS_L, ACCESS_P, ACCESS_S, FLAG_AC } from '../system/bits'
import { read_eflags } from '../system/flags'
import { switch_task, TASK_CALL, TASK_JUMP } from '../task/switch'
import { faulted, long_mode, protected_mode, refresh_mode, segment, selector_of, set_segment } from './derived'
import {
  descriptor_access,
  descriptor_base,
  descriptor_dpl,
  descriptor_limit,
  descriptor_type,
  DESCRIPTOR_OUTSIDE,
  gate_offset32,
  gate_selector,
  mark_accessed,
  read_descriptor,
} from './descriptor'
import { check_stack_selector, load_segment_null, load_segment_real } from './load'
import { stack_commit, stack_current, stack_new, stack_new64, stack_peek, stack_push } from './stack'
import { tss_stack } from './tss'

const RSP = REG_GPR + 32

/** Checks of a far jump or call straight to the code segment just read. */
function check_direct(vcpu: usize, selector: u32): i32 {
  const error = selector & 0xfffc
  const access = descriptor_access(vcpu)
  const cpl = load<i32>(vcpu, CPL)
  const dpl = descriptor_dpl(vcpu)
  if (access & ACCESS_EC) {
    if (dpl > cpl) return raise_gp(vcpu, error)
  } else if (<i32>(selector & 3) > cpl || dpl != cpl) {
    return raise_gp(vcpu, error)
  }
  if (long_mode(vcpu) && (access & (ACCESS_L | ACCESS_DB)) == (ACCESS_L | ACCESS_DB)) return raise_gp(vcpu, error)
  if (!(access & ACCESS_P)) return raise_np(vcpu, error)
  return STATUS_NEXT
}

/** Does the offset lie in the code segment just read (or is it canonical, for 64-bit code)? #GP(0). */
export function check_target(vcpu: usize, access: u32, limit: u32, offset: u64): i32 {
  if (long_mode(vcpu) && access & ACCESS_L) return is_canonical(offset) ? STATUS_NEXT : raise_gp(vcpu, 0)
  return offset > <u64>limit ? raise_gp(vcpu, 0) : STATUS_NEXT
}

/** Far JMP (call = 0) or CALL (1) to selector:offset; `bytes` is the operand size. */
export function far_transfer(vcpu: usize, selector: u32, offset: u64, bytes: i32, call: i32): i32 {
  selector &= 0xffff
  if (bytes == 2) offset &= 0xffff
  else if (bytes == 4) offset &= 0xffffffff
  if (!protected_mode(vcpu)) return far_real(vcpu, selector, offset, bytes, call)
  if (!(selector & 0xfffc)) return raise_gp(vcpu, 0)
  const status = read_descriptor(vcpu, selector, 8)
  if (status == STATUS_FAULT) return status
  if (status == DESCRIPTOR_OUTSIDE) return raise_gp(vcpu, selector & 0xfffc)
  const access = descriptor_access(vcpu)
  if (!(access & ACCESS_S)) return far_system(vcpu, selector, call)
  if (!(access & ACCESS_CODE)) return raise_gp(vcpu, selector & 0xfffc)
  if (check_direct(vcpu, selector) != STATUS_NEXT) return STATUS_FAULT
  if (mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
  return enter_same(vcpu, selector, offset, bytes, call)
}

function far_real(vcpu: usize, selector: u32, offset: u64, bytes: i32, call: i32): i32 {
  if (call) {
    stack_current(vcpu, 0)
    if (stack_push(vcpu, selector_of(vcpu, SEG_CS), bytes) != STATUS_NEXT) return STATUS_FAULT
    if (stack_push(vcpu, load<u64>(vcpu, REG_NEXT_RIP), bytes) != STATUS_NEXT) return STATUS_FAULT
  }
  if (offset > <u64>load<u32>(segment(vcpu, SEG_CS), SEG_LIMIT)) return raise_gp(vcpu, 0)
  if (call) stack_commit(vcpu)
  load_segment_real(vcpu, SEG_CS, selector)
  store<u64>(vcpu, offset, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** To the checked code segment in DESC_*, at the current privilege. */
function enter_same(vcpu: usize, selector: u32, offset: u64, bytes: i32, call: i32): i32 {
  const access = descriptor_access(vcpu)
  const base = descriptor_base(vcpu)
  const limit = descriptor_limit(vcpu)
  if (call) {
    stack_current(vcpu, 0)
    if (stack_push(vcpu, selector_of(vcpu, SEG_CS), bytes) != STATUS_NEXT) return STATUS_FAULT
    if (stack_push(vcpu, load<u64>(vcpu, REG_NEXT_RIP), bytes) != STATUS_NEXT) return STATUS_FAULT
  }
  if (check_target(vcpu, access, limit, offset) != STATUS_NEXT) return STATUS_FAULT
  if (call) stack_commit(vcpu)
  set_segment(vcpu, SEG_CS, (selector & 0xfffc) | load<i32>(vcpu, CPL), access, base, limit)
  store<u64>(vcpu, offset, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** The selector names a gate or a TSS. */
function far_system(vcpu: usize, selector: u32, call: i32): i32 {
  const error = selector & 0xfffc
  const type = descriptor_type(vcpu)
  const dpl = descriptor_dpl(vcpu)
  const cpl = load<i32>(vcpu, CPL)
  const long = long_mode(vcpu)
  const isGate = type == 12 || (!long && (type == 4 || type == 5))
  const isTss = !long && (type == 1 || type == 9)
  if (!isGate && !isTss) return raise_gp(vcpu, error)
  if (dpl < cpl || dpl < <i32>(selector & 3)) return raise_gp(vcpu, error)
  const present = (descriptor_access(vcpu) & ACCESS_P) != 0
  const source = call ? TASK_CALL : TASK_JUMP
  if (isTss) return switch_task(vcpu, selector, source, 0, load<u64>(vcpu, REG_NEXT_RIP), read_eflags(vcpu))
  if (!present) return raise_np(vcpu, error)
  if (type == 5) return switch_task(vcpu, gate_selector(vcpu), source, 0, load<u64>(vcpu, REG_NEXT_RIP), read_eflags(vcpu))
  return call_gate(vcpu, selector, type, long, call)
}

function call_gate(vcpu: usize, gate: u32, type: u32, long: bool, call: i32): i32 {
  const target = gate_selector(vcpu)
  const parameters: i32 = <i32>(load<u32>(vcpu, DESC_HIGH) & 31)
  let offset: u64 = gate_offset32(vcpu)
  const bytes: i32 = long ? 8 : type == 12 ? 4 : 2
  if (bytes == 2) offset &= 0xffff
  if (long) {
    // A 16-byte descriptor: its upper half must lie in the table, and its type field must be 0.
    const status = read_descriptor(vcpu, gate, 16)
    if (status == STATUS_FAULT) return status
    if (status == DESCRIPTOR_OUTSIDE) return raise_gp(vcpu, gate & 0xfffc)
    offset |= <u64>load<u32>(vcpu, DESC_UPPER) << 32
  }
  if (!(target & 0xfffc)) return raise_gp(vcpu, 0)
  const error = target & 0xfffc
  const status = read_descriptor(vcpu, target, 8)
  if (status == STATUS_FAULT) return status
  const cpl = load<i32>(vcpu, CPL)
  const access = descriptor_access(vcpu)
  const dpl = descriptor_dpl(vcpu)
  if (status == DESCRIPTOR_OUTSIDE || (access & (ACCESS_S | ACCESS_CODE)) != (ACCESS_S | ACCESS_CODE) || dpl > cpl) return raise_gp(vcpu, error)
  if (long && (access & (ACCESS_L | ACCESS_DB)) != ACCESS_L) return raise_gp(vcpu, error)
  if (!call && !(access & ACCESS_EC) && dpl != cpl) return raise_gp(vcpu, error)
  if (!(access & ACCESS_P)) return raise_np(vcpu, error)
  if (mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
  if (!call || access & ACCESS_EC || dpl == cpl) return long ? enter_same64(vcpu, target, offset, call) : enter_same(vcpu, target, offset, bytes, call)
  return enter_inner(vcpu, target, offset, bytes, long ? 0 : parameters, long)
}

/** A 64-bit call gate at the same privilege pushes 8 bytes, also from compatibility mode. */
function enter_same64(vcpu: usize, selector: u32, offset: u64, call: i32): i32 {
  const access = descriptor_access(vcpu)
  const limit = descriptor_limit(vcpu)
  if (!is_canonical(offset)) return raise_gp(vcpu, 0)
  if (call) {
    stack_new64(vcpu, load<u64>(vcpu, RSP), access_mode_for(vcpu, load<i32>(vcpu, CPL), (read_eflags(vcpu) & FLAG_AC) != 0), 0)
    if (stack_push(vcpu, selector_of(vcpu, SEG_CS), 8) != STATUS_NEXT) return STATUS_FAULT
    if (stack_push(vcpu, load<u64>(vcpu, REG_NEXT_RIP), 8) != STATUS_NEXT) return STATUS_FAULT
    stack_commit(vcpu)
  }
  set_segment(vcpu, SEG_CS, (selector & 0xfffc) | load<i32>(vcpu, CPL), access, 0, limit)
  store<u64>(vcpu, offset, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** CALL through a gate to more privilege: the stack of the TSS, with the old stack, parameters and return address on it. */
function enter_inner(vcpu: usize, selector: u32, offset: u64, bytes: i32, parameters: i32, long: bool): i32 {
  const access = descriptor_access(vcpu)
  const base = descriptor_base(vcpu)
  const limit = descriptor_limit(vcpu)
  const newCpl = descriptor_dpl(vcpu)
  const pointer = tss_stack(vcpu, newCpl, 0)
  if (faulted(vcpu)) return STATUS_FAULT
  const mode = access_mode_for(vcpu, newCpl, (read_eflags(vcpu) & FLAG_AC) != 0)
  const oldSs = selector_of(vcpu, SEG_SS)
  const oldRsp = load<u64>(vcpu, RSP)
  let newSs: u32 = 0
  let ssAccess: u32 = 0
  let ssBase: u64 = 0
  let ssLimit: u32 = 0
  if (long) {
    newSs = newCpl
    stack_new64(vcpu, pointer, mode, 0)
    if (!is_canonical(offset)) return raise_gp(vcpu, 0)
  } else {
    newSs = <u32>(pointer >> 32)
    if (!(newSs & 0xfffc)) return raise_ts(vcpu, 0)
    if (check_stack_selector(vcpu, newSs, newCpl, 10, 0) != STATUS_NEXT) return STATUS_FAULT
    if (mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
    ssAccess = descriptor_access(vcpu)
    ssBase = descriptor_base(vcpu)
    ssLimit = descriptor_limit(vcpu)
    if (offset > <u64>limit) return raise_gp(vcpu, 0)
    stack_new(vcpu, newSs, ssAccess, ssBase, ssLimit, pointer & 0xffffffff, mode, newSs & 0xfffc)
  }
  if (stack_push(vcpu, oldSs, bytes) != STATUS_NEXT || stack_push(vcpu, oldRsp, bytes) != STATUS_NEXT) return STATUS_FAULT
  for (let i = parameters - 1; i >= 0; i--) {
    const value = old_stack_parameter(vcpu, i, bytes, newSs, ssAccess, ssBase, ssLimit, mode)
    if (faulted(vcpu)) return STATUS_FAULT
    if (stack_push(vcpu, value, bytes) != STATUS_NEXT) return STATUS_FAULT
  }
  if (stack_push(vcpu, selector_of(vcpu, SEG_CS), bytes) != STATUS_NEXT) return STATUS_FAULT
  if (stack_push(vcpu, load<u64>(vcpu, REG_NEXT_RIP), bytes) != STATUS_NEXT) return STATUS_FAULT
  stack_commit(vcpu)
  store<i32>(vcpu, newCpl, CPL)
  if (long) load_segment_null(vcpu, SEG_SS, newSs)
  else set_segment(vcpu, SEG_SS, newSs, ssAccess, ssBase, ssLimit)
  set_segment(vcpu, SEG_CS, (selector & 0xfffc) | newCpl, access, base, limit)
  store<u64>(vcpu, offset, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** Parameter `i` of the caller's stack; the stack being built is put aside for it. */
function old_stack_parameter(vcpu: usize, i: i32, bytes: i32, newSs: u32, access: u32, base: u64, limit: u32, mode: i32): u64 {
  const built = load<u64>(vcpu, STK_POINTER)
  stack_current(vcpu, 0)
  const value = stack_peek(vcpu, i * bytes, bytes)
  stack_new(vcpu, newSs, access, base, limit, built, mode, newSs & 0xfffc)
  return value
}
