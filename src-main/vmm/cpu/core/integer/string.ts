// Runs of string instructions inside one page of plain memory. Whatever is not plain (a TLB miss, MMIO, a segment's end, wrap-around, DF, breakpoints)
// returns 0, and the meaning goes on element by element.
import {
  ATTENTION, ATTENTION_DEBUG, LINEAR_MASK, REG_EFLAGS, REG_GPR, SEGMENTS, SEG_BYTES, SEG_EFFECTIVE_BASE, SEG_ES, SEG_READ_END, SEG_WRITE_END,
  TLB_CONTEXT, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_READ, TLB_WRITE,
} from '../../layout'

const EFLAGS_DF: u32 = 0x400
const PAGE_BYTES: u64 = 0x1000

/** Bytes of [offset, ...) that stay below the address mask, the segment's end and the page's end. */
// @ts-ignore: decorator
@inline
function contiguous(offset: u64, linear: u64, mask: u64, end: u64): u64 {
  const toPageEnd = PAGE_BYTES - (linear & (PAGE_BYTES - 1))
  // mask - offset + 1 would overflow for offset 0 of a 64-bit address; a page is less
  const toWrap = mask - offset < PAGE_BYTES ? mask - offset + 1 : PAGE_BYTES
  const toEnd = offset < end ? end - offset : 0
  return min(toPageEnd, min(toWrap, toEnd))
}

/** Host address of a linear address by the soft TLB, or 0. */
// @ts-ignore: decorator
@inline
function lookup(vcpu: usize, table: usize, linear: u64): usize {
  const index = <usize>(linear >> 12) & (TLB_ENTRIES - 1)
  const entry = <usize>load<u32>(vcpu + TLB_CONTEXT) + table + index * TLB_ENTRY_BYTES
  if (load<u64>(entry) != (linear & ~(PAGE_BYTES - 1))) return 0
  return <usize>(<u32>linear + load<u32>(entry + 8))
}

// @ts-ignore: decorator
@inline
function plain(vcpu: usize): bool {
  return (load<u32>(vcpu + REG_EFLAGS) & EFLAGS_DF) == 0 && (load<u32>(vcpu + ATTENTION) & ATTENTION_DEBUG) == 0
}

export function string_copy(vcpu: usize, segment: i32, source: u64, destination: u64, mask: u64, wanted: u64, size: i32): u64 {
  if (!plain(vcpu)) return 0
  const sourceSegment = vcpu + SEGMENTS + <usize>segment * SEG_BYTES
  const destinationSegment = vcpu + SEGMENTS + SEG_ES * SEG_BYTES
  const linearMask = load<u64>(vcpu + LINEAR_MASK)
  const from = (load<u64>(sourceSegment + SEG_EFFECTIVE_BASE) + source) & linearMask
  const to = (load<u64>(destinationSegment + SEG_EFFECTIVE_BASE) + destination) & linearMask
  const room = min(
    contiguous(source, from, mask, load<u64>(sourceSegment + SEG_READ_END)),
    contiguous(destination, to, mask, load<u64>(destinationSegment + SEG_WRITE_END)),
  )
  const count = min(wanted, room / <u64>size)
  if (count == 0) return 0
  const read = lookup(vcpu, TLB_READ, from)
  if (read == 0) return 0
  const write = lookup(vcpu, TLB_WRITE, to)
  if (write == 0) return 0
  const bytes = <usize>(count * <u64>size)
  if (write <= read || write >= read + bytes) {
    memory.copy(write, read, bytes)
    return count
  }
  // the destination overlaps what is still to be read: the pattern must repeat, element by element
  for (let i: usize = 0; i < bytes; i += <usize>size) {
    if (size == 1) store<u8>(write + i, load<u8>(read + i))
    else if (size == 2) store<u16>(write + i, load<u16>(read + i))
    else if (size == 4) store<u32>(write + i, load<u32>(read + i))
    else store<u64>(write + i, load<u64>(read + i))
  }
  return count
}

export function string_fill(vcpu: usize, destination: u64, mask: u64, wanted: u64, size: i32): u64 {
  if (!plain(vcpu)) return 0
  const segment = vcpu + SEGMENTS + SEG_ES * SEG_BYTES
  const to = (load<u64>(segment + SEG_EFFECTIVE_BASE) + destination) & load<u64>(vcpu + LINEAR_MASK)
  const count = min(wanted, contiguous(destination, to, mask, load<u64>(segment + SEG_WRITE_END)) / <u64>size)
  if (count == 0) return 0
  const write = lookup(vcpu, TLB_WRITE, to)
  if (write == 0) return 0
  const value = load<u64>(vcpu + REG_GPR)
  const bytes = <usize>(count * <u64>size)
  if (size == 1) {
    memory.fill(write, <u8>value, bytes)
  } else if (size == 2) {
    for (let i: usize = 0; i < bytes; i += 2) store<u16>(write + i, <u16>value)
  } else if (size == 4) {
    for (let i: usize = 0; i < bytes; i += 4) store<u32>(write + i, <u32>value)
  } else {
    for (let i: usize = 0; i < bytes; i += 8) store<u64>(write + i, value)
  }
  return count
}
