/**
 * Linear memory accesses off the inline path: TLB misses, page crossings, unaligned accesses under #AC, MMIO, ROM, code pages, data breakpoints.
 * `flags` of the slow paths: the number of bytes, | ACCESS_STACK when the access goes through SS.
 */
import {
  CPL,
  EXC_VECTOR,
  LINEAR_MASK,
  REG_CR0,
  REG_EFLAGS,
  SCRATCH,
  STATUS_FAULT,
  STATUS_NEXT,
  CODE_MODE,
} from '../../layout'
import {
  ACCESS_MODE,
  ACCESS_SUPERVISOR,
  ACCESS_USER,
  FETCH_BOUNCE,
  TLB_NO_FILL,
  WALK_FLAGS,
  WALK_GLOBAL,
  WALK_PAGE,
  WALK_SIZE_SHIFT,
  WALK_UNCACHED,
  WATCH,
} from '../../layout-system'
import { check_data_breakpoints } from '../interrupt/debug'
import { raise, raise_gp } from '../interrupt/raise'
import { CR0_AM, EXCEPTION_AC, EXCEPTION_SS, FLAG_AC } from '../system/bits'
import { host_page, phys_read, physical_read, physical_write, physmap_entry } from './physical'
import { tlb_fill, tlb_lookup, tlb_slot } from './tlb'
import { KIND_EXECUTE, KIND_READ, KIND_WRITE, raise_page_fault, walk, WALK_OK } from './walk'

/** In the `bytes` argument of the slow paths: the access goes through SS, a non-canonical address is #SS(0), not #GP(0). */
export const ACCESS_STACK = 0x100
export const ACCESS_BYTES = 0xff
const FAULTED: u64 = 0xffffffffffffffff
/** The longest instruction, from any byte of an aligned dword. */
const FETCH_BYTES: usize = 20

/** Bits 47..63 are all alike. */
// @ts-ignore: decorator
@inline
export function is_canonical(linear: u64): bool {
  return <u64>((<i64>linear << 16) >> 16) == linear
}

/** Canonical form and alignment of an explicit data access. */
function check_access(vcpu: usize, linear: u64, flags: i32): bool {
  const bytes = flags & ACCESS_BYTES
  if (load<i32>(vcpu, CODE_MODE) == 2 && !(is_canonical(linear) && is_canonical(linear + (bytes - 1)))) {
    if (flags & ACCESS_STACK) raise(vcpu, EXCEPTION_SS, 0, 1)
    else raise_gp(vcpu, 0)
    return false
  }
  if (load<i32>(vcpu, TLB_NO_FILL) && !(bytes & (bytes - 1)) && linear & (bytes - 1)) {
    raise(vcpu, EXCEPTION_AC, 0, 1)
    return false
  }
  return true
}

/** True while #AC applies: user code with CR0.AM and EFLAGS.AC. */
export function alignment_checked(vcpu: usize): bool {
  return load<i32>(vcpu, CPL) == 3 && (load<u64>(vcpu, REG_CR0) & CR0_AM) != 0 && (load<u32>(vcpu, REG_EFLAGS) & FLAG_AC) != 0
}

/** Guest-physical address of `linear` for an access of a kind and mode, filling the TLB; all ones when a page fault was recorded. */
export function translate_access(vcpu: usize, linear: u64, kind: i32, mode: i32): u64 {
  const error = walk(vcpu, linear, kind, mode, true)
  if (error != WALK_OK) {
    raise_page_fault(vcpu, linear, error)
    return FAULTED
  }
  tlb_fill(vcpu, linear, kind, mode)
  return load<u64>(vcpu, WALK_PAGE) | (linear & 0xfff)
}

/** Reads 1..8 bytes at a linear address with the rights of `mode`. Look at EXC_VECTOR for a fault. */
export function read_as(vcpu: usize, linear: u64, bytes: i32, mode: i32): u64 {
  const offset = <i32>linear & 0xfff
  if (offset + bytes <= 4096) {
    const host = tlb_lookup(vcpu, linear, KIND_READ, mode)
    if (host) {
      switch (bytes) {
        case 1:
          return load<u8>(host)
        case 2:
          return load<u16>(host)
        case 4:
          return load<u32>(host)
        case 8:
          return load<u64>(host)
      }
    }
    const gpa = translate_access(vcpu, linear, KIND_READ, mode)
    return gpa == FAULTED ? 0 : physical_read(vcpu, gpa, bytes)
  }
  const first = 4096 - offset
  const low = translate_access(vcpu, linear, KIND_READ, mode)
  if (low == FAULTED) return 0
  const high = translate_access(vcpu, (linear + first) & load<u64>(vcpu, LINEAR_MASK), KIND_READ, mode)
  if (high == FAULTED) return 0
  return physical_read(vcpu, low, first) | (physical_read(vcpu, high, bytes - first) << (<u64>first << 3))
}

