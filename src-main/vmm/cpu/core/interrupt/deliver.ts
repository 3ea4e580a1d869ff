/**
 * Delivery of interrupts and exceptions through the IVT or IDT. SDM vol. 3A chapter 6 (6.12 protected mode, 6.14 64-bit mode, 6.15 double fault),
 * 21.1.4 (real mode), 21.3 (virtual-8086 mode).
 */
import {
  CPL,
  EXC_ADDRESS,
  EXC_ERROR,
  EXC_HAS_ERROR,
  EXC_VECTOR,
  EXIT_REASON,
  EXIT_TRIPLE_FAULT,
  HALTED,
  IDTR_BASE,
  IDTR_LIMIT,
  REG_CR0,
  REG_CR2,
  REG_EFLAGS,
  REG_GPR,
  REG_NEXT_RIP,
  REG_RIP,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
  STATUS_EXIT,
  STATUS_FAULT,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import {
  COUNT_BY_VECTOR,
  COUNT_EXCEPTIONS,
  DESC_HIGH,
  DESC_LOW,
  DESC_UPPER,
  EXC_TRAP,
  LAST_EXCEPTION_ERROR,
  LAST_EXCEPTION_RIP,
  LAST_EXCEPTION_VECTOR,
} from '../../layout-system'
import { is_canonical, read_system_u32, read_system_u64 } from '../mmu/access'
import { access_mode_for } from '../mmu/walk'
import { code64, faulted, long_mode, refresh_mode, selector_of, set_segment } from '../segment/derived'
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
} from '../segment/descriptor'
import { check_stack_selector, load_segment_null, load_segment_real } from '../segment/load'
import { stack_commit, stack_current, stack_new, stack_new64, stack_push } from '../segment/stack'
import { tss_ist, tss_stack } from '../segment/tss'
import {
  ACCESS_CODE,
  ACCESS_DB,
  ACCESS_EC,
  ACCESS_L,
  ACCESS_P,
  ACCESS_S,
  CR0_PE,
  FLAG_AC,
  FLAG_IF,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VM,
} from '../system/bits'
import { read_eflags, write_eflags } from '../system/flags'
import { task_gate_switch } from '../task/switch'
import { drop_pending_debug } from './debug'
import { raise_gp, raise_np, raise_ts } from './raise'

/** What is delivered; it decides the EXT bit, gate privilege checks and RF. */
export const SOURCE_EXCEPTION = 0
/** Interrupt controllers, NMI. */
export const SOURCE_EXTERNAL = 1
/** INT n, INT3, INTO: the gate's DPL is checked. */
export const SOURCE_SOFTWARE = 2
/** INT1: no DPL check. */
export const SOURCE_INT1 = 3

const RSP = REG_GPR + 32

/** Delivers one event once; STATUS_JUMP, or STATUS_FAULT with the exception that delivery met. `returnRip`: what is pushed. */
export function deliver(vcpu: usize, vector: i32, source: i32, error: u32, hasError: bool, returnRip: u64, flags: u32): i32 {
  if (!(load<u64>(vcpu, REG_CR0) & CR0_PE)) return deliver_real(vcpu, vector, returnRip, flags)
  const ext: u32 = source == SOURCE_SOFTWARE ? 0 : 1
  const long = long_mode(vcpu)
  const shift: u32 = long ? 4 : 3
  const idtError = ((<u32>vector << 3) | 2) | ext
  const offset = <u32>vector << shift
  if (offset + (1 << shift) - 1 > (load<u32>(vcpu, IDTR_LIMIT) & 0xffff)) return raise_gp(vcpu, idtError)
  const at = load<u64>(vcpu, IDTR_BASE) + offset
  const raw = read_system_u64(vcpu, at)
  if (faulted(vcpu)) return STATUS_FAULT
  let upper: u32 = 0
  if (long) {
    upper = read_system_u32(vcpu, at + 8)
    if (faulted(vcpu)) return STATUS_FAULT
  }
  store<u32>(vcpu, <u32>raw, DESC_LOW)
  store<u32>(vcpu, <u32>(raw >> 32), DESC_HIGH)
  store<u32>(vcpu, upper, DESC_UPPER)
  const type = descriptor_type(vcpu)
  const isTask = type == 5 && !long
  const is32 = type == 14 || type == 15
  const is16 = (type == 6 || type == 7) && !long
  if (descriptor_access(vcpu) & ACCESS_S || !(isTask || is32 || is16)) return raise_gp(vcpu, idtError)
  if (source == SOURCE_SOFTWARE && descriptor_dpl(vcpu) < load<i32>(vcpu, CPL)) return raise_gp(vcpu, idtError)
  if (!(descriptor_access(vcpu) & ACCESS_P)) return raise_np(vcpu, idtError)
  if (isTask) {
    return task_gate_switch(vcpu, gate_selector(vcpu), ext, error, hasError, returnRip, flags)
  }
  const trapGate = (type & 1) != 0
  const target = gate_offset32(vcpu)
  const selector = gate_selector(vcpu)
  if (long) {
    const ist = load<u32>(vcpu, DESC_HIGH) & 7
    return deliver_long(vcpu, selector, <u64>target | (<u64>upper << 32), ist, trapGate, ext, error, hasError, returnRip, flags)
  }
  return deliver_protected(vcpu, selector, is32 ? target : target & 0xffff, is32, trapGate, ext, error, hasError, returnRip, flags)
}

