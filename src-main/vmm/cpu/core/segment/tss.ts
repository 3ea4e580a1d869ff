/** What the processor reads from the task state segment outside task switches. SDM vol. 3A 7.2.1, 7.6 (32-bit), 7.7 (64-bit). */
import { SEG_ACCESS, SEG_BASE, SEG_LIMIT, SEG_SELECTOR, SEG_TR } from '../../layout'
import { raise_ss, raise_ts } from '../interrupt/raise'
import { is_canonical, read_system_u16, read_system_u32, read_system_u64 } from '../mmu/access'
import { ACCESS_P } from '../system/bits'
import { faulted, long_mode, segment } from './derived'

function tss_fault(vcpu: usize, tr: usize, ext: u32): u64 {
  raise_ts(vcpu, (load<u32>(tr, SEG_SELECTOR) & 0xfffc) | ext)
  return 0
}

/**
 * Stack of privilege `cpl`. Legacy: (SS << 32) | ESP; long mode: RSP. Look at EXC_VECTOR: #TS(TR) when the TSS is too short,
 * #SS(ext) for a stack pointer that is not canonical.
 */
export function tss_stack(vcpu: usize, cpl: i32, ext: u32): u64 {
  const tr = segment(vcpu, SEG_TR)
  const base = load<u64>(tr, SEG_BASE)
  const limit = load<u32>(tr, SEG_LIMIT)
  const access = load<u32>(tr, SEG_ACCESS)
  if (!(access & ACCESS_P)) return tss_fault(vcpu, tr, ext)
  if (long_mode(vcpu)) return tss_pointer64(vcpu, tr, 4 + (<u32>cpl << 3), ext)
  if (access & 0x800) {
    const offset: u32 = 4 + (<u32>cpl << 3)
    if (offset + 5 > limit) return tss_fault(vcpu, tr, ext)
    const esp = read_system_u32(vcpu, base + offset)
    if (faulted(vcpu)) return 0
    return esp | (<u64>read_system_u16(vcpu, base + offset + 4) << 32)
  }
  const offset: u32 = 2 + (<u32>cpl << 2)
  if (offset + 3 > limit) return tss_fault(vcpu, tr, ext)
  const both = read_system_u32(vcpu, base + offset)
  return (both & 0xffff) | (<u64>(both >> 16) << 32)
}

function tss_pointer64(vcpu: usize, tr: usize, offset: u32, ext: u32): u64 {
  if (offset + 7 > load<u32>(tr, SEG_LIMIT)) return tss_fault(vcpu, tr, ext)
  const pointer = read_system_u64(vcpu, load<u64>(tr, SEG_BASE) + offset)
  if (faulted(vcpu)) return 0
  if (!is_canonical(pointer)) {
    raise_ss(vcpu, ext)
    return 0
  }
  return pointer
}

/** Interrupt stack table entry 1..7 (long mode). */
export function tss_ist(vcpu: usize, ist: u32, ext: u32): u64 {
  return tss_pointer64(vcpu, segment(vcpu, SEG_TR), 0x1c + (ist << 3), ext)
}