/** Writes 1..8 bytes at a linear address with the rights of `mode`; both pages are checked before anything is written. */
export function write_as(vcpu: usize, linear: u64, value: u64, bytes: i32, mode: i32): i32 {
  const offset = <i32>linear & 0xfff
  if (offset + bytes <= 4096) {
    const host = tlb_lookup(vcpu, linear, KIND_WRITE, mode)
    if (host) {
      switch (bytes) {
        case 1:
          store<u8>(host, <u8>value)
          return STATUS_NEXT
        case 2:
          store<u16>(host, <u16>value)
          return STATUS_NEXT
        case 4:
          store<u32>(host, <u32>value)
          return STATUS_NEXT
        case 8:
          store<u64>(host, value)
          return STATUS_NEXT
      }
    }
    const gpa = translate_access(vcpu, linear, KIND_WRITE, mode)
    if (gpa == FAULTED) return STATUS_FAULT
    physical_write(vcpu, gpa, value, bytes)
    return STATUS_NEXT
  }
  const first = 4096 - offset
  const low = translate_access(vcpu, linear, KIND_WRITE, mode)
  if (low == FAULTED) return STATUS_FAULT
  const high = translate_access(vcpu, (linear + first) & load<u64>(vcpu, LINEAR_MASK), KIND_WRITE, mode)
  if (high == FAULTED) return STATUS_FAULT
  physical_write(vcpu, low, value, first)
  physical_write(vcpu, high, value >> (<u64>first << 3), bytes - first)
  return STATUS_NEXT
}

/** Checks that [linear, linear + bytes) may be written with the rights of `mode`. `bytes` at most 4096. */
export function probe_as(vcpu: usize, linear: u64, bytes: i32, mode: i32): i32 {
  if (!tlb_lookup(vcpu, linear, KIND_WRITE, mode) && translate_access(vcpu, linear, KIND_WRITE, mode) == FAULTED) return STATUS_FAULT
  if ((<i32>linear & 0xfff) + bytes > 4096) {
    const next = ((linear | 0xfff) + 1) & load<u64>(vcpu, LINEAR_MASK)
    if (translate_access(vcpu, next, KIND_WRITE, mode) == FAULTED) return STATUS_FAULT
  }
  return STATUS_NEXT
}

// ---- explicit accesses of the running code ------------------------------------------------------------------------------------------

export function read_slow(vcpu: usize, linear: u64, flags: i32): u64 {
  if (!check_access(vcpu, linear, flags)) return 0
  const bytes = flags & ACCESS_BYTES
  const value = read_as(vcpu, linear, bytes, load<i32>(vcpu, ACCESS_MODE))
  if (load<i32>(vcpu, WATCH) & 15 && load<i32>(vcpu, EXC_VECTOR) < 0) check_data_breakpoints(vcpu, linear, bytes, false)
  return value
}

export function write_slow(vcpu: usize, linear: u64, value: u64, flags: i32): i32 {
  if (!check_access(vcpu, linear, flags)) return STATUS_FAULT
  const bytes = flags & ACCESS_BYTES
  const status = write_as(vcpu, linear, value, bytes, load<i32>(vcpu, ACCESS_MODE))
  if (load<i32>(vcpu, WATCH) & 15 && status == STATUS_NEXT) check_data_breakpoints(vcpu, linear, bytes, true)
  return status
}

export function probe_write(vcpu: usize, linear: u64, flags: i32): i32 {
  if (!check_access(vcpu, linear, flags)) return STATUS_FAULT
  return probe_as(vcpu, linear, flags & ACCESS_BYTES, load<i32>(vcpu, ACCESS_MODE))
}

/** 16 bytes to SCRATCH. Status. */
export function read_slow_128(vcpu: usize, linear: u64, flags: i32): i32 {
  const low = read_slow(vcpu, linear, (flags & ACCESS_STACK) | 8)
  if (load<i32>(vcpu, EXC_VECTOR) >= 0) return STATUS_FAULT
  const high = read_slow(vcpu, (linear + 8) & load<u64>(vcpu, LINEAR_MASK), (flags & ACCESS_STACK) | 8)
  if (load<i32>(vcpu, EXC_VECTOR) >= 0) return STATUS_FAULT
  store<u64>(vcpu, low, SCRATCH)
  store<u64>(vcpu, high, SCRATCH + 8)
  return STATUS_NEXT
}

/** 16 bytes from SCRATCH. Status. */
export function write_slow_128(vcpu: usize, linear: u64, flags: i32): i32 {
  const stack = flags & ACCESS_STACK
  if (!check_access(vcpu, linear, stack | 8)) return STATUS_FAULT
  const mode = load<i32>(vcpu, ACCESS_MODE)
  if (probe_as(vcpu, linear, 16, mode) != STATUS_NEXT) return STATUS_FAULT
  const status = write_slow(vcpu, linear, load<u64>(vcpu, SCRATCH), stack | 8)
  if (status != STATUS_NEXT) return status
  return write_slow(vcpu, (linear + 8) & load<u64>(vcpu, LINEAR_MASK), load<u64>(vcpu, SCRATCH + 8), stack | 8)
}