function deliver_real(vcpu: usize, vector: i32, returnRip: u64, flags: u32): i32 {
  const offset = <u32>vector << 2
  if (offset + 3 > (load<u32>(vcpu, IDTR_LIMIT) & 0xffff)) return raise_gp(vcpu, 0)
  const entry = read_system_u32(vcpu, (load<u64>(vcpu, IDTR_BASE) + offset) & 0xffffffff)
  if (faulted(vcpu)) return STATUS_FAULT
  stack_current(vcpu, 0)
  if (
    stack_push(vcpu, flags & 0xffff, 2) != STATUS_NEXT ||
    stack_push(vcpu, selector_of(vcpu, SEG_CS), 2) != STATUS_NEXT ||
    stack_push(vcpu, returnRip & 0xffff, 2) != STATUS_NEXT
  ) {
    return STATUS_FAULT
  }
  stack_commit(vcpu)
  load_segment_real(vcpu, SEG_CS, entry >> 16)
  enter(vcpu, entry & 0xffff, FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF)
  return STATUS_JUMP
}

/** The handler's address and flags. */
function enter(vcpu: usize, rip: u64, clear: u32): void {
  store<u64>(vcpu, rip, REG_NEXT_RIP)
  write_eflags(vcpu, 0, clear)
  refresh_mode(vcpu)
}

/** Reads and checks the handler's code segment; the new CPL, or -1 with the fault recorded. */
function check_handler(vcpu: usize, selector: u32, ext: u32, long: bool): i32 {
  if (!(selector & 0xfffc)) {
    raise_gp(vcpu, ext)
    return -1
  }
  const error = (selector & 0xfffc) | ext
  const status = read_descriptor(vcpu, selector, 8)
  if (status == STATUS_FAULT) return -1
  const access = descriptor_access(vcpu)
  const cpl = load<i32>(vcpu, CPL)
  if (
    status == DESCRIPTOR_OUTSIDE ||
    (access & (ACCESS_S | ACCESS_CODE)) != (ACCESS_S | ACCESS_CODE) ||
    descriptor_dpl(vcpu) > cpl ||
    (long && (access & (ACCESS_L | ACCESS_DB)) != ACCESS_L)
  ) {
    raise_gp(vcpu, error)
    return -1
  }
  if (!(access & ACCESS_P)) {
    raise_np(vcpu, error)
    return -1
  }
  return access & ACCESS_EC ? cpl : descriptor_dpl(vcpu)
}

