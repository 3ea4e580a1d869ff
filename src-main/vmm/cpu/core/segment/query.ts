/** LAR, LSL, VERR, VERW, ARPL, and the instructions that read and write GDTR and IDTR. SDM vol. 2. */
import { CPL, GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT, SCRATCH, STATUS_NEXT } from '../../layout'
import { DESC_HIGH } from '../../layout-system'
import { raise_gp } from '../interrupt/raise'
import { is_canonical } from '../mmu/access'
import { ACCESS_CODE, ACCESS_EC, ACCESS_RW, ACCESS_S } from '../system/bits'
import { code64, long_mode } from './derived'
import { descriptor_access, descriptor_dpl, descriptor_limit, descriptor_type, read_descriptor } from './descriptor'

/** Reads a descriptor that the current privilege may see: 1, or 0; a page fault is in EXC_VECTOR. */
function visible(vcpu: usize, selector: u32): bool {
  if (!(selector & 0xfffc)) return false
  const status = read_descriptor(vcpu, selector, 8)
  if (status != STATUS_NEXT) return false
  const access = descriptor_access(vcpu)
  if ((access & (ACCESS_S | ACCESS_CODE | ACCESS_EC)) == (ACCESS_S | ACCESS_CODE | ACCESS_EC)) return true
  const dpl = descriptor_dpl(vcpu)
  return dpl >= load<i32>(vcpu, CPL) && dpl >= <i32>(selector & 3)
}

/** Types of system descriptors that LAR (and, fewer, LSL) accept: bit n for type n. */
function valid_types(vcpu: usize, lsl: bool): u32 {
  // Legacy: LDT, TSSs, gates; long mode: LDT, 64-bit TSS and call gate.
  if (long_mode(vcpu)) return lsl ? 0x0a04 : 0x1a04
  return lsl ? 0x0a0e : 0x1a3e
}

function query(vcpu: usize, selector: u32, lsl: bool): bool {
  if (!visible(vcpu, selector & 0xffff)) return false
  return (descriptor_access(vcpu) & ACCESS_S) != 0 || (valid_types(vcpu, lsl) & (1 << descriptor_type(vcpu))) != 0
}

/** LAR: the result is in SCRATCH (u32); 1: ZF. Look at EXC_VECTOR. */
export function lar(vcpu: usize, selector: i32): i32 {
  if (!query(vcpu, selector, false)) return 0
  store<u32>(vcpu, load<u32>(vcpu, DESC_HIGH) & 0x00ffff00, SCRATCH)
  return 1
}

export function lsl(vcpu: usize, selector: i32): i32 {
  if (!query(vcpu, selector, true)) return 0
  store<u32>(vcpu, descriptor_limit(vcpu), SCRATCH)
  return 1
}

/** VERR (write 0) and VERW (1): ZF. Look at EXC_VECTOR. */
export function verify_segment(vcpu: usize, selector: i32, write: i32): i32 {
  if (!visible(vcpu, selector & 0xffff)) return 0
  const access = descriptor_access(vcpu)
  if (!(access & ACCESS_S)) return 0
  if (access & ACCESS_CODE) return !write && access & ACCESS_RW ? 1 : 0
  return !write || access & ACCESS_RW ? 1 : 0
}

/** LGDT after its operand was read. Privilege was checked before the read (privileged). */
export function load_gdtr(vcpu: usize, base: u64, limit: i32): i32 {
  if (code64(vcpu) && !is_canonical(base)) return raise_gp(vcpu, 0)
  store<u64>(vcpu, base, GDTR_BASE)
  store<u32>(vcpu, limit & 0xffff, GDTR_LIMIT)
  return STATUS_NEXT
}

export function load_idtr(vcpu: usize, base: u64, limit: i32): i32 {
  if (code64(vcpu) && !is_canonical(base)) return raise_gp(vcpu, 0)
  store<u64>(vcpu, base, IDTR_BASE)
  store<u32>(vcpu, limit & 0xffff, IDTR_LIMIT)
  return STATUS_NEXT
}

/** #GP(0) unless CPL is 0. */
export function privileged(vcpu: usize): i32 {
  return load<i32>(vcpu, CPL) ? raise_gp(vcpu, 0) : STATUS_NEXT
}
