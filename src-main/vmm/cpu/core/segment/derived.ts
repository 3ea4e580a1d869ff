/** Everything that is computed from segments, control registers and flags, in one place. */
import {
  CODE_KEY,
  CODE_MODE,
  CPL,
  EXC_VECTOR,
  KEY_FLAT,
  LINEAR_MASK,
  MSR_EFER,
  REG_CR0,
  REG_CR4,
  REG_EFLAGS,
  REG_GPR,
  SEGMENTS,
  SEG_ACCESS,
  SEG_BASE,
  SEG_BYTES,
  SEG_CS,
  SEG_DS,
  SEG_EFFECTIVE_BASE,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LIMIT,
  SEG_READ_END,
  SEG_SELECTOR,
  SEG_SS,
  SEG_WRITE_END,
  STACK_MASK,
  STATUS_NEXT,
  TLB,
  TLB_CONTEXT,
  TLB_CONTEXT_BYTES,
} from '../../layout'
import { ACCESS_MODE, EPOCH_CS_LIMIT, TLB_NO_FILL } from '../../layout-system'
import { refresh_debug } from '../interrupt/debug'
import { raise_gp, raise_ss } from '../interrupt/raise'
import { alignment_checked, is_canonical } from '../mmu/access'
import { bump_code_epoch, flush_tlb, set_epoch_mode } from '../mmu/tlb'
import { access_mode_for } from '../mmu/walk'
import {
  ACCESS_CODE,
  ACCESS_DB,
  ACCESS_EC,
  ACCESS_L,
  ACCESS_P,
  ACCESS_RW,
  CR0_PE,
  EFER_LMA,
  FLAG_AC,
  FLAG_VM,
} from '../system/bits'

const ALL: u64 = 0xffffffffffffffff
const GIB_4: u64 = 0x100000000
const STACK_32: u64 = 0xffffffff
const EPOCH_USER_BIT: i32 = 4
const EPOCH_FLAT_BIT: i32 = 8

// @ts-ignore: decorator
@inline
export function segment(vcpu: usize, seg: i32): usize {
  return vcpu + SEGMENTS + <usize>seg * SEG_BYTES
}

// @ts-ignore: decorator
@inline
export function long_mode(vcpu: usize): bool {
  return (load<u64>(vcpu, MSR_EFER) & EFER_LMA) != 0
}

// @ts-ignore: decorator
@inline
export function code64(vcpu: usize): bool {
  return load<i32>(vcpu, CODE_MODE) == 2
}

/** Protected mode proper: not real, not virtual-8086. */
// @ts-ignore: decorator
@inline
export function protected_mode(vcpu: usize): bool {
  return (load<u64>(vcpu, REG_CR0) & CR0_PE) != 0 && (load<u32>(vcpu, REG_EFLAGS) & FLAG_VM) == 0
}

/** Address generation's view of one segment. */
function derive_segment(vcpu: usize, seg: i32): void {
  const s = segment(vcpu, seg)
  const base = load<u64>(s, SEG_BASE)
  if (code64(vcpu)) {
    store<u64>(s, seg == SEG_FS || seg == SEG_GS ? base : 0, SEG_EFFECTIVE_BASE)
    store<u64>(s, ALL, SEG_READ_END)
    store<u64>(s, ALL, SEG_WRITE_END)
    if (seg == SEG_SS) store<u64>(vcpu, ALL, STACK_MASK)
    return
  }
  store<u64>(s, base & 0xffffffff, SEG_EFFECTIVE_BASE)
  const access = load<u32>(s, SEG_ACCESS)
  const end = <u64>load<u32>(s, SEG_LIMIT) + 1
  let readEnd: u64 = 0
  let writeEnd: u64 = 0
  if (access & ACCESS_P) {
    if (access & ACCESS_CODE) {
      if (access & ACCESS_RW) readEnd = end
    } else if (!(access & ACCESS_EC)) {
      readEnd = end
      if (access & ACCESS_RW) writeEnd = end
    }
  }
  store<u64>(s, readEnd, SEG_READ_END)
  store<u64>(s, writeEnd, SEG_WRITE_END)
  if (seg == SEG_SS) store<u64>(vcpu, access & ACCESS_DB ? <u64>0xffffffff : <u64>0xffff, STACK_MASK)
}

/** After one segment was loaded. Whether code is flat may have changed. */
export function refresh_segment(vcpu: usize, seg: i32): void {
  derive_segment(vcpu, seg)
  if (seg <= SEG_DS && load<i32>(vcpu, CODE_MODE) == 1) refresh_key(vcpu)
}

/** Base 0 and all of 4 GiB to read, and to write unless it is CS. */
// @ts-ignore: decorator
@inline
function flat_segment(vcpu: usize, seg: i32): bool {
  const s = segment(vcpu, seg)
  let differs = load<u64>(s, SEG_EFFECTIVE_BASE) | (load<u64>(s, SEG_READ_END) ^ GIB_4)
  if (seg != SEG_CS) differs |= load<u64>(s, SEG_WRITE_END) ^ GIB_4
  return differs == 0
}

/** CODE_KEY, and the mode part of CODE_EPOCH. */
function refresh_key(vcpu: usize): void {
  const mode = load<i32>(vcpu, CODE_MODE)
  const flat =
    mode == 1 &&
    flat_segment(vcpu, SEG_CS) &&
    flat_segment(vcpu, SEG_SS) &&
    flat_segment(vcpu, SEG_DS) &&
    flat_segment(vcpu, SEG_ES) &&
    load<u64>(vcpu, STACK_MASK) == STACK_32
  store<i32>(vcpu, flat ? mode | KEY_FLAT : mode, CODE_KEY)
  set_epoch_mode(vcpu, mode | (load<i32>(vcpu, CPL) == 3 ? EPOCH_USER_BIT : 0) | (flat ? EPOCH_FLAT_BIT : 0))
}

