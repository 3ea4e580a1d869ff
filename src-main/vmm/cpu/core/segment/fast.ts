/** SYSCALL/SYSRET, SYSENTER/SYSEXIT, SWAPGS. SDM vol. 2; AMD64 APM vol. 3 (where the vendors differ, VENDOR_AMD decides). */
import {
  CPL,
  MSR_CSTAR,
  MSR_EFER,
  MSR_KERNEL_GS_BASE,
  MSR_LSTAR,
  MSR_SFMASK,
  MSR_STAR,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  REG_CR0,
  REG_GPR,
  REG_NEXT_RIP,
  SEG_BASE,
  SEG_CS,
  SEG_GS,
  SEG_SS,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { FEATURE_1_EDX, VENDOR_AMD } from '../../layout-system'
import { raise_gp, raise_ud } from '../interrupt/raise'
import { is_canonical } from '../mmu/access'
import {
  ACCESS_A,
  ACCESS_CODE,
  ACCESS_DB,
  ACCESS_DPL_SHIFT,
  ACCESS_G,
  ACCESS_L,
  ACCESS_P,
  ACCESS_RW,
  ACCESS_S,
  CR0_PE,
  EFER_SCE,
  FLAGS_DEFINED,
  FLAG_IF,
  FLAG_RF,
  FLAG_VM,
} from '../system/bits'
import { in_v86, read_eflags, write_eflags } from '../system/flags'
import { code64, long_mode, refresh_mode, refresh_segment, segment, set_segment } from './derived'

const RCX = REG_GPR + 8
const RDX = REG_GPR + 16
const RSP = REG_GPR + 32
const R11 = REG_GPR + 88

/** Flat segments as these instructions load them, without a look at the tables. */
function flat_code(vcpu: usize, selector: u32, cpl: i32, is64: bool): void {
  const size: u32 = is64 ? ACCESS_L : ACCESS_DB
  const access = ACCESS_G | size | ACCESS_P | ACCESS_S | ACCESS_CODE | ACCESS_RW | ACCESS_A | (<u32>cpl << ACCESS_DPL_SHIFT)
  store<i32>(vcpu, cpl, CPL)
  set_segment(vcpu, SEG_CS, selector, access, 0, 0xffffffff)
}

function flat_stack(vcpu: usize, selector: u32, cpl: i32): void {
  const access = ACCESS_G | ACCESS_DB | ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A | (<u32>cpl << ACCESS_DPL_SHIFT)
  set_segment(vcpu, SEG_SS, selector, access, 0, 0xffffffff)
}

export function syscall(vcpu: usize): i32 {
  const long = long_mode(vcpu)
  if (!(load<u64>(vcpu, MSR_EFER) & EFER_SCE) || !(load<u64>(vcpu, REG_CR0) & CR0_PE)) return raise_ud(vcpu)
  if (!code64(vcpu) && !load<u32>(vcpu, VENDOR_AMD)) return raise_ud(vcpu)
  const star = load<u64>(vcpu, MSR_STAR)
  const selector = <u32>(star >> 32) & 0xfffc
  const flags = read_eflags(vcpu)
  if (!long) {
    if (flags & FLAG_VM) return raise_ud(vcpu)
    store<u64>(vcpu, load<u64>(vcpu, REG_NEXT_RIP) & 0xffffffff, RCX)
    write_eflags(vcpu, 0, FLAG_VM | FLAG_IF | FLAG_RF)
    flat_code(vcpu, selector, 0, false)
    flat_stack(vcpu, selector + 8, 0)
    store<u64>(vcpu, star & 0xffffffff, REG_NEXT_RIP)
    refresh_mode(vcpu)
    return STATUS_JUMP
  }
  const target = code64(vcpu) ? load<u64>(vcpu, MSR_LSTAR) : load<u64>(vcpu, MSR_CSTAR)
  store<u64>(vcpu, load<u64>(vcpu, REG_NEXT_RIP), RCX)
  store<u64>(vcpu, flags & ~FLAG_RF, R11)
  write_eflags(vcpu, 0, (<u32>load<u64>(vcpu, MSR_SFMASK) | FLAG_RF) & FLAGS_DEFINED)
  flat_code(vcpu, selector, 0, true)
  flat_stack(vcpu, selector + 8, 0)
  store<u64>(vcpu, target, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** `bytes` 8: to 64-bit code (REX.W). */
export function sysret(vcpu: usize, bytes: i32): i32 {
  const long = long_mode(vcpu)
  if (!(load<u64>(vcpu, MSR_EFER) & EFER_SCE) || (!code64(vcpu) && !load<u32>(vcpu, VENDOR_AMD))) return raise_ud(vcpu)
  if (!(load<u64>(vcpu, REG_CR0) & CR0_PE) || load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  const selector = <u32>(load<u64>(vcpu, MSR_STAR) >> 48)
  const rcx = load<u64>(vcpu, RCX)
  const to64 = bytes == 8 && code64(vcpu)
  // Both vendors' processors must not run user code at a bad address: Intel faults here, at CPL 0; AMD at the fetch.
  if (to64 && !load<u32>(vcpu, VENDOR_AMD) && !is_canonical(rcx)) return raise_gp(vcpu, 0)
  if (long) write_eflags(vcpu, load<u32>(vcpu, R11), FLAGS_DEFINED & ~(FLAG_RF | FLAG_VM))
  else write_eflags(vcpu, FLAG_IF, FLAG_IF)
  flat_code(vcpu, ((to64 ? selector + 16 : selector) & 0xfffc) | 3, 3, to64)
  flat_stack(vcpu, ((selector + 8) & 0xfffc) | 3, 3)
  store<u64>(vcpu, to64 ? rcx : rcx & 0xffffffff, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** AMD processors have no SYSENTER in long mode. */
function sysenter_missing(vcpu: usize): bool {
  return !(load<u32>(vcpu, FEATURE_1_EDX) & (1 << 11)) || (load<u32>(vcpu, VENDOR_AMD) != 0 && long_mode(vcpu))
}

export function sysenter(vcpu: usize): i32 {
  if (sysenter_missing(vcpu)) return raise_ud(vcpu)
  const selector = <u32>load<u64>(vcpu, MSR_SYSENTER_CS) & 0xffff
  if (!(load<u64>(vcpu, REG_CR0) & CR0_PE) || !(selector & 0xfffc)) return raise_gp(vcpu, 0)
  const long = long_mode(vcpu)
  write_eflags(vcpu, 0, FLAG_VM | FLAG_IF | FLAG_RF)
  flat_code(vcpu, selector & 0xfffc, 0, long)
  flat_stack(vcpu, (selector & 0xfffc) + 8, 0)
  const esp = load<u64>(vcpu, MSR_SYSENTER_ESP)
  const eip = load<u64>(vcpu, MSR_SYSENTER_EIP)
  store<u64>(vcpu, long ? esp : esp & 0xffffffff, RSP)
  store<u64>(vcpu, long ? eip : eip & 0xffffffff, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

export function sysexit(vcpu: usize, bytes: i32): i32 {
  if (sysenter_missing(vcpu)) return raise_ud(vcpu)
  const selector = <u32>load<u64>(vcpu, MSR_SYSENTER_CS) & 0xfffc
  if (!(load<u64>(vcpu, REG_CR0) & CR0_PE) || !selector || load<i32>(vcpu, CPL) || in_v86(vcpu)) return raise_gp(vcpu, 0)
  const to64 = bytes == 8 && code64(vcpu)
  const rcx = load<u64>(vcpu, RCX)
  const rdx = load<u64>(vcpu, RDX)
  if (to64 && !(is_canonical(rcx) && is_canonical(rdx))) return raise_gp(vcpu, 0)
  flat_code(vcpu, (selector + (to64 ? 32 : 16)) | 3, 3, to64)
  flat_stack(vcpu, (selector + (to64 ? 40 : 24)) | 3, 3)
  store<u64>(vcpu, to64 ? rcx : rcx & 0xffffffff, RSP)
  store<u64>(vcpu, to64 ? rdx : rdx & 0xffffffff, REG_NEXT_RIP)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

export function swapgs(vcpu: usize): i32 {
  if (!code64(vcpu)) return raise_ud(vcpu)
  if (load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  const gs = segment(vcpu, SEG_GS)
  const base = load<u64>(gs, SEG_BASE)
  store<u64>(gs, load<u64>(vcpu, MSR_KERNEL_GS_BASE), SEG_BASE)
  store<u64>(vcpu, base, MSR_KERNEL_GS_BASE)
  refresh_segment(vcpu, SEG_GS)
  return STATUS_NEXT
}
