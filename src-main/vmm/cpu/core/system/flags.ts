/** RFLAGS as one value, and the instructions that move it. */
import {
  ATTENTION,
  ATTENTION_SHADOW,
  CPL,
  FLAG_AUX,
  FLAG_RESULT,
  REG_EFLAGS,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { refresh_debug } from '../interrupt/debug'
import { raise_gp } from '../interrupt/raise'
import { refresh_access } from '../segment/derived'
import {
  FLAGS_DEFINED,
  FLAGS_STATUS,
  FLAG_AC,
  FLAG_AF,
  FLAG_CF,
  FLAG_DF,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_NT,
  FLAG_OF,
  FLAG_ONE,
  FLAG_PF,
  FLAG_RF,
  FLAG_SF,
  FLAG_TF,
  FLAG_VIF,
  FLAG_VIP,
  FLAG_VM,
  FLAG_ZF,
} from './bits'

/** The six lazy status flags in their EFLAGS places (encoding: layout.ts, FLAG_RESULT). */
export function status_flags(vcpu: usize): u32 {
  const result = load<i64>(vcpu, FLAG_RESULT)
  const aux = load<u32>(vcpu, FLAG_AUX)
  let flags: u32 = 0
  if (aux & 0x80000000) flags |= FLAG_CF
  if ((aux ^ (aux << 1)) & 0x80000000) flags |= FLAG_OF
  if (aux & 8) flags |= FLAG_AF
  if (result == 0) flags |= FLAG_ZF
  if (<u32>(result < 0) ^ ((aux >> 16) & 1)) flags |= FLAG_SF
  if (!(popcnt((<u32>result ^ (aux >> 8)) & 0xff) & 1)) flags |= FLAG_PF
  return flags
}

/** Sets the six status flags; the encoding chosen is the canonical one of saved states. */
export function set_status_flags(vcpu: usize, flags: u32): void {
  const zero = (flags & FLAG_ZF) != 0
  let aux: u32 = 0
  const cf = flags & FLAG_CF
  const overflow: u32 = flags & FLAG_OF ? 1 : 0
  aux |= cf << 31
  aux |= (cf ^ overflow) << 30
  if (flags & FLAG_AF) aux |= 8
  if (flags & FLAG_SF) aux |= 0x10000
  // Result 0 has even parity, result 1 odd: bit 8 flips it where the wanted flag differs.
  const parity: u32 = flags & FLAG_PF ? 1 : 0
  if (zero ? !parity : parity) aux |= 0x100
  store<i64>(vcpu, zero ? 0 : 1, FLAG_RESULT)
  store<u32>(vcpu, aux, FLAG_AUX)
}

/** RFLAGS with the status flags computed. */
export function read_eflags(vcpu: usize): u32 {
  return load<u32>(vcpu, REG_EFLAGS) | status_flags(vcpu)
}

/** Replaces the flags under `mask` and everything derived from them. */
export function write_eflags(vcpu: usize, value: u32, mask: u32): void {
  if (mask & FLAGS_STATUS) set_status_flags(vcpu, (value & mask) | (status_flags(vcpu) & ~mask))
  const system = mask & FLAGS_DEFINED & ~FLAGS_STATUS
  const old = load<u32>(vcpu, REG_EFLAGS)
  const next = (old & ~system) | (value & system) | FLAG_ONE
  store<u32>(vcpu, next, REG_EFLAGS)
  const changed = old ^ next
  if (changed & FLAG_AC) refresh_access(vcpu)
  if ((changed | next) & (FLAG_TF | FLAG_RF)) refresh_debug(vcpu)
}

/** What POPF and IRET may change at this privilege (SDM vol. 2, POPF). 16-bit forms keep the upper half. */
export function writable_flags(vcpu: usize, bytes: i32): u32 {
  const cpl = load<i32>(vcpu, CPL)
  const iopl = <i32>((load<u32>(vcpu, REG_EFLAGS) & FLAG_IOPL) >> 12)
  let mask = FLAGS_STATUS | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID
  if (cpl == 0) mask |= FLAG_IOPL
  if (cpl <= iopl) mask |= FLAG_IF
  return bytes == 2 ? mask & 0xffff : mask
}

// @ts-ignore: decorator
@inline
export function in_v86(vcpu: usize): bool {
  return (load<u32>(vcpu, REG_EFLAGS) & FLAG_VM) != 0
}

// @ts-ignore: decorator
@inline
export function iopl(vcpu: usize): i32 {
  return <i32>((load<u32>(vcpu, REG_EFLAGS) & FLAG_IOPL) >> 12)
}

/** PUSHF's image; #GP(0) in virtual-8086 mode below IOPL 3 (EXC_VECTOR tells). */
export function pushf_value(vcpu: usize): i32 {
  if (in_v86(vcpu) && iopl(vcpu) < 3) {
    raise_gp(vcpu, 0)
    return 0
  }
  return <i32>(read_eflags(vcpu) & ~(FLAG_VM | FLAG_RF))
}

/** May POPF run here? */
export function popf_check(vcpu: usize): i32 {
  return in_v86(vcpu) && iopl(vcpu) < 3 ? raise_gp(vcpu, 0) : STATUS_NEXT
}

/** POPF after the value was popped: cannot fault. */
export function popf_write(vcpu: usize, value: i32, bytes: i32): void {
  let mask = writable_flags(vcpu, bytes)
  if (bytes != 2) {
    // RF is cleared; VIP and VIF are cleared where the IOPL lets POPF work at all; VM never changes.
    mask |= FLAG_RF | FLAG_VIF | FLAG_VIP
    value &= ~(FLAG_RF | FLAG_VIF | FLAG_VIP)
  }
  if (in_v86(vcpu)) mask &= ~(FLAG_IOPL | FLAG_VIF | FLAG_VIP)
  write_eflags(vcpu, <u32>value, mask)
}

export function cli(vcpu: usize): i32 {
  if (!interrupt_flag_allowed(vcpu)) return raise_gp(vcpu, 0)
  store<u32>(vcpu, load<u32>(vcpu, REG_EFLAGS) & ~FLAG_IF, REG_EFLAGS)
  return STATUS_NEXT
}

/** Interrupts are taken after the instruction that follows, when they were off before. Ends the block. */
export function sti(vcpu: usize): i32 {
  if (!interrupt_flag_allowed(vcpu)) return raise_gp(vcpu, 0)
  const flags = load<u32>(vcpu, REG_EFLAGS)
  if (!(flags & FLAG_IF)) {
    store<u32>(vcpu, flags | FLAG_IF, REG_EFLAGS)
    store<i32>(vcpu, load<i32>(vcpu, ATTENTION) | ATTENTION_SHADOW, ATTENTION)
  }
  return STATUS_JUMP
}

function interrupt_flag_allowed(vcpu: usize): bool {
  return load<i32>(vcpu, CPL) <= iopl(vcpu)
}
