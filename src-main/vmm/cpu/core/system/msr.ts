/** Model-specific registers. SDM vol. 4; AMD64 APM vol. 2 appendix A; MTRRs and PAT: SDM vol. 3A 12.11, 12.12. */
import {
  CPL,
  MSR_APIC_BASE,
  MSR_CSTAR,
  MSR_EFER,
  MSR_KERNEL_GS_BASE,
  MSR_LSTAR,
  MSR_PAT,
  MSR_SFMASK,
  MSR_STAR,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  MSR_TSC_AUX,
  REG_GPR,
  SCRATCH,
  SEG_BASE,
  SEG_FS,
  SEG_GS,
  STATUS_JUMP,
  STATUS_NEXT,
  TSC_OFFSET,
} from '../../layout'
import {
  MSR_BIOS_SIGN_ID,
  MSR_DEBUGCTL,
  MSR_HWCR,
  MSR_MCG_STATUS,
  MSR_MISC_ENABLE,
  MSR_SYSCFG,
  MTRR_DEF_TYPE,
  MTRR_FIXED,
  MTRR_VARIABLE,
  MTRR_VARIABLE_COUNT,
  UNKNOWN_MSR_COUNT,
  UNKNOWN_MSR_LAST,
  VENDOR_AMD,
} from '../../layout-system'
import { read_msr, read_tsc, write_msr } from '../host'
import { raise_gp } from '../interrupt/raise'
import { is_canonical } from '../mmu/access'
import { refresh_segment, segment } from '../segment/derived'
import { PHYSICAL_ADDRESS_MASK } from './bits'
import { load_efer } from './control-registers'

const RAX = REG_GPR
const RCX = REG_GPR + 8
const RDX = REG_GPR + 16

/** 8 variable ranges, fixed ranges, write-combining. */
const MTRR_CAPABILITY: u64 = 0x508
const APIC_BASE_ENABLE: u64 = 0x800
const APIC_BASE_X2: u64 = 0x400
const APIC_BASE_BSP: u64 = 0x100

/** The guest's time-stamp counter. */
export function guest_tsc(vcpu: usize): u64 {
  return <u64>read_tsc(vcpu) + load<u64>(vcpu, TSC_OFFSET)
}

/** Slot of a fixed-range MTRR, or -1. */
function fixed_mtrr(index: u32): i32 {
  if (index == 0x250) return 0
  if (index == 0x258 || index == 0x259) return <i32>(index - 0x257)
  if (index >= 0x268 && index <= 0x26f) return <i32>(index - 0x265)
  return -1
}

// @ts-ignore: decorator
@inline
function memory_type(type: u64, pat: bool): bool {
  return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7)
}

function memory_types(value: u64, pat: bool): bool {
  for (let i: u64 = 0; i < 64; i += 8) {
    if (!memory_type((value >> i) & 0xff, pat)) return false
  }
  return true
}

/** AMD registers that systems touch and that do nothing here: they read 0 and ignore writes. */
function amd_inert(index: u32): bool {
  // Performance counters, north bridge, P-states, SMM, OS-visible workarounds, CPUID overrides, load-store and decode configuration.
  if (index <= 0xc0010007) return true
  if (index >= 0xc0010016 && index <= 0xc001001a) return true
  switch (index) {
    case 0xc001001d:
    case 0xc001001f:
    case 0xc0010055:
    case 0xc0010058:
    case 0xc0010061:
    case 0xc0010062:
    case 0xc0010063:
    case 0xc0010111:
    case 0xc0010112:
    case 0xc0010113:
    case 0xc0010114:
    case 0xc0010115:
    case 0xc0010117:
    case 0xc0010140:
    case 0xc0010141:
    case 0xc0011004:
    case 0xc0011005:
    case 0xc0011020:
    case 0xc0011021:
    case 0xc0011022:
    case 0xc0011023:
    case 0xc0011029:
    case 0xc001102a:
    case 0xc001102c:
      return true
  }
  return index >= 0xc0010064 && index <= 0xc001006b
}

/** Registers of both vendors that read 0 and ignore writes: performance status, thermal, last branch, machine-check banks. */
function inert(index: u32): bool {
  if (index >= 0x400 && index <= 0x43f) return true
  switch (index) {
    case 0x17:
    case 0x2a:
    case 0xc1:
    case 0xc2:
    case 0xcd:
    case 0xce:
    case 0x17b:
    case 0x186:
    case 0x187:
    case 0x198:
    case 0x199:
    case 0x19a:
    case 0x19b:
    case 0x19c:
    case 0x1db:
    case 0x1dc:
    case 0x1dd:
    case 0x1de:
      return true
  }
  return false
}

