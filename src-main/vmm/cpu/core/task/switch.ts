/** Hardware task switch. SDM vol. 3A 7.2 (structures), 7.3 (order of checks and where faults are reported), 7.4 (linking). */
import {
  CPL,
  EXC_VECTOR,
  REG_CR0,
  REG_DR7,
  REG_GPR,
  REG_NEXT_RIP,
  REG_RIP,
  SEG_ACCESS,
  SEG_BASE,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LDTR,
  SEG_LIMIT,
  SEG_SELECTOR,
  SEG_SS,
  SEG_TR,
  STATUS_FAULT,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { ACCESS_SUPERVISOR, DEBUG_PENDING, DESC_ADDRESS, DESC_HIGH, TASK_IMAGE } from '../../layout-system'
import { DR6_BT, refresh_debug } from '../interrupt/debug'
import { raise, raise_gp, raise_np, raise_ts } from '../interrupt/raise'
import { probe_as, read_system_u16, read_system_u32, write_system } from '../mmu/access'
import { refresh_mode, segment, set_segment } from '../segment/derived'
import {
  descriptor_access,
  descriptor_base,
  descriptor_dpl,
  descriptor_limit,
  descriptor_type,
  DESCRIPTOR_OUTSIDE,
  mark_accessed,
  read_descriptor,
} from '../segment/descriptor'
import { check_data_selector, check_stack_selector, load_segment_descriptor, load_segment_null, load_segment_real } from '../segment/load'
import { stack_commit, stack_current, stack_push } from '../segment/stack'
import { ACCESS_CODE, ACCESS_EC, ACCESS_P, ACCESS_S, CR0_PG, CR0_TS, FLAGS_DEFINED, FLAG_NT, FLAG_VM } from '../system/bits'
import { load_cr3 } from '../system/control-registers'
import { read_eflags, write_eflags } from '../system/flags'

export const TASK_JUMP = 0
export const TASK_CALL = 1
export const TASK_RETURN = 2
export const TASK_INTERRUPT = 3

// Slots of TASK_IMAGE, u32 each.
const SLOT_CR3 = 0
const SLOT_EIP = 1
const SLOT_EFLAGS = 2
const SLOT_GPR = 3
const SLOT_SEGMENT = 11
const SLOT_LDT = 17
const SLOT_TRAP = 18

// @ts-ignore: decorator
@inline
function slot(vcpu: usize, index: i32): u32 {
  return load<u32>(vcpu + (<usize>index << 2), TASK_IMAGE)
}

// @ts-ignore: decorator
@inline
function put(vcpu: usize, index: i32, value: u32): void {
  store<u32>(vcpu + (<usize>index << 2), value, TASK_IMAGE)
}

function read_image(vcpu: usize, base: u64, is32: bool): void {
  if (is32) {
    put(vcpu, SLOT_CR3, read_system_u32(vcpu, base + 0x1c))
    for (let i = 0; i < 10; i++) put(vcpu, SLOT_EIP + i, read_system_u32(vcpu, base + 0x20 + (i << 2)))
    for (let i = 0; i < 6; i++) put(vcpu, SLOT_SEGMENT + i, read_system_u16(vcpu, base + 0x48 + (i << 2)))
    put(vcpu, SLOT_LDT, read_system_u16(vcpu, base + 0x60))
    put(vcpu, SLOT_TRAP, read_system_u16(vcpu, base + 0x64) & 1)
    return
  }
  put(vcpu, SLOT_CR3, 0)
  put(vcpu, SLOT_EIP, read_system_u16(vcpu, base + 0x0e))
  put(vcpu, SLOT_EFLAGS, read_system_u16(vcpu, base + 0x10))
  // The upper halves of the registers are not defined; real processors give ones.
  for (let i = 0; i < 8; i++) put(vcpu, SLOT_GPR + i, 0xffff0000 | read_system_u16(vcpu, base + 0x12 + (i << 1)))
  for (let i = 0; i < 4; i++) put(vcpu, SLOT_SEGMENT + i, read_system_u16(vcpu, base + 0x22 + (i << 1)))
  put(vcpu, SLOT_SEGMENT + SEG_FS, 0)
  put(vcpu, SLOT_SEGMENT + SEG_GS, 0)
  put(vcpu, SLOT_LDT, read_system_u16(vcpu, base + 0x2a))
  put(vcpu, SLOT_TRAP, 0)
}

/** The outgoing task's registers; the range was probed. */
function write_image(vcpu: usize, base: u64, is32: bool, rip: u64, flags: u32): void {
  if (is32) {
    write_system(vcpu, base + 0x20, rip, 4)
    write_system(vcpu, base + 0x24, flags, 4)
    for (let i: usize = 0; i < 8; i++) write_system(vcpu, base + 0x28 + (i << 2), load<u32>(vcpu + (i << 3), REG_GPR), 4)
    for (let i: usize = 0; i < 6; i++) write_system(vcpu, base + 0x48 + (i << 2), load<u32>(segment(vcpu, <i32>i), SEG_SELECTOR) & 0xffff, 2)
  } else {
    write_system(vcpu, base + 0x0e, rip, 2)
    write_system(vcpu, base + 0x10, flags, 2)
    for (let i: usize = 0; i < 8; i++) write_system(vcpu, base + 0x12 + (i << 1), load<u32>(vcpu + (i << 3), REG_GPR), 2)
    for (let i: usize = 0; i < 4; i++) write_system(vcpu, base + 0x22 + (i << 1), load<u32>(segment(vcpu, <i32>i), SEG_SELECTOR) & 0xffff, 2)
  }
}

/**
 * Switches to the task of a TSS selector. `returnRip` and `flags` are saved as the old task's. STATUS_JUMP with REG_NEXT_RIP in the new task, or
 * STATUS_FAULT: in the old task while nothing is committed, in the new one (REG_RIP moved) afterwards.
 */
export function switch_task(vcpu: usize, selector: u32, source: i32, ext: u32, returnRip: u64, flags: u32): i32 {
  const error = (selector & 0xfffc) | ext
  const wrong: i32 = source == TASK_RETURN ? 10 : 13
  // A TSS descriptor must be in the GDT.
  if (!(selector & 0xfffc) || selector & 4) return raise(vcpu, wrong, error, 1)
  const status = read_descriptor(vcpu, selector, 8)
  if (status == STATUS_FAULT) return status
  if (status == DESCRIPTOR_OUTSIDE) return raise(vcpu, wrong, error, 1)
  const type = descriptor_type(vcpu)
  const busy = source == TASK_RETURN ? 2 : 0
  if (descriptor_access(vcpu) & ACCESS_S || (type & ~8) != 1 + busy) return raise(vcpu, wrong, error, 1)
  if (!(descriptor_access(vcpu) & ACCESS_P)) return raise_np(vcpu, error)
  const is32 = (type & 8) != 0
  const limit = descriptor_limit(vcpu)
  if (limit < <u32>(is32 ? 0x67 : 0x2b)) return raise_ts(vcpu, error)
  const base = descriptor_base(vcpu)
  const access = descriptor_access(vcpu)
  const address = load<u64>(vcpu, DESC_ADDRESS)
  const high = load<u32>(vcpu, DESC_HIGH)

  // Everything that can fault in the old task: reading the new image, writing the old one, the busy bits.
  const tr = segment(vcpu, SEG_TR)
  const oldSelector = load<u32>(tr, SEG_SELECTOR) & 0xffff
  const oldBase = load<u64>(tr, SEG_BASE)
  const old32 = (load<u32>(tr, SEG_ACCESS) & 0x800) != 0
  if (load<u32>(tr, SEG_LIMIT) < <u32>(old32 ? 0x5f : 0x29)) return raise_ts(vcpu, error)
  read_image(vcpu, base, is32)
  if (load<i32>(vcpu, EXC_VECTOR) >= 0) return STATUS_FAULT
  if (probe_as(vcpu, oldBase, old32 ? 0x60 : 0x2a, ACCESS_SUPERVISOR) != STATUS_NEXT) return STATUS_FAULT
  if (probe_as(vcpu, address, 8, ACCESS_SUPERVISOR) != STATUS_NEXT) return STATUS_FAULT
  const nested = source == TASK_CALL || source == TASK_INTERRUPT
  if (nested && probe_as(vcpu, base, 2, ACCESS_SUPERVISOR) != STATUS_NEXT) return STATUS_FAULT
  if (!nested) {
    const old = read_descriptor(vcpu, oldSelector, 8)
    if (old == STATUS_FAULT) return STATUS_FAULT
    if (old == STATUS_NEXT) {
      const cleared = (load<u32>(vcpu, DESC_HIGH) & ~0x200) >> 8
      if (write_system(vcpu, load<u64>(vcpu, DESC_ADDRESS) + 5, cleared & 0xff, 1) != STATUS_NEXT) return STATUS_FAULT
    }
  }
  write_image(vcpu, oldBase, old32, returnRip, source == TASK_RETURN ? flags & ~FLAG_NT : flags)
  if (nested) write_system(vcpu, base, oldSelector, 2)
  if (source != TASK_RETURN) write_system(vcpu, address + 5, ((high | 0x200) >> 8) & 0xff, 1)

  // Commit: from here on faults belong to the new task.
  set_segment(vcpu, SEG_TR, selector, access | 0x200, base, limit)
  store<u64>(vcpu, load<u64>(vcpu, REG_CR0) | CR0_TS, REG_CR0)
  // Local breakpoints (L0..L3, LE) belong to the old task.
  store<u64>(vcpu, load<u64>(vcpu, REG_DR7) & ~0x155, REG_DR7)
  const newRip = slot(vcpu, SLOT_EIP)
  store<u64>(vcpu, newRip, REG_RIP)
  store<u64>(vcpu, newRip, REG_NEXT_RIP)
  let newFlags = slot(vcpu, SLOT_EFLAGS)
  if (!is32) newFlags &= 0xffff
  if (nested) newFlags |= FLAG_NT
  for (let i = 0; i < 8; i++) store<u64>(vcpu + (<usize>i << 3), slot(vcpu, SLOT_GPR + i), REG_GPR)
  // Until they are loaded, the segments hold their selectors and nothing else.
  const v86 = (newFlags & FLAG_VM) != 0
  for (let seg = 0; seg <= SEG_GS; seg++) {
    const s = segment(vcpu, seg)
    store<u32>(s, slot(vcpu, SLOT_SEGMENT + seg), SEG_SELECTOR)
    store<u32>(s, load<u32>(s, SEG_ACCESS) & ~ACCESS_P, SEG_ACCESS)
  }
  const cs = slot(vcpu, SLOT_SEGMENT + SEG_CS)
  store<i32>(vcpu, v86 ? 3 : <i32>(cs & 3), CPL)
  write_eflags(vcpu, newFlags, FLAGS_DEFINED)
  if (is32 && load<u64>(vcpu, REG_CR0) & CR0_PG && load_cr3(vcpu, slot(vcpu, SLOT_CR3)) != STATUS_NEXT) return new_task_fault(vcpu)
  if (load_task_ldt(vcpu, slot(vcpu, SLOT_LDT)) != STATUS_NEXT) return new_task_fault(vcpu)
  if (v86) {
    for (let seg = 0; seg <= SEG_GS; seg++) load_segment_real(vcpu, seg, slot(vcpu, SLOT_SEGMENT + seg))
  } else if (load_task_segments(vcpu) != STATUS_NEXT) {
    return new_task_fault(vcpu)
  }
  refresh_mode(vcpu)
  if (slot(vcpu, SLOT_TRAP)) {
    store<u32>(vcpu, load<u32>(vcpu, DEBUG_PENDING) | <u32>DR6_BT, DEBUG_PENDING)
    refresh_debug(vcpu)
  }
  if (newRip > load<u32>(segment(vcpu, SEG_CS), SEG_LIMIT)) return raise_gp(vcpu, 0)
  return STATUS_JUMP
}

function new_task_fault(vcpu: usize): i32 {
  refresh_mode(vcpu)
  return STATUS_FAULT
}

function load_task_ldt(vcpu: usize, selector: u32): i32 {
  set_segment(vcpu, SEG_LDTR, selector, 0, 0, 0)
  const error = selector & 0xfffc
  if (!error) return STATUS_NEXT
  if (selector & 4) return raise_ts(vcpu, error)
  const status = read_descriptor(vcpu, selector, 8)
  if (status == STATUS_FAULT) return status
  const access = descriptor_access(vcpu)
  if (status == DESCRIPTOR_OUTSIDE || access & ACCESS_S || descriptor_type(vcpu) != 2 || !(access & ACCESS_P)) return raise_ts(vcpu, error)
  set_segment(vcpu, SEG_LDTR, selector, access, descriptor_base(vcpu), descriptor_limit(vcpu))
  return STATUS_NEXT
}

/** CS first (it gives the privilege), then SS, then the data segments. */
function load_task_segments(vcpu: usize): i32 {
  const cs = slot(vcpu, SLOT_SEGMENT + SEG_CS)
  const error = cs & 0xfffc
  if (!error) return raise_ts(vcpu, 0)
  let status = read_descriptor(vcpu, cs, 8)
  if (status == STATUS_FAULT) return status
  const access = descriptor_access(vcpu)
  const rpl = <i32>(cs & 3)
  if (status == DESCRIPTOR_OUTSIDE || (access & (ACCESS_S | ACCESS_CODE)) != (ACCESS_S | ACCESS_CODE)) return raise_ts(vcpu, error)
  const dpl = descriptor_dpl(vcpu)
  if (access & ACCESS_EC ? dpl > rpl : dpl != rpl) return raise_ts(vcpu, error)
  if (!(access & ACCESS_P)) return raise_np(vcpu, error)
  if (mark_accessed(vcpu) != STATUS_NEXT) return STATUS_FAULT
  load_segment_descriptor(vcpu, SEG_CS, cs)
  store<i32>(vcpu, rpl, CPL)
  const ss = slot(vcpu, SLOT_SEGMENT + SEG_SS)
  status = check_stack_selector(vcpu, ss, rpl, 10, 0)
  if (status == STATUS_NEXT) status = mark_accessed(vcpu)
  if (status != STATUS_NEXT) return status
  load_segment_descriptor(vcpu, SEG_SS, ss)
  status = load_task_data(vcpu, SEG_ES, rpl)
  if (status == STATUS_NEXT) status = load_task_data(vcpu, SEG_DS, rpl)
  if (status == STATUS_NEXT) status = load_task_data(vcpu, SEG_FS, rpl)
  if (status == STATUS_NEXT) status = load_task_data(vcpu, SEG_GS, rpl)
  return status
}

function load_task_data(vcpu: usize, seg: i32, cpl: i32): i32 {
  const selector = slot(vcpu, SLOT_SEGMENT + seg)
  if (!(selector & 0xfffc)) {
    load_segment_null(vcpu, seg, selector)
    return STATUS_NEXT
  }
  let status = check_data_selector(vcpu, selector, cpl, 10)
  if (status == STATUS_NEXT) status = mark_accessed(vcpu)
  if (status != STATUS_NEXT) return status
  load_segment_descriptor(vcpu, seg, selector)
  return STATUS_NEXT
}

/** An interrupt or exception through a task gate: the error code goes onto the new task's stack. */
export function task_gate_switch(vcpu: usize, selector: u32, ext: u32, error: u32, hasError: bool, returnRip: u64, flags: u32): i32 {
  const status = switch_task(vcpu, selector, TASK_INTERRUPT, ext, returnRip, flags)
  if (status != STATUS_JUMP || !hasError) return status
  stack_current(vcpu, ext)
  const bytes = load<u32>(segment(vcpu, SEG_TR), SEG_ACCESS) & 0x800 ? 4 : 2
  if (stack_push(vcpu, error, bytes) != STATUS_NEXT) return STATUS_FAULT
  stack_commit(vcpu)
  return STATUS_JUMP
}

/** IRET with NT: back to the task named in the current TSS. */
export function task_return(vcpu: usize): i32 {
  const link = read_system_u16(vcpu, load<u64>(segment(vcpu, SEG_TR), SEG_BASE))
  if (load<i32>(vcpu, EXC_VECTOR) >= 0) return STATUS_FAULT
  return switch_task(vcpu, link, TASK_RETURN, 0, load<u64>(vcpu, REG_NEXT_RIP), read_eflags(vcpu))
}
