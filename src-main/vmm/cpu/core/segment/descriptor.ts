/** Descriptors in the GDT and LDT. SDM vol. 3A 3.4.5, 3.5; 8 bytes, system descriptors 16 in long mode. */
import { EXC_VECTOR, GDTR_BASE, GDTR_LIMIT, SEG_ACCESS, SEG_BASE, SEG_LDTR, SEG_LIMIT, STATUS_FAULT, STATUS_NEXT } from '../../layout'
import { DESC_ADDRESS, DESC_HIGH, DESC_LOW, DESC_UPPER } from '../../layout-system'
import { read_system_u32, read_system_u64, write_system } from '../mmu/access'
import { ACCESS_A, ACCESS_MASK, ACCESS_P } from '../system/bits'
import { segment } from './derived'

/** read_descriptor: the selector lies outside its table. The caller raises what its instruction says. */
export const DESCRIPTOR_OUTSIDE = -1

/**
 * Reads the descriptor of a non-null selector into DESC_*. STATUS_NEXT, STATUS_FAULT (page fault recorded) or DESCRIPTOR_OUTSIDE.
 * `bytes` is 8, or 16 for system descriptors in long mode.
 */
export function read_descriptor(vcpu: usize, selector: u32, bytes: u32): i32 {
  let base: u64
  let limit: u32
  if (selector & 4) {
    const ldtr = segment(vcpu, SEG_LDTR)
    if (!(load<u32>(ldtr, SEG_ACCESS) & ACCESS_P)) return DESCRIPTOR_OUTSIDE
    base = load<u64>(ldtr, SEG_BASE)
    limit = load<u32>(ldtr, SEG_LIMIT)
  } else {
    base = load<u64>(vcpu, GDTR_BASE)
    limit = load<u32>(vcpu, GDTR_LIMIT) & 0xffff
  }
  const offset = selector & 0xfff8
  if (offset + (bytes - 1) > limit) return DESCRIPTOR_OUTSIDE
  const address = base + offset
  const raw = read_system_u64(vcpu, address)
  if (load<i32>(vcpu, EXC_VECTOR) >= 0) return STATUS_FAULT
  store<u32>(vcpu, 0, DESC_UPPER)
  if (bytes == 16) {
    const upper = read_system_u32(vcpu, address + 8)
    if (load<i32>(vcpu, EXC_VECTOR) >= 0) return STATUS_FAULT
    store<u32>(vcpu, upper, DESC_UPPER)
  }
  store<u64>(vcpu, address, DESC_ADDRESS)
  store<u32>(vcpu, <u32>raw, DESC_LOW)
  store<u32>(vcpu, <u32>(raw >> 32), DESC_HIGH)
  return STATUS_NEXT
}

// @ts-ignore: decorator
@inline
export function descriptor_access(vcpu: usize): u32 {
  return load<u32>(vcpu, DESC_HIGH) & ACCESS_MASK
}

/** Type field, 0..15. */
// @ts-ignore: decorator
@inline
export function descriptor_type(vcpu: usize): u32 {
  return (load<u32>(vcpu, DESC_HIGH) >> 8) & 15
}

// @ts-ignore: decorator
@inline
export function descriptor_dpl(vcpu: usize): i32 {
  return <i32>((load<u32>(vcpu, DESC_HIGH) >> 13) & 3)
}

export function descriptor_base(vcpu: usize): u64 {
  const high = load<u32>(vcpu, DESC_HIGH)
  return (load<u32>(vcpu, DESC_LOW) >> 16) | ((high & 0xff) << 16) | (high & 0xff000000)
}

/** Base of a 16-byte system descriptor. */
export function descriptor_base64(vcpu: usize): u64 {
  return descriptor_base(vcpu) | (<u64>load<u32>(vcpu, DESC_UPPER) << 32)
}

export function descriptor_limit(vcpu: usize): u32 {
  const high = load<u32>(vcpu, DESC_HIGH)
  const limit = (load<u32>(vcpu, DESC_LOW) & 0xffff) | (high & 0xf0000)
  return high & 0x800000 ? (limit << 12) | 0xfff : limit
}

/** Sets the accessed bit of the code or data descriptor just read, in memory and in DESC_HIGH. */
export function mark_accessed(vcpu: usize): i32 {
  const high = load<u32>(vcpu, DESC_HIGH)
  if (high & ACCESS_A) return STATUS_NEXT
  store<u32>(vcpu, high | ACCESS_A, DESC_HIGH)
  return write_system(vcpu, load<u64>(vcpu, DESC_ADDRESS) + 5, ((high | ACCESS_A) >> 8) & 0xff, 1)
}

/** Gate fields of the descriptor just read. */
// @ts-ignore: decorator
@inline
export function gate_selector(vcpu: usize): u32 {
  return load<u32>(vcpu, DESC_LOW) >> 16
}

export function gate_offset32(vcpu: usize): u32 {
  return (load<u32>(vcpu, DESC_LOW) & 0xffff) | (load<u32>(vcpu, DESC_HIGH) & 0xffff0000)
}