/** Reads an MSR into SCRATCH; false: there is none. */
function read(vcpu: usize, index: u32): bool {
  let value: u64 = 0
  const fixed = fixed_mtrr(index)
  if (fixed >= 0) {
    value = load<u64>(vcpu + (<usize>fixed << 3), MTRR_FIXED)
  } else if (index >= 0x200 && index < 0x200 + MTRR_VARIABLE_COUNT * 2) {
    value = load<u64>(vcpu + (<usize>(index - 0x200) << 3), MTRR_VARIABLE)
  } else {
    switch (index) {
      case 0x10:
        value = guest_tsc(vcpu)
        break
      case 0x1b:
        value = load<u64>(vcpu, MSR_APIC_BASE)
        break
      case 0x8b:
        value = load<u64>(vcpu, MSR_BIOS_SIGN_ID)
        break
      case 0xfe:
        value = MTRR_CAPABILITY
        break
      case 0x174:
        value = load<u64>(vcpu, MSR_SYSENTER_CS)
        break
      case 0x175:
        value = load<u64>(vcpu, MSR_SYSENTER_ESP)
        break
      case 0x176:
        value = load<u64>(vcpu, MSR_SYSENTER_EIP)
        break
      case 0x179:
        // No machine-check banks.
        break
      case 0x17a:
        value = load<u64>(vcpu, MSR_MCG_STATUS)
        break
      case 0x1a0:
        value = load<u64>(vcpu, MSR_MISC_ENABLE)
        break
      case 0x1d9:
        value = load<u64>(vcpu, MSR_DEBUGCTL)
        break
      case 0x277:
        value = load<u64>(vcpu, MSR_PAT)
        break
      case 0x2ff:
        value = load<u64>(vcpu, MTRR_DEF_TYPE)
        break
      case 0xc0000080:
        value = load<u64>(vcpu, MSR_EFER)
        break
      case 0xc0000081:
        value = load<u64>(vcpu, MSR_STAR)
        break
      case 0xc0000082:
        value = load<u64>(vcpu, MSR_LSTAR)
        break
      case 0xc0000083:
        value = load<u64>(vcpu, MSR_CSTAR)
        break
      case 0xc0000084:
        value = load<u64>(vcpu, MSR_SFMASK)
        break
      case 0xc0000100:
        value = load<u64>(segment(vcpu, SEG_FS), SEG_BASE)
        break
      case 0xc0000101:
        value = load<u64>(segment(vcpu, SEG_GS), SEG_BASE)
        break
      case 0xc0000102:
        value = load<u64>(vcpu, MSR_KERNEL_GS_BASE)
        break
      case 0xc0000103:
        value = load<u64>(vcpu, MSR_TSC_AUX)
        break
      default:
        return read_other(vcpu, index)
    }
  }
  store<u64>(vcpu, value, SCRATCH)
  return true
}

function read_other(vcpu: usize, index: u32): bool {
  store<u64>(vcpu, 0, SCRATCH)
  if (inert(index)) return true
  if (load<u32>(vcpu, VENDOR_AMD) && index >= 0xc0010000 && index < 0xc0020000) {
    if (index == 0xc0010010) store<u64>(vcpu, load<u64>(vcpu, MSR_SYSCFG), SCRATCH)
    else if (index == 0xc0010015) store<u64>(vcpu, load<u64>(vcpu, MSR_HWCR), SCRATCH)
    else if (!amd_inert(index)) return host_read(vcpu, index)
    return true
  }
  return host_read(vcpu, index)
}

function host_read(vcpu: usize, index: u32): bool {
  if (read_msr(vcpu, index)) return true
  count_unknown(vcpu, index)
  return false
}

function count_unknown(vcpu: usize, index: u32): void {
  store<u32>(vcpu, load<u32>(vcpu, UNKNOWN_MSR_COUNT) + 1, UNKNOWN_MSR_COUNT)
  store<u32>(vcpu, index, UNKNOWN_MSR_LAST)
}

/** Registers that hold an address: it must be canonical. */
function write_address(vcpu: usize, value: u64, offset: usize): bool {
  if (!is_canonical(value)) return false
  store<u64>(vcpu + offset, value)
  return true
}

