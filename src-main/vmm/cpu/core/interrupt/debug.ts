/** Debug exceptions: breakpoint registers, single-step, RF. SDM vol. 3B chapter 18; DR6 and DR7: 18.2.3, 18.2.4. */
import {
  ATTENTION,
  ATTENTION_DEBUG,
  LINEAR_MASK,
  REG_CR4,
  REG_DR0,
  REG_DR6,
  REG_DR7,
  REG_EFLAGS,
  REG_RIP,
  SEG_BASE,
  SEG_CS,
  STATUS_FAULT,
  STATUS_NEXT,
} from '../../layout'
import { DEBUG_PENDING, DEBUG_SS_SHADOW, DEBUG_STEP, EXC_TRAP, WATCH } from '../../layout-system'
import { code64, segment } from '../segment/derived'
import { CR4_DE, EXCEPTION_DB, FLAG_RF, FLAG_TF } from '../system/bits'
import { raise } from './raise'

export const DR6_B0_3: u64 = 0xf
export const DR6_BD: u64 = 0x2000
export const DR6_BS: u64 = 0x4000
export const DR6_BT: u64 = 0x8000
export const DR7_GD: u64 = 0x2000

const WATCH_CODE = 0xf00
const WATCH_IO = 0xf0000

/** Recomputes which breakpoints are active and whether the run loop must go instruction by instruction. */
export function refresh_debug(vcpu: usize): void {
  const dr7 = <u32>load<u64>(vcpu, REG_DR7)
  const de = (load<u64>(vcpu, REG_CR4) & CR4_DE) != 0
  let watch: i32 = 0
  if (dr7 & 0xff) {
    for (let i = 0; i < 4; i++) {
      if (!((dr7 >> (i << 1)) & 3)) continue
      const kind = (dr7 >> (16 + (i << 2))) & 3
      if (kind == 0) watch |= 0x100 << i
      else if (kind == 2) watch |= de ? 0x10000 << i : 0
      else watch |= 1 << i
    }
  }
  store<i32>(vcpu, watch, WATCH)
  const active = watch != 0 || (load<u32>(vcpu, REG_EFLAGS) & (FLAG_TF | FLAG_RF)) != 0 || load<u32>(vcpu, DEBUG_PENDING) != 0
  const attention = load<i32>(vcpu, ATTENTION)
  store<i32>(vcpu, active ? attention | ATTENTION_DEBUG : attention & ~ATTENTION_DEBUG, ATTENTION)
}

/** Bytes that breakpoint i covers. */
// @ts-ignore: decorator
@inline
function breakpoint_bytes(dr7: u32, i: i32): u64 {
  const length = (dr7 >> (18 + (i << 2))) & 3
  return length == 2 ? 8 : <u64>length + 1
}

function overlaps(vcpu: usize, i: i32, first: u64, bytes: i32): bool {
  const size = breakpoint_bytes(<u32>load<u64>(vcpu, REG_DR7), i)
  const start = load<u64>(vcpu + (<usize>i << 3), REG_DR0) & ~(size - 1)
  return first < start + size && start < first + bytes
}

/** Data accesses of the running instruction: notes what matches; debug_trap reports it after the instruction. */
export function check_data_breakpoints(vcpu: usize, linear: u64, bytes: i32, write: bool): void {
  const watch = load<i32>(vcpu, WATCH)
  const dr7 = <u32>load<u64>(vcpu, REG_DR7)
  let pending = load<u32>(vcpu, DEBUG_PENDING)
  for (let i = 0; i < 4; i++) {
    if (!(watch & (1 << i))) continue
    const readToo = ((dr7 >> (16 + (i << 2))) & 3) == 3
    if ((write || readToo) && overlaps(vcpu, i, linear, bytes)) pending |= 1 << i
  }
  store<u32>(vcpu, pending, DEBUG_PENDING)
}

/** I/O breakpoints (CR4.DE). */
export function check_io_breakpoints(vcpu: usize, port: u32, bytes: i32): void {
  const watch = load<i32>(vcpu, WATCH)
  if (!(watch & WATCH_IO)) return
  let pending = load<u32>(vcpu, DEBUG_PENDING)
  for (let i = 0; i < 4; i++) {
    if (watch & (0x10000 << i) && overlaps(vcpu, i, port, bytes)) pending |= 1 << i
  }
  store<u32>(vcpu, pending, DEBUG_PENDING)
}

/**
 * Before an instruction while ATTENTION_DEBUG is set: instruction breakpoints (a fault), and what debug_trap needs to know. RF holds breakpoints
 * back for one instruction.
 */
export function check_instruction_breakpoint(vcpu: usize): i32 {
  const flags = load<u32>(vcpu, REG_EFLAGS)
  store<u32>(vcpu, flags & FLAG_TF, DEBUG_STEP)
  if (flags & FLAG_RF) {
    store<u32>(vcpu, flags & ~FLAG_RF, REG_EFLAGS)
    refresh_debug(vcpu)
    return STATUS_NEXT
  }
  const watch = load<i32>(vcpu, WATCH)
  if (!(watch & WATCH_CODE)) return STATUS_NEXT
  const rip = load<u64>(vcpu, REG_RIP)
  const linear = code64(vcpu) ? rip : (rip + load<u64>(segment(vcpu, SEG_CS), SEG_BASE)) & load<u64>(vcpu, LINEAR_MASK)
  let hit: u64 = 0
  for (let i = 0; i < 4; i++) {
    if (watch & (0x100 << i) && load<u64>(vcpu + (<usize>i << 3), REG_DR0) == linear) hit |= 1 << i
  }
  return hit ? raise_debug(vcpu, hit, false) : STATUS_NEXT
}

/** After an instruction retired while ATTENTION_DEBUG is set: single-step and data or I/O breakpoints (traps). */
export function debug_trap(vcpu: usize): i32 {
  if (load<u32>(vcpu, DEBUG_SS_SHADOW)) {
    store<u32>(vcpu, 0, DEBUG_SS_SHADOW)
    return STATUS_NEXT
  }
  let bits: u64 = load<u32>(vcpu, DEBUG_PENDING)
  if (load<u32>(vcpu, DEBUG_STEP)) bits |= DR6_BS
  if (!bits) return STATUS_NEXT
  store<u32>(vcpu, 0, DEBUG_PENDING)
  store<u32>(vcpu, 0, DEBUG_STEP)
  refresh_debug(vcpu)
  return raise_debug(vcpu, bits, true)
}

/** #DB with its reasons in DR6. The processor never clears B0..B3 and BS itself, but a new report replaces B0..B3. */
export function raise_debug(vcpu: usize, bits: u64, trap: bool): i32 {
  const old = load<u64>(vcpu, REG_DR6)
  store<u64>(vcpu, (bits & DR6_B0_3 ? old & ~DR6_B0_3 : old) | bits, REG_DR6)
  raise(vcpu, EXCEPTION_DB, 0, 0)
  store<u32>(vcpu, trap ? 1 : 0, EXC_TRAP)
  return STATUS_FAULT
}

/** Forgets what the interrupted instruction had matched: its exception comes instead. */
export function drop_pending_debug(vcpu: usize): void {
  store<u32>(vcpu, 0, DEBUG_PENDING)
  store<u32>(vcpu, 0, DEBUG_STEP)
  store<u32>(vcpu, 0, DEBUG_SS_SHADOW)
}