/** As read_slow / write_slow, for helpers of the core: the TLB is tried first. */
export function read_linear(vcpu: usize, linear: u64, bytes: i32): u64 {
  return read_slow(vcpu, linear, bytes)
}

export function write_linear(vcpu: usize, linear: u64, value: u64, bytes: i32): i32 {
  return write_slow(vcpu, linear, value, bytes)
}

// ---- implicit supervisor accesses: descriptor tables, TSS ------------------------------------------------------------------------------

export function read_system_u8(vcpu: usize, linear: u64): u32 {
  return <u32>read_as(vcpu, linear, 1, ACCESS_SUPERVISOR)
}
export function read_system_u16(vcpu: usize, linear: u64): u32 {
  return <u32>read_as(vcpu, linear, 2, ACCESS_SUPERVISOR)
}
export function read_system_u32(vcpu: usize, linear: u64): u32 {
  return <u32>read_as(vcpu, linear, 4, ACCESS_SUPERVISOR)
}
export function read_system_u64(vcpu: usize, linear: u64): u64 {
  return read_as(vcpu, linear, 8, ACCESS_SUPERVISOR)
}
export function write_system(vcpu: usize, linear: u64, value: u64, bytes: i32): i32 {
  return write_as(vcpu, linear, value, bytes, ACCESS_SUPERVISOR)
}

// ---- instruction fetch -------------------------------------------------------------------------------------------------------------

/**
 * Host address of the page that holds the code at `linear`, or 0 with the fault recorded. WALK_PAGE then is its guest-physical address and
 * WALK_UNCACHED tells whether it is a bounce page (code in device memory), which holds the bytes of one instruction at `linear` only.
 */
export function fetch_page(vcpu: usize, linear: u64): u32 {
  const user = load<i32>(vcpu, CPL) == 3
  const mode = user ? ACCESS_USER : ACCESS_SUPERVISOR
  store<u32>(vcpu, 0, WALK_UNCACHED)
  const slot = tlb_slot(vcpu, linear, KIND_EXECUTE, mode)
  if (load<u64>(slot) == (linear & ~0xfff)) {
    const entry = load<u32>(slot, 12)
    store<u64>(vcpu, (<u64>entry & 0x0fffffff) << 12, WALK_PAGE)
    store<u32>(vcpu, (entry >> 31 ? WALK_GLOBAL : 0) | (((entry >> 29) & 3) << WALK_SIZE_SHIFT), WALK_FLAGS)
    return <u32>(linear & 0xfffff000) + load<u32>(slot, 8)
  }
  if (load<i32>(vcpu, CODE_MODE) == 2 && !is_canonical(linear)) {
    raise_gp(vcpu, 0)
    return 0
  }
  const error = walk(vcpu, linear, KIND_EXECUTE, mode, true)
  if (error != WALK_OK) {
    raise_page_fault(vcpu, linear, error)
    return 0
  }
  const gpa = load<u64>(vcpu, WALK_PAGE)
  const entry = physmap_entry(gpa)
  if (entry) {
    tlb_fill(vcpu, linear, KIND_EXECUTE, mode)
    return host_page(entry)
  }
  store<u32>(vcpu, 1, WALK_UNCACHED)
  // As much as the longest instruction takes: reading a device's whole page would cost a thousand exits, and touch registers that no code is in.
  const bounce = vcpu + FETCH_BOUNCE
  const first = <usize>linear & 0xffc
  const end = min<usize>(first + FETCH_BYTES, 4096)
  for (let i = first; i < end; i += 4) store<u32>(bounce + i, <u32>physical_read(vcpu, gpa + i, 4))
  return <u32>bounce
}

// ---- debugger ----------------------------------------------------------------------------------------------------------------------

/** Guest-physical address of a linear one for reading (0), writing (1) or executing (2) with the current rights, or -1. No side effects. */
export function translate(vcpu: usize, linear: u64, kind: i32): i64 {
  if (load<i32>(vcpu, CODE_MODE) == 2 && !is_canonical(linear)) return -1
  const page = load<u64>(vcpu, WALK_PAGE)
  const error = walk(vcpu, linear & load<u64>(vcpu, LINEAR_MASK), kind, load<i32>(vcpu, ACCESS_MODE), false)
  const gpa = load<u64>(vcpu, WALK_PAGE)
  store<u64>(vcpu, page, WALK_PAGE)
  return error == WALK_OK ? <i64>(gpa | (linear & 0xfff)) : -1
}

/** Reads guest memory for the debugger without faults: bytes that are not there read FFh. */
export function peek(vcpu: usize, linear: u64): i32 {
  const gpa = translate(vcpu, linear, KIND_READ)
  if (gpa < 0 || !physmap_entry(<u64>gpa)) return 0xff
  return <i32>phys_read(vcpu, <u64>gpa, 1)
}