/** Writes an MSR; false: #GP(0). */
function write(vcpu: usize, index: u32, value: u64): bool {
  const fixed = fixed_mtrr(index)
  if (fixed >= 0) {
    if (!memory_types(value, false)) return false
    store<u64>(vcpu + (<usize>fixed << 3), value, MTRR_FIXED)
    return true
  }
  if (index >= 0x200 && index < 0x200 + MTRR_VARIABLE_COUNT * 2) return write_variable_mtrr(vcpu, index, value)
  switch (index) {
    case 0x10:
      store<u64>(vcpu, value - <u64>read_tsc(vcpu), TSC_OFFSET)
      // told, not asked: clocks that the board keeps for the guest count from it
      write_msr(vcpu, index, <u32>value, <u32>(value >> 32))
      return true
    case 0x1b:
      return write_apic_base(vcpu, value)
    case 0x79:
      // Microcode update: accepted, nothing happens.
      return true
    case 0x8b:
      store<u64>(vcpu, value, MSR_BIOS_SIGN_ID)
      return true
    case 0x174:
      store<u64>(vcpu, value & 0xffffffff, MSR_SYSENTER_CS)
      return true
    case 0x175:
      return write_address(vcpu, value, MSR_SYSENTER_ESP)
    case 0x176:
      return write_address(vcpu, value, MSR_SYSENTER_EIP)
    case 0x17a:
      store<u64>(vcpu, value & 7, MSR_MCG_STATUS)
      return true
    case 0x1a0:
      store<u64>(vcpu, value, MSR_MISC_ENABLE)
      return true
    case 0x1d9:
      // Last-branch recording and branch stepping are not there: the bits stay off.
      return true
    case 0x277:
      if (!memory_types(value, true)) return false
      store<u64>(vcpu, value, MSR_PAT)
      return true
    case 0x2ff:
      if (value & ~0xcff || !memory_type(value & 0xff, false)) return false
      store<u64>(vcpu, value, MTRR_DEF_TYPE)
      return true
    case 0xc0000080:
      return load_efer(vcpu, value) == STATUS_NEXT
    case 0xc0000081:
      store<u64>(vcpu, value, MSR_STAR)
      return true
    case 0xc0000082:
      return write_address(vcpu, value, MSR_LSTAR)
    case 0xc0000083:
      return write_address(vcpu, value, MSR_CSTAR)
    case 0xc0000084:
      store<u64>(vcpu, value & 0xffffffff, MSR_SFMASK)
      return true
    case 0xc0000100:
      return write_segment_base(vcpu, SEG_FS, value)
    case 0xc0000101:
      return write_segment_base(vcpu, SEG_GS, value)
    case 0xc0000102:
      return write_address(vcpu, value, MSR_KERNEL_GS_BASE)
    case 0xc0000103:
      store<u64>(vcpu, value & 0xffffffff, MSR_TSC_AUX)
      return true
  }
  if (inert(index)) return true
  if (load<u32>(vcpu, VENDOR_AMD) && index >= 0xc0010000 && index < 0xc0020000) {
    if (index == 0xc0010010) store<u64>(vcpu, value, MSR_SYSCFG)
    else if (index == 0xc0010015) store<u64>(vcpu, value, MSR_HWCR)
    else if (!amd_inert(index)) return host_write(vcpu, index, value)
    return true
  }
  return host_write(vcpu, index, value)
}

function host_write(vcpu: usize, index: u32, value: u64): bool {
  if (write_msr(vcpu, index, <u32>value, <u32>(value >> 32))) return true
  count_unknown(vcpu, index)
  return false
}

function write_variable_mtrr(vcpu: usize, index: u32, value: u64): bool {
  const isMask = (index & 1) != 0
  if (value & ~(PHYSICAL_ADDRESS_MASK | <u64>(isMask ? 0x800 : 0xff))) return false
  if (!isMask && !memory_type(value & 0xff, false)) return false
  store<u64>(vcpu + (<usize>(index - 0x200) << 3), value, MTRR_VARIABLE)
  return true
}

/** The board owns the local APIC; it may refuse. The BSP bit is read-only. */
function write_apic_base(vcpu: usize, value: u64): bool {
  if (value & ~(PHYSICAL_ADDRESS_MASK | APIC_BASE_ENABLE | APIC_BASE_X2 | APIC_BASE_BSP)) return false
  value = (value & ~APIC_BASE_BSP) | (load<u64>(vcpu, MSR_APIC_BASE) & APIC_BASE_BSP)
  if (!write_msr(vcpu, 0x1b, <u32>value, <u32>(value >> 32))) return false
  store<u64>(vcpu, value, MSR_APIC_BASE)
  return true
}

export function write_segment_base(vcpu: usize, seg: i32, value: u64): bool {
  if (!is_canonical(value)) return false
  store<u64>(segment(vcpu, seg), value, SEG_BASE)
  refresh_segment(vcpu, seg)
  return true
}

// ---- instructions ----------------------------------------------------------------------------------------------------------------------

export function rdmsr(vcpu: usize): i32 {
  if (load<i32>(vcpu, CPL) || !read(vcpu, load<u32>(vcpu, RCX))) return raise_gp(vcpu, 0)
  store<u64>(vcpu, load<u32>(vcpu, SCRATCH), RAX)
  store<u64>(vcpu, load<u32>(vcpu, SCRATCH + 4), RDX)
  return STATUS_NEXT
}

export function wrmsr(vcpu: usize): i32 {
  if (load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  const value = <u64>load<u32>(vcpu, RAX) | (<u64>load<u32>(vcpu, RDX) << 32)
  // load_efer may have recorded its own #GP(0): the same.
  return write(vcpu, load<u32>(vcpu, RCX), value) ? STATUS_JUMP : raise_gp(vcpu, 0)
}