/** The TLB context: privilege, SMAP with AC, alignment checks. */
export function refresh_access(vcpu: usize): void {
  const ac = (load<u32>(vcpu, REG_EFLAGS) & FLAG_AC) != 0
  const mode = access_mode_for(vcpu, load<i32>(vcpu, CPL), ac)
  store<i32>(vcpu, mode, ACCESS_MODE)
  store<i32>(vcpu, <i32>(vcpu + TLB + <usize>mode * TLB_CONTEXT_BYTES), TLB_CONTEXT)
  const check = alignment_checked(vcpu) ? 1 : 0
  if (check != load<i32>(vcpu, TLB_NO_FILL)) {
    store<i32>(vcpu, check, TLB_NO_FILL)
    // What user code has cached would pass without the check.
    if (check) flush_tlb(vcpu)
  }
}

/**
 * Recomputes all derived state from segments, CR0, CR4, EFER and EFLAGS. CPL itself is state: it changes only with CS (and by mode: real 0, v86 3).
 */
export function refresh_mode(vcpu: usize): void {
  const isProtected = (load<u64>(vcpu, REG_CR0) & CR0_PE) != 0
  const v86 = isProtected && (load<u32>(vcpu, REG_EFLAGS) & FLAG_VM) != 0
  if (!isProtected) store<i32>(vcpu, 0, CPL)
  else if (v86) store<i32>(vcpu, 3, CPL)
  const cs = segment(vcpu, SEG_CS)
  const access = load<u32>(cs, SEG_ACCESS)
  let mode = access & ACCESS_DB ? 1 : 0
  if (v86) mode = 0
  else if (access & ACCESS_L && isProtected && long_mode(vcpu)) mode = 2
  store<i32>(vcpu, mode, CODE_MODE)
  store<u64>(vcpu, mode == 2 ? ALL : 0xffffffff, LINEAR_MASK)
  // Undefined after leaving 64-bit mode (SDM vol. 1 3.4.1.1). Nothing outside it writes the upper halves, and translated code relies on that.
  if (mode != 2) for (let i: usize = 0; i < 8; i++) store<u32>(vcpu + (i << 3), 0, REG_GPR + 4)
  for (let seg: i32 = SEG_ES; seg <= SEG_GS; seg++) derive_segment(vcpu, seg)
  refresh_key(vcpu)
  // The limit is not part of what the jump cache compares.
  const limit = mode == 2 ? 0xffffffff : load<u32>(cs, SEG_LIMIT)
  if (limit != load<u32>(vcpu, EPOCH_CS_LIMIT)) {
    store<u32>(vcpu, limit, EPOCH_CS_LIMIT)
    bump_code_epoch(vcpu)
  }
  refresh_access(vcpu)
  refresh_debug(vcpu)
}

/** May `bytes` at `offset` of a segment be accessed? SDM vol. 3A 5.3 (limits), 5.5 (types). */
export function segment_allows(access: u32, limit: u32, offset: u64, bytes: i32, write: bool): bool {
  if (!(access & ACCESS_P)) return false
  const last = offset + (<u64>bytes - 1)
  if (access & ACCESS_CODE) {
    if (write || !(access & ACCESS_RW)) return false
  } else {
    if (write && !(access & ACCESS_RW)) return false
    if (access & ACCESS_EC) return offset > <u64>limit && last <= (access & ACCESS_DB ? <u64>0xffffffff : <u64>0xffff)
  }
  return last <= <u64>limit
}

/** The slow path of address generation: raises #SS(0) through SS and #GP(0) otherwise when the access is not allowed. */
export function segment_check(vcpu: usize, seg: i32, offset: u64, bytes: i32, write: i32): i32 {
  const s = segment(vcpu, seg & 7)
  if (code64(vcpu)) {
    const linear = load<u64>(s, SEG_EFFECTIVE_BASE) + offset
    if (is_canonical(linear) && is_canonical(linear + (<u64>bytes - 1))) return STATUS_NEXT
  } else if (segment_allows(load<u32>(s, SEG_ACCESS), load<u32>(s, SEG_LIMIT), offset, bytes, write != 0)) {
    return STATUS_NEXT
  }
  return seg == SEG_SS ? raise_ss(vcpu, 0) : raise_gp(vcpu, 0)
}

/** Linear address of seg:offset after the check; look at EXC_VECTOR. */
export function segment_linear(vcpu: usize, seg: i32, offset: u64, bytes: i32, write: i32): u64 {
  if (segment_check(vcpu, seg, offset, bytes, write) != STATUS_NEXT) return 0
  return (load<u64>(segment(vcpu, seg), SEG_EFFECTIVE_BASE) + offset) & load<u64>(vcpu, LINEAR_MASK)
}

/** Stores a segment register whole, with its derived fields. */
export function set_segment(vcpu: usize, seg: i32, selector: u32, access: u32, base: u64, limit: u32): void {
  const s = segment(vcpu, seg)
  store<u32>(s, selector & 0xffff, SEG_SELECTOR)
  store<u32>(s, access, SEG_ACCESS)
  store<u64>(s, base, SEG_BASE)
  store<u32>(s, limit, SEG_LIMIT)
  if (seg <= SEG_GS) refresh_segment(vcpu, seg)
}

// @ts-ignore: decorator
@inline
export function selector_of(vcpu: usize, seg: i32): u32 {
  return load<u32>(segment(vcpu, seg), SEG_SELECTOR) & 0xffff
}

// @ts-ignore: decorator
@inline
export function faulted(vcpu: usize): bool {
  return load<i32>(vcpu, EXC_VECTOR) >= 0
}
