// Runs of string instructions inside one page of plain memory. Whatever is not plain (a TLB miss, MMIO, a segment's end, wrap-around, DF, breakpoints)
// returns 0, and the meaning goes on element by element.
import {
  ATTENTION, ATTENTION_DEBUG, LINEAR_MASK, REG_EFLAGS, REG_GPR, SEGMENTS, SEG_BYTES, SEG_EFFECTIVE_BASE, SEG_ES, SEG_READ_END, SEG_WRITE_END,
  TLB_CONTEXT, TLB_ENTRIES, TLB_ENTRY_BYTES, TLB_READ, TLB_WRITE,
} from '../../layout'

const EFLAGS_DF: u32 = 0x400
const PAGE_BYTES: u64 = 0x1000
/** More are left to the host's own copying and filling. */
const BULK_BYTES: usize = 512

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

/** As lookup, of bytes that may cross a page: then 0, because the entry's tag is compared with the page of the last one. */
// @ts-ignore: decorator
@inline
function lookup_all(vcpu: usize, table: usize, linear: u64, bytes: usize): usize {
  const index = <usize>(linear >> 12) & (TLB_ENTRIES - 1)
  const entry = <usize>load<u32>(vcpu + TLB_CONTEXT) + table + index * TLB_ENTRY_BYTES
  if (load<u64>(entry) != ((linear + <u64>(bytes - 1)) & ~(PAGE_BYTES - 1))) return 0
  return <usize>(<u32>linear + load<u32>(entry + 8))
}

/** Elements one after the other, upwards; `bytes` is not 0. What the host does in bulk takes tens of nanoseconds to get there: short ones are done here. */
function move(write: usize, read: usize, bytes: usize, size: i32): void {
  if (write > read && write < read + bytes) return repeat(write, read, bytes, size)
  if (bytes > BULK_BYTES) {
    memory.copy(write, read, bytes)
  } else if (bytes >= 16) {
    // the last 16 bytes are read first: they may be written over when the destination lies below
    const last = v128.load(read + bytes - 16)
    for (let i: usize = 0; i < bytes - 16; i += 16) v128.store(write + i, v128.load(read + i))
    v128.store(write + bytes - 16, last)
  } else if (bytes >= 8) {
    const last = load<u64>(read + bytes - 8)
    store<u64>(write, load<u64>(read))
    store<u64>(write + bytes - 8, last)
  } else if (bytes >= 4) {
    const last = load<u32>(read + bytes - 4)
    store<u32>(write, load<u32>(read))
    store<u32>(write + bytes - 4, last)
  } else if (bytes >= 2) {
    const last = load<u16>(read + bytes - 2)
    store<u16>(write, load<u16>(read))
    store<u16>(write + bytes - 2, last)
  } else {
    store<u8>(write, load<u8>(read))
  }
}

/** The destination overlaps what is still to be read: the pattern repeats. */
function repeat(write: usize, read: usize, bytes: usize, size: i32): void {
  let i: usize = 0
  if (write - read >= 16) for (; i + 16 <= bytes; i += 16) v128.store(write + i, v128.load(read + i))
  for (; i < bytes; i += <usize>size) {
    if (size == 1) store<u8>(write + i, load<u8>(read + i))
    else if (size == 2) store<u16>(write + i, load<u16>(read + i))
    else if (size == 4) store<u32>(write + i, load<u32>(read + i))
    else store<u64>(write + i, load<u64>(read + i))
  }
}

/** `bytes` is a multiple of `size`, and not 0. */
function fill(write: usize, value: u64, bytes: usize, size: i32): void {
  const pattern: u64 = size == 1 ? (value & 0xff) * 0x0101010101010101 : size == 2 ? (value & 0xffff) * 0x0001000100010001 : size == 4 ? (value & 0xffffffff) * 0x0000000100000001 : value
  if (bytes > BULK_BYTES && pattern == (value & 0xff) * 0x0101010101010101) {
    memory.fill(write, <u8>value, bytes)
  } else if (bytes >= 16) {
    // ends of patterns meet: 16 and `bytes` are multiples of the element's size
    const wide = i64x2.splat(pattern)
    let i: usize = 0
    for (; i + 64 <= bytes; i += 64) {
      v128.store(write + i, wide)
      v128.store(write + i, wide, 16)
      v128.store(write + i, wide, 32)
      v128.store(write + i, wide, 48)
    }
    for (; i + 16 <= bytes; i += 16) v128.store(write + i, wide)
    v128.store(write + bytes - 16, wide)
  } else if (bytes >= 8) {
    store<u64>(write, pattern)
    store<u64>(write + bytes - 8, pattern)
  } else if (bytes >= 4) {
    store<u32>(write, <u32>pattern)
    store<u32>(write + bytes - 4, <u32>pattern)
  } else if (bytes >= 2) {
    store<u16>(write, <u16>pattern)
    store<u16>(write + bytes - 2, <u16>pattern)
  } else {
    store<u8>(write, <u8>pattern)
  }
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
  move(write, read, <usize>(count * <u64>size), size)
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
  fill(write, load<u64>(vcpu + REG_GPR), <usize>(count * <u64>size), size)
  return count
}

/**
 * For regions: a whole run of REP MOVS from one linear address to another, or 0 and nothing has happened: more than a run does at once, DF, or not both in a
 * page that the soft TLB has.
 */
export function region_copy(vcpu: usize, source: u64, destination: u64, count: u64, size: i32): i32 {
  if (count == 0) return 1
  if (count > <u64>(<i32>PAGE_BYTES / size) || load<u32>(vcpu + REG_EFLAGS) & EFLAGS_DF) return 0
  const bytes = <usize>count * <usize>size
  const read = lookup_all(vcpu, TLB_READ, source, bytes)
  if (read == 0) return 0
  const write = lookup_all(vcpu, TLB_WRITE, destination, bytes)
  if (write == 0) return 0
  move(write, read, bytes, size)
  return 1
}

/** As region_copy, of REP STOS. */
export function region_fill(vcpu: usize, destination: u64, value: u64, count: u64, size: i32): i32 {
  if (count == 0) return 1
  if (count > <u64>(<i32>PAGE_BYTES / size) || load<u32>(vcpu + REG_EFLAGS) & EFLAGS_DF) return 0
  const bytes = <usize>count * <usize>size
  const write = lookup_all(vcpu, TLB_WRITE, destination, bytes)
  if (write == 0) return 0
  fill(write, value, bytes, size)
  return 1
}
