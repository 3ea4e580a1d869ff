/** Loads of segment registers: MOV/POP/LDS..., LLDT, LTR. SDM vol. 2 (MOV, LLDT, LTR), vol. 3A 5.6, 5.7. */
import {
  ATTENTION,
  ATTENTION_SHADOW,
  CPL,
  REG_CR0,
  SEG_ACCESS,
  SEG_BASE,
  SEG_CS,
  SEG_LDTR,
  SEG_LIMIT,
  SEG_SELECTOR,
  SEG_SS,
  SEG_TR,
  STATUS_FAULT,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { DEBUG_SS_SHADOW, DESC_ADDRESS, DESC_HIGH } from '../../layout-system'
import { raise, raise_gp, raise_np, raise_ss, raise_ud } from '../interrupt/raise'
import { is_canonical, write_system } from '../mmu/access'
import {
  ACCESS_A,
  ACCESS_CODE,
  ACCESS_DB,
  ACCESS_DPL_SHIFT,
  ACCESS_EC,
  ACCESS_G,
  ACCESS_P,
  ACCESS_RW,
  ACCESS_S,
  CR0_PE,
} from '../system/bits'
import { in_v86 } from '../system/flags'
import { code64, long_mode, protected_mode, refresh_segment, segment, set_segment } from './derived'
import {
  descriptor_access,
  descriptor_base,
  descriptor_base64,
  descriptor_dpl,
  descriptor_limit,
  descriptor_type,
  DESCRIPTOR_OUTSIDE,
  mark_accessed,
  read_descriptor,
} from './descriptor'

/** Real and virtual-8086 mode. In real mode limit, D and G stay as they were: that is what unreal mode lives on. */
export function load_segment_real(vcpu: usize, seg: i32, selector: u32): void {
  const s = segment(vcpu, seg)
  store<u32>(s, selector & 0xffff, SEG_SELECTOR)
  store<u64>(s, <u64>(selector & 0xffff) << 4, SEG_BASE)
  if (in_v86(vcpu)) {
    store<u32>(s, ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A | (3 << ACCESS_DPL_SHIFT), SEG_ACCESS)
    store<u32>(s, 0xffff, SEG_LIMIT)
  } else {
    store<u32>(s, (load<u32>(s, SEG_ACCESS) & (ACCESS_DB | ACCESS_G)) | ACCESS_P | ACCESS_S | ACCESS_RW | ACCESS_A, SEG_ACCESS)
  }
  refresh_segment(vcpu, seg)
}

/** A null selector: no access, but the selector is kept. SS keeps its privilege in the DPL. */
export function load_segment_null(vcpu: usize, seg: i32, selector: u32): void {
  const access: u32 = seg == SEG_SS ? (selector & 3) << ACCESS_DPL_SHIFT : 0
  set_segment(vcpu, seg, selector, access, 0, 0)
}

/** Takes the descriptor just read. */
export function load_segment_descriptor(vcpu: usize, seg: i32, selector: u32): void {
  set_segment(vcpu, seg, selector, descriptor_access(vcpu), descriptor_base(vcpu), descriptor_limit(vcpu))
}

/**
 * Checks a stack selector for privilege `cpl` and reads its descriptor. Used by loads (#GP, `vector` 13) and by stack switches (#TS, 10);
 * not present is #SS in both. `ext` is ORed to the error codes.
 */
export function check_stack_selector(vcpu: usize, selector: u32, cpl: i32, vector: i32, ext: u32): i32 {
  const error = <i32>((selector & 0xfffc) | ext)
  if (!(selector & 0xfffc)) return raise(vcpu, vector, ext, 1)
  const status = read_descriptor(vcpu, selector, 8)
  if (status == STATUS_FAULT) return status
  if (status == DESCRIPTOR_OUTSIDE) return raise(vcpu, vector, error, 1)
  const access = descriptor_access(vcpu)
  if (
    <i32>(selector & 3) != cpl ||
    descriptor_dpl(vcpu) != cpl ||
    (access & (ACCESS_S | ACCESS_CODE | ACCESS_RW)) != (ACCESS_S | ACCESS_RW)
  ) {
    return raise(vcpu, vector, error, 1)
  }
  if (!(access & ACCESS_P)) return raise_ss(vcpu, error)
  return STATUS_NEXT
}

/** Checks a data selector (ES, DS, FS, GS) and reads its descriptor. */
export function check_data_selector(vcpu: usize, selector: u32, cpl: i32, vector: i32): i32 {
  const error = <i32>(selector & 0xfffc)
  const status = read_descriptor(vcpu, selector, 8)
  if (status == STATUS_FAULT) return status
  if (status == DESCRIPTOR_OUTSIDE) return raise(vcpu, vector, error, 1)
  const access = descriptor_access(vcpu)
  if (!(access & ACCESS_S) || (access & (ACCESS_CODE | ACCESS_RW)) == ACCESS_CODE) return raise(vcpu, vector, error, 1)
  if ((access & (ACCESS_CODE | ACCESS_EC)) != (ACCESS_CODE | ACCESS_EC)) {
    const dpl = descriptor_dpl(vcpu)
    if (dpl < cpl || dpl < <i32>(selector & 3)) return raise(vcpu, vector, error, 1)
  }
  if (!(access & ACCESS_P)) return raise_np(vcpu, error)
  return STATUS_NEXT
}

/** MOV/POP/LDS... into ES, SS, DS, FS or GS. CS is #UD. */
export function load_segment(vcpu: usize, seg: i32, selector: u32): i32 {
  selector &= 0xffff
  if (seg == SEG_CS || seg > 5) return raise_ud(vcpu)
  if (!protected_mode(vcpu)) {
    load_segment_real(vcpu, seg, selector)
    return STATUS_NEXT
  }
  const cpl = load<i32>(vcpu, CPL)
  if (!(selector & 0xfffc)) {
    if (seg == SEG_SS && !(code64(vcpu) && cpl < 3 && <i32>(selector & 3) == cpl)) return raise_gp(vcpu, 0)
    load_segment_null(vcpu, seg, selector)
    return STATUS_NEXT
  }
  let status = seg == SEG_SS ? check_stack_selector(vcpu, selector, cpl, 13, 0) : check_data_selector(vcpu, selector, cpl, 13)
  if (status == STATUS_NEXT) status = mark_accessed(vcpu)
  if (status != STATUS_NEXT) return status
  load_segment_descriptor(vcpu, seg, selector)
  return STATUS_NEXT
}

/** After MOV SS / POP SS: interrupts and debug traps wait for one instruction. Ends the block. */
export function stack_segment_shadow(vcpu: usize): i32 {
  store<i32>(vcpu, load<i32>(vcpu, ATTENTION) | ATTENTION_SHADOW, ATTENTION)
  store<u32>(vcpu, 1, DEBUG_SS_SHADOW)
  return STATUS_JUMP
}

/** #UD outside protected mode, #GP(0) above CPL 0. */
function system_segment_allowed(vcpu: usize): i32 {
  if (!protected_mode(vcpu)) return raise_ud(vcpu)
  return load<i32>(vcpu, CPL) ? raise_gp(vcpu, 0) : STATUS_NEXT
}

export function lldt(vcpu: usize, selector: u32): i32 {
  selector &= 0xffff
  let status = system_segment_allowed(vcpu)
  if (status != STATUS_NEXT) return status
  if (!(selector & 0xfffc)) {
    set_segment(vcpu, SEG_LDTR, selector, 0, 0, 0)
    return STATUS_NEXT
  }
  if (selector & 4) return raise_gp(vcpu, selector & 0xfffc)
  const long = long_mode(vcpu)
  status = read_descriptor(vcpu, selector, long ? 16 : 8)
  if (status == STATUS_FAULT) return status
  if (status == DESCRIPTOR_OUTSIDE || descriptor_access(vcpu) & ACCESS_S || descriptor_type(vcpu) != 2) return raise_gp(vcpu, selector & 0xfffc)
  if (!(descriptor_access(vcpu) & ACCESS_P)) return raise_np(vcpu, selector & 0xfffc)
  const base = long ? descriptor_base64(vcpu) : descriptor_base(vcpu)
  if (!is_canonical(base)) return raise_gp(vcpu, selector & 0xfffc)
  set_segment(vcpu, SEG_LDTR, selector, descriptor_access(vcpu), base, descriptor_limit(vcpu))
  return STATUS_NEXT
}

export function ltr(vcpu: usize, selector: u32): i32 {
  selector &= 0xffff
  let status = system_segment_allowed(vcpu)
  if (status != STATUS_NEXT) return status
  const error = selector & 0xfffc
  if (!error) return raise_gp(vcpu, 0)
  if (selector & 4) return raise_gp(vcpu, error)
  const long = long_mode(vcpu)
  status = read_descriptor(vcpu, selector, long ? 16 : 8)
  if (status == STATUS_FAULT) return status
  const type = descriptor_type(vcpu)
  if (status == DESCRIPTOR_OUTSIDE || descriptor_access(vcpu) & ACCESS_S || (type != 9 && (type != 1 || long))) return raise_gp(vcpu, error)
  if (!(descriptor_access(vcpu) & ACCESS_P)) return raise_np(vcpu, error)
  const base = long ? descriptor_base64(vcpu) : descriptor_base(vcpu)
  if (!is_canonical(base)) return raise_gp(vcpu, error)
  const high = load<u32>(vcpu, DESC_HIGH) | 0x200
  status = write_system(vcpu, load<u64>(vcpu, DESC_ADDRESS) + 5, (high >> 8) & 0xff, 1)
  if (status != STATUS_NEXT) return status
  set_segment(vcpu, SEG_TR, selector, descriptor_access(vcpu) | 0x200, base, descriptor_limit(vcpu))
  return STATUS_NEXT
}

/** SLDT and STR are #UD in real and virtual-8086 mode. */
export function check_protected(vcpu: usize): i32 {
  return (load<u64>(vcpu, REG_CR0) & CR0_PE) == 0 || in_v86(vcpu) ? raise_ud(vcpu) : STATUS_NEXT
}