function deliver_long(
  vcpu: usize,
  selector: u32,
  target: u64,
  ist: u32,
  trapGate: bool,
  ext: u32,
  error: u32,
  hasError: bool,
  returnRip: u64,
  flags: u32,
): i32 {
  const newCpl = check_handler(vcpu, selector, ext, true)
  if (newCpl < 0) return STATUS_FAULT
  if (mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
  const access = descriptor_access(vcpu)
  const limit = descriptor_limit(vcpu)
  const oldCpl = load<i32>(vcpu, CPL)
  let pointer = load<u64>(vcpu, RSP)
  // Outside 64-bit mode only the low half of RSP exists.
  if (!code64(vcpu)) pointer &= 0xffffffff
  if (ist || newCpl < oldCpl) {
    pointer = ist ? tss_ist(vcpu, ist, ext) : tss_stack(vcpu, newCpl, ext)
    if (faulted(vcpu)) return STATUS_FAULT
  }
  const mode = access_mode_for(vcpu, newCpl, (flags & FLAG_AC) != 0)
  stack_new64(vcpu, pointer & ~0xf, mode, ext)
  if (
    stack_push(vcpu, selector_of(vcpu, SEG_SS), 8) != STATUS_NEXT ||
    stack_push(vcpu, load<u64>(vcpu, RSP), 8) != STATUS_NEXT ||
    stack_push(vcpu, flags, 8) != STATUS_NEXT ||
    stack_push(vcpu, selector_of(vcpu, SEG_CS), 8) != STATUS_NEXT ||
    stack_push(vcpu, returnRip, 8) != STATUS_NEXT ||
    (hasError && stack_push(vcpu, error, 8) != STATUS_NEXT)
  ) {
    return STATUS_FAULT
  }
  if (!is_canonical(target)) return raise_gp(vcpu, ext)
  stack_commit(vcpu)
  store<i32>(vcpu, newCpl, CPL)
  if (newCpl < oldCpl) load_segment_null(vcpu, SEG_SS, newCpl)
  set_segment(vcpu, SEG_CS, (selector & 0xfffc) | newCpl, access, 0, limit)
  enter(vcpu, target, FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (trapGate ? 0 : FLAG_IF))
  return STATUS_JUMP
}

function deliver_protected(
  vcpu: usize,
  selector: u32,
  target: u32,
  is32: bool,
  trapGate: bool,
  ext: u32,
  error: u32,
  hasError: bool,
  returnRip: u64,
  flags: u32,
): i32 {
  const newCpl = check_handler(vcpu, selector, ext, false)
  if (newCpl < 0) return STATUS_FAULT
  const v86 = (flags & FLAG_VM) != 0
  // From virtual-8086 mode only into a non-conforming ring 0 segment.
  if (v86 && newCpl != 0) return raise_gp(vcpu, (selector & 0xfffc) | ext)
  if (mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
  const access = descriptor_access(vcpu)
  const base = descriptor_base(vcpu)
  const limit = descriptor_limit(vcpu)
  const oldCpl = load<i32>(vcpu, CPL)
  const bytes: i32 = is32 ? 4 : 2
  let newSs: u32 = 0
  let ssAccess: u32 = 0
  let ssBase: u64 = 0
  let ssLimit: u32 = 0
  const inner = newCpl < oldCpl
  if (inner) {
    const pointer = tss_stack(vcpu, newCpl, ext)
    if (faulted(vcpu)) return STATUS_FAULT
    newSs = <u32>(pointer >> 32)
    if (!(newSs & 0xfffc)) return raise_ts(vcpu, ext)
    if (check_stack_selector(vcpu, newSs, newCpl, 10, ext) != STATUS_NEXT) return STATUS_FAULT
    if (mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
    ssAccess = descriptor_access(vcpu)
    ssBase = descriptor_base(vcpu)
    ssLimit = descriptor_limit(vcpu)
    const mode = access_mode_for(vcpu, newCpl, (flags & FLAG_AC) != 0)
    stack_new(vcpu, newSs, ssAccess, ssBase, ssLimit, pointer & 0xffffffff, mode, (newSs & 0xfffc) | ext)
    if (v86) {
      if (
        stack_push(vcpu, selector_of(vcpu, SEG_GS), bytes) != STATUS_NEXT ||
        stack_push(vcpu, selector_of(vcpu, SEG_FS), bytes) != STATUS_NEXT ||
        stack_push(vcpu, selector_of(vcpu, SEG_DS), bytes) != STATUS_NEXT ||
        stack_push(vcpu, selector_of(vcpu, SEG_ES), bytes) != STATUS_NEXT
      ) {
        return STATUS_FAULT
      }
    }
    if (stack_push(vcpu, selector_of(vcpu, SEG_SS), bytes) != STATUS_NEXT || stack_push(vcpu, load<u64>(vcpu, RSP), bytes) != STATUS_NEXT) {
      return STATUS_FAULT
    }
  } else {
    stack_current(vcpu, ext)
  }
  if (
    stack_push(vcpu, flags, bytes) != STATUS_NEXT ||
    stack_push(vcpu, selector_of(vcpu, SEG_CS), bytes) != STATUS_NEXT ||
    stack_push(vcpu, returnRip, bytes) != STATUS_NEXT ||
    (hasError && stack_push(vcpu, error, bytes) != STATUS_NEXT)
  ) {
    return STATUS_FAULT
  }
  if (target > limit) return raise_gp(vcpu, ext)
  stack_commit(vcpu)
  if (inner) {
    // VM goes first: what follows loads protected-mode segments.
    write_eflags(vcpu, 0, FLAG_VM)
    store<i32>(vcpu, newCpl, CPL)
    set_segment(vcpu, SEG_SS, newSs, ssAccess, ssBase, ssLimit)
    if (v86) {
      load_segment_null(vcpu, SEG_ES, 0)
      load_segment_null(vcpu, SEG_DS, 0)
      load_segment_null(vcpu, SEG_FS, 0)
      load_segment_null(vcpu, SEG_GS, 0)
    }
  }
  set_segment(vcpu, SEG_CS, (selector & 0xfffc) | newCpl, access, base, limit)
  enter(vcpu, target, FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (trapGate ? 0 : FLAG_IF))
  return STATUS_JUMP
}

/** #DE, #TS, #NP, #SS, #GP: two of them in a row are a double fault (SDM vol. 3A table 6-4). */
// @ts-ignore: decorator
@inline
function contributory(vector: i32): bool {
  return vector == 0 || (vector >= 10 && vector <= 13)
}

/**
 * Delivers the recorded exception, with what delivery itself may raise, up to the double fault. STATUS_JUMP with REG_RIP and REG_NEXT_RIP at the
 * handler, or STATUS_EXIT after a triple fault.
 */
export function deliver_exception(vcpu: usize): i32 {
  let vector = load<i32>(vcpu, EXC_VECTOR)
  let error = load<u32>(vcpu, EXC_ERROR)
  let hasError = load<i32>(vcpu, EXC_HAS_ERROR) != 0
  const trap = load<u32>(vcpu, EXC_TRAP) != 0
  const rip = load<u64>(vcpu, REG_RIP)
  store<u64>(vcpu, load<u64>(vcpu, COUNT_EXCEPTIONS) + 1, COUNT_EXCEPTIONS)
  store<u64>(vcpu, rip, LAST_EXCEPTION_RIP)
  store<i32>(vcpu, vector, LAST_EXCEPTION_VECTOR)
  store<u32>(vcpu, error, LAST_EXCEPTION_ERROR)
  const counter = vcpu + COUNT_BY_VECTOR + (<usize>(vector & 31) << 2)
  store<u32>(counter, load<u32>(counter) + 1)
  if (vector != 1) drop_pending_debug(vcpu)
  let flags = read_eflags(vcpu)
  // Faults push RF so that the restarted instruction does not meet its breakpoint again; #DB leaves that to its handler.
  if (!trap && vector != 1) flags |= FLAG_RF
  for (let round = 0; round < 8; round++) {
    store<i32>(vcpu, -1, EXC_VECTOR)
    if (vector == 14) store<u64>(vcpu, load<u64>(vcpu, EXC_ADDRESS), REG_CR2)
    if (deliver(vcpu, vector, SOURCE_EXCEPTION, error, hasError, rip, flags) != STATUS_FAULT) {
      store<u64>(vcpu, load<u64>(vcpu, REG_NEXT_RIP), REG_RIP)
      return STATUS_JUMP
    }
    const second = load<i32>(vcpu, EXC_VECTOR)
    if (vector == 8) break
    if ((contributory(vector) && contributory(second)) || (vector == 14 && (contributory(second) || second == 14))) {
      vector = 8
      error = 0
      hasError = true
    } else {
      vector = second
      error = load<u32>(vcpu, EXC_ERROR)
      hasError = load<i32>(vcpu, EXC_HAS_ERROR) != 0
    }
  }
  store<i32>(vcpu, -1, EXC_VECTOR)
  store<i32>(vcpu, EXIT_TRIPLE_FAULT, EXIT_REASON)
  return STATUS_EXIT
}

/** An external event at an instruction boundary (REG_RIP is the next instruction). STATUS_JUMP or STATUS_EXIT. */
export function deliver_external(vcpu: usize, vector: i32): i32 {
  const rip = load<u64>(vcpu, REG_RIP)
  store<i32>(vcpu, 0, HALTED)
  if (deliver(vcpu, vector, SOURCE_EXTERNAL, 0, false, rip, read_eflags(vcpu)) != STATUS_FAULT) {
    store<u64>(vcpu, load<u64>(vcpu, REG_NEXT_RIP), REG_RIP)
    return STATUS_JUMP
  }
  return deliver_exception(vcpu)
}

/** INT n, INT3, INTO, INT1 from an instruction handler: REG_NEXT_RIP is pushed. STATUS_JUMP or STATUS_FAULT. */
export function deliver_software(vcpu: usize, vector: i32, source: i32): i32 {
  return deliver(vcpu, vector, source, 0, false, load<u64>(vcpu, REG_NEXT_RIP), read_eflags(vcpu))
}
