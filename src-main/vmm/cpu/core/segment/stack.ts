/**
 * A stack that is being pushed to or popped from by something bigger than one instruction (interrupt delivery, far calls, IRET). Nothing of the
 * vCPU changes until stack_commit.
 */
import { EXC_VECTOR, REG_GPR, SEG_ACCESS, SEG_BASE, SEG_LIMIT, SEG_SELECTOR, SEG_SS, STACK_MASK, STATUS_NEXT } from '../../layout'
import {
  ACCESS_MODE,
  STK_ACCESS,
  STK_BASE,
  STK_ERROR,
  STK_FLAT,
  STK_LIMIT,
  STK_MASK,
  STK_MODE,
  STK_POINTER,
  STK_SELECTOR,
} from '../../layout-system'
import { raise_ss } from '../interrupt/raise'
import { is_canonical, read_as, write_as } from '../mmu/access'
import { ACCESS_DB } from '../system/bits'
import { code64, segment, segment_allows } from './derived'

const RSP = REG_GPR + 32

/** The current stack; faults are #SS(error). */
export function stack_current(vcpu: usize, error: u32): void {
  const ss = segment(vcpu, SEG_SS)
  const flat = code64(vcpu)
  store<u32>(vcpu, flat ? 1 : 0, STK_FLAT)
  store<u64>(vcpu, flat ? 0 : load<u64>(ss, SEG_BASE) & 0xffffffff, STK_BASE)
  store<u32>(vcpu, load<u32>(ss, SEG_LIMIT), STK_LIMIT)
  store<u32>(vcpu, load<u32>(ss, SEG_ACCESS), STK_ACCESS)
  store<u32>(vcpu, load<u32>(ss, SEG_SELECTOR), STK_SELECTOR)
  store<u64>(vcpu, load<u64>(vcpu, STACK_MASK), STK_MASK)
  store<u64>(vcpu, load<u64>(vcpu, RSP), STK_POINTER)
  store<i32>(vcpu, load<i32>(vcpu, ACCESS_MODE), STK_MODE)
  store<u32>(vcpu, error, STK_ERROR)
}

/** A new stack segment with its pointer (protected mode). */
export function stack_new(vcpu: usize, selector: u32, access: u32, base: u64, limit: u32, pointer: u64, mode: i32, error: u32): void {
  store<u32>(vcpu, 0, STK_FLAT)
  store<u64>(vcpu, base, STK_BASE)
  store<u32>(vcpu, limit, STK_LIMIT)
  store<u32>(vcpu, access, STK_ACCESS)
  store<u32>(vcpu, selector, STK_SELECTOR)
  store<u64>(vcpu, access & ACCESS_DB ? <u64>0xffffffff : <u64>0xffff, STK_MASK)
  store<u64>(vcpu, pointer, STK_POINTER)
  store<i32>(vcpu, mode, STK_MODE)
  store<u32>(vcpu, error, STK_ERROR)
}

/** A flat 64-bit stack. */
export function stack_new64(vcpu: usize, pointer: u64, mode: i32, error: u32): void {
  store<u32>(vcpu, 1, STK_FLAT)
  store<u64>(vcpu, 0, STK_BASE)
  store<u64>(vcpu, 0xffffffffffffffff, STK_MASK)
  store<u64>(vcpu, pointer, STK_POINTER)
  store<i32>(vcpu, mode, STK_MODE)
  store<u32>(vcpu, error, STK_ERROR)
}

function stack_allows(vcpu: usize, offset: u64, bytes: i32, write: bool): bool {
  if (load<u32>(vcpu, STK_FLAT)) return is_canonical(offset) && is_canonical(offset + (bytes - 1))
  return segment_allows(load<u32>(vcpu, STK_ACCESS), load<u32>(vcpu, STK_LIMIT), offset, bytes, write)
}

// @ts-ignore: decorator
@inline
function stack_linear(vcpu: usize, offset: u64): u64 {
  const linear = load<u64>(vcpu, STK_BASE) + offset
  return load<u32>(vcpu, STK_FLAT) ? linear : linear & 0xffffffff
}

// @ts-ignore: decorator
@inline
function move_pointer(vcpu: usize, delta: i64): void {
  const pointer = load<u64>(vcpu, STK_POINTER)
  const mask = load<u64>(vcpu, STK_MASK)
  store<u64>(vcpu, (pointer & ~mask) | ((pointer + delta) & mask), STK_POINTER)
}

export function stack_push(vcpu: usize, value: u64, bytes: i32): i32 {
  const mask = load<u64>(vcpu, STK_MASK)
  const offset = (load<u64>(vcpu, STK_POINTER) - bytes) & mask
  if (!stack_allows(vcpu, offset, bytes, true)) return raise_ss(vcpu, load<u32>(vcpu, STK_ERROR))
  const status = write_as(vcpu, stack_linear(vcpu, offset), value, bytes, load<i32>(vcpu, STK_MODE))
  if (status == STATUS_NEXT) move_pointer(vcpu, -(<i64>bytes))
  return status
}

/** Reads at the pointer + `delta` without moving it. Look at EXC_VECTOR. */
export function stack_peek(vcpu: usize, delta: i32, bytes: i32): u64 {
  const mask = load<u64>(vcpu, STK_MASK)
  const offset = (load<u64>(vcpu, STK_POINTER) + delta) & mask
  if (!stack_allows(vcpu, offset, bytes, false)) {
    raise_ss(vcpu, load<u32>(vcpu, STK_ERROR))
    return 0
  }
  return read_as(vcpu, stack_linear(vcpu, offset), bytes, load<i32>(vcpu, STK_MODE))
}

/** Pops; after an earlier fault it does nothing, so that a row of pops needs one look at EXC_VECTOR. */
export function stack_pop(vcpu: usize, bytes: i32): u64 {
  if (load<i32>(vcpu, EXC_VECTOR) >= 0) return 0
  const value = stack_peek(vcpu, 0, bytes)
  if (load<i32>(vcpu, EXC_VECTOR) < 0) move_pointer(vcpu, bytes)
  return value
}

/** Skips bytes (parameters of RET n). */
export function stack_skip(vcpu: usize, bytes: i32): void {
  move_pointer(vcpu, bytes)
}

/** RSP takes the pointer. The upper part above the mask was kept all along. */
export function stack_commit(vcpu: usize): void {
  const pointer = load<u64>(vcpu, STK_POINTER)
  store<u64>(vcpu, load<u32>(vcpu, STK_FLAT) ? pointer : pointer & 0xffffffff, RSP)
}
