/**
 * What translated code calls when its inline TLB lookup misses. Nothing here raises or reaches a device: the answer is where the bytes are in linear
 * memory, or 0, and then the interpreter executes the instruction, with all that may come of it. An address holds for this one access only: a page
 * with code has no TLB entry for writes, and what crosses pages is gathered in a buffer.
 */
import { CODE_MODE, CPL, LINEAR_MASK, PHYS_CODE, PHYS_READ, PHYS_WRITE } from '../../layout'
import { ACCESS_MODE, ACCESS_SUPERVISOR, ACCESS_USER, NO_DEVICES, SPLIT_BUFFER, TLB_NO_FILL, WALK_PAGE, WATCH } from '../../layout-system'
import { count_region_write, note_code_runs } from '../decode/index'
import { ACCESS_BYTES, is_canonical } from './access'
import { host_page, mark_dirty, physmap_entry } from './physical'
import { tlb_fill, tlb_lookup, tlb_number } from './tlb'
import { KIND_EXECUTE, KIND_READ, KIND_WRITE, walk, WALK_OK } from './walk'

const PAGE_BYTES: i32 = 4096

/** Can the access be made without a look at it: no alignment check, no data breakpoint, canonical? */
// @ts-ignore: decorator
@inline
function is_plain(vcpu: usize, linear: u64, bytes: i32): bool {
  if (load<i32>(vcpu, TLB_NO_FILL) || load<i32>(vcpu, WATCH) & 15) return false
  return load<i32>(vcpu, CODE_MODE) != 2 || (is_canonical(linear) && is_canonical(linear + (bytes - 1)))
}

/** The walk of an access that misses the TLB, as the interpreter would make it, accessed and dirty bits included. */
function quiet_walk(vcpu: usize, linear: u64, kind: i32, mode: i32): bool {
  store<u32>(vcpu, 1, NO_DEVICES)
  const error = walk(vcpu, linear, kind, mode, true)
  store<u32>(vcpu, 0, NO_DEVICES)
  return error == WALK_OK
}

/** Host address for reading `linear`, or 0. */
function readable(vcpu: usize, linear: u64, mode: i32): usize {
  const host = tlb_lookup(vcpu, linear, KIND_READ, mode)
  if (host) return host
  if (!quiet_walk(vcpu, linear, KIND_READ, mode)) return 0
  const entry = physmap_entry(load<u64>(vcpu, WALK_PAGE))
  if (!(entry & PHYS_READ)) return 0
  tlb_fill(vcpu, linear, KIND_READ, mode)
  return <usize>(host_page(entry) | (<u32>linear & 0xfff))
}

/** Host address for writing `bytes` at `linear`, all in one page, or 0. */
function writable(vcpu: usize, linear: u64, bytes: i32, mode: i32): usize {
  const host = tlb_lookup(vcpu, linear, KIND_WRITE, mode)
  if (host) return host
  if (!quiet_walk(vcpu, linear, KIND_WRITE, mode)) return 0
  const gpa = load<u64>(vcpu, WALK_PAGE) | (linear & 0xfff)
  const entry = physmap_entry(gpa)
  if ((entry & (PHYS_READ | PHYS_WRITE)) != (PHYS_READ | PHYS_WRITE)) return 0
  if (entry & PHYS_CODE) {
    if (!count_region_write(gpa, bytes)) return 0
    mark_dirty(host_page(entry))
  } else {
    tlb_fill(vcpu, linear, KIND_WRITE, mode)
  }
  return <usize>(host_page(entry) | (<u32>linear & 0xfff))
}

/** Address in linear memory from which the bytes (`flags`: 1, 2, 4, 8 or 16, | ACCESS_STACK) at `linear` can be read, or 0. */
export function region_read(vcpu: usize, linear: u64, flags: i32): i32 {
  const bytes = flags & ACCESS_BYTES
  if (!is_plain(vcpu, linear, bytes)) return 0
  const mode = load<i32>(vcpu, ACCESS_MODE)
  const first = PAGE_BYTES - (<i32>linear & 0xfff)
  const low = readable(vcpu, linear, mode)
  if (low == 0 || bytes <= first) return <i32>low
  const high = readable(vcpu, (linear + first) & load<u64>(vcpu, LINEAR_MASK), mode)
  if (high == 0) return 0
  const buffer = vcpu + SPLIT_BUFFER
  memory.copy(buffer, low, first)
  memory.copy(buffer + first, high, bytes - first)
  return <i32>buffer
}

/**
 * A region is about to go to another page: does `linear` lead, for execution, to the guest-physical page with this number? What is found goes to the TLB, where
 * regions look first. 0 also when fetching would fault: the run loop then does it again.
 */
export function region_code(vcpu: usize, linear: u64, number: i32): i32 {
  const mode = load<i32>(vcpu, CPL) == 3 ? ACCESS_USER : ACCESS_SUPERVISOR
  if (!tlb_lookup(vcpu, linear, KIND_EXECUTE, mode)) {
    if (load<i32>(vcpu, CODE_MODE) == 2 && !is_canonical(linear)) return 0
    if (!quiet_walk(vcpu, linear, KIND_EXECUTE, mode)) return 0
    if (!(physmap_entry(load<u64>(vcpu, WALK_PAGE)) & PHYS_READ)) return 0
    tlb_fill(vcpu, linear, KIND_EXECUTE, mode)
  }
  if (tlb_number(vcpu, linear, KIND_EXECUTE, mode) != number) return 0
  note_code_runs(<u64>number << 12)
  return 1
}

/** Address in linear memory to which the bytes at `linear` can be written, or 0. Across pages only when they lie side by side in linear memory too. */
export function region_write(vcpu: usize, linear: u64, flags: i32): i32 {
  const bytes = flags & ACCESS_BYTES
  if (!is_plain(vcpu, linear, bytes)) return 0
  const mode = load<i32>(vcpu, ACCESS_MODE)
  const first = PAGE_BYTES - (<i32>linear & 0xfff)
  const low = writable(vcpu, linear, min<i32>(bytes, first), mode)
  if (low == 0 || bytes <= first) return <i32>low
  const high = writable(vcpu, (linear + first) & load<u64>(vcpu, LINEAR_MASK), bytes - first, mode)
  return high == low + first ? <i32>low : 0
}
