/** CR0, CR2, CR3, CR4, CR8, EFER, XCR0 and debug registers, with everything a write brings about. SDM vol. 3A 2.5, 4.1, 10.8.5 (long mode entry). */
import {
  CPL,
  MSR_EFER,
  REG_CR0,
  REG_CR2,
  REG_CR3,
  REG_CR4,
  REG_DR0,
  REG_DR6,
  REG_DR7,
  REG_EFLAGS,
  REG_XCR0,
  SEG_ACCESS,
  SEG_CS,
  SEG_TR,
  STATUS_JUMP,
  STATUS_NEXT,
} from '../../layout'
import { FEATURE_1_ECX, FEATURE_1_EDX, FEATURE_7_EBX, FEATURE_EXT_EDX, XCR0_SUPPORTED } from '../../layout-system'
import { read_task_priority, write_task_priority } from '../host'
import { DR6_BD, DR7_GD, raise_debug, refresh_debug } from '../interrupt/debug'
import { raise_gp, raise_ud } from '../interrupt/raise'
import { invalidate_page, flush_tlb, flush_tlb_local } from '../mmu/tlb'
import { is_canonical } from '../mmu/access'
import { load_pdptes } from '../mmu/control'
import { code64, long_mode, refresh_access, refresh_mode, segment } from '../segment/derived'
import {
  ACCESS_L,
  CR0_CD,
  CR0_DEFINED,
  CR0_ET,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_TS,
  CR0_WP,
  CR4_DE,
  CR4_FSGSBASE,
  CR4_MCE,
  CR4_OSFXSR,
  CR4_OSXMMEXCPT,
  CR4_OSXSAVE,
  CR4_PAE,
  CR4_PCE,
  CR4_PGE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  CR4_TSD,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
  FLAG_AC,
  FLAG_VM,
  PHYSICAL_ADDRESS_MASK,
} from './bits'

/** PAE paging (not 4-level) with these registers? */
// @ts-ignore: decorator
@inline
function pae_paging(cr0: u64, cr4: u64, efer: u64): bool {
  return (cr0 & CR0_PG) != 0 && (cr4 & CR4_PAE) != 0 && (efer & EFER_LMA) == 0
}

/** CR3 as a MOV or a task switch loads it. */
export function load_cr3(vcpu: usize, value: u64): i32 {
  const cr4 = load<u64>(vcpu, REG_CR4)
  const efer = load<u64>(vcpu, MSR_EFER)
  if (efer & EFER_LMA) {
    if (value & ~(PHYSICAL_ADDRESS_MASK | 0xfff)) return raise_gp(vcpu, 0)
  } else {
    value &= 0xffffffff
    if (pae_paging(load<u64>(vcpu, REG_CR0), cr4, efer) && load_pdptes(vcpu, value) != STATUS_NEXT) return 2
  }
  store<u64>(vcpu, value, REG_CR3)
  if (cr4 & CR4_PGE) flush_tlb_local(vcpu)
  else flush_tlb(vcpu)
  return STATUS_NEXT
}

function load_cr0(vcpu: usize, value: u64): i32 {
  const old = load<u64>(vcpu, REG_CR0)
  const efer = load<u64>(vcpu, MSR_EFER)
  const cr4 = load<u64>(vcpu, REG_CR4)
  if (value >> 32) return raise_gp(vcpu, 0)
  value = (value & CR0_DEFINED) | CR0_ET
  if (value & CR0_PG && !(value & CR0_PE)) return raise_gp(vcpu, 0)
  if (value & CR0_NW && !(value & CR0_CD)) return raise_gp(vcpu, 0)
  let newEfer = efer
  if ((value ^ old) & CR0_PG) {
    if (value & CR0_PG) {
      if (efer & EFER_LME) {
        // Entering long mode needs PAE, and CS.L clear.
        if (!(cr4 & CR4_PAE) || load<u32>(segment(vcpu, SEG_CS), SEG_ACCESS) & ACCESS_L) return raise_gp(vcpu, 0)
        if (!(load<u32>(segment(vcpu, SEG_TR), SEG_ACCESS) & 0x800)) {
          // A 16-bit TSS in TR is #GP(0).
          if (load<u32>(segment(vcpu, SEG_TR), SEG_ACCESS) & 0x8000) return raise_gp(vcpu, 0)
        }
        newEfer |= EFER_LMA
      }
    } else {
      // Leaving paging from 64-bit code is #GP(0).
      if (code64(vcpu)) return raise_gp(vcpu, 0)
      newEfer &= ~EFER_LMA
    }
  }
  // SDM 4.4.1: PDPTEs are loaded by a write of CR0 that changes CD, NW or PG too.
  if (pae_paging(value, cr4, newEfer) && (value ^ old) & (CR0_PG | CR0_CD | CR0_NW)) {
    if (load_pdptes(vcpu, load<u64>(vcpu, REG_CR3)) != STATUS_NEXT) return 2
  }
  store<u64>(vcpu, value, REG_CR0)
  store<u64>(vcpu, newEfer, MSR_EFER)
  if ((value ^ old) & (CR0_PG | CR0_WP | CR0_PE)) flush_tlb(vcpu)
  refresh_mode(vcpu)
  return STATUS_JUMP
}

/** Bits of CR4 that this processor's features define. */
function cr4_defined(vcpu: usize): u64 {
  const edx = load<u32>(vcpu, FEATURE_1_EDX)
  const ecx = load<u32>(vcpu, FEATURE_1_ECX)
  const ebx = load<u32>(vcpu, FEATURE_7_EBX)
  let mask: u64 = CR4_PCE
  if (edx & (1 << 2)) mask |= CR4_DE
  if (edx & (1 << 3)) mask |= CR4_PSE
  if (edx & (1 << 4)) mask |= CR4_TSD
  if (edx & (1 << 6)) mask |= CR4_PAE
  if (edx & (1 << 7)) mask |= CR4_MCE
  if (edx & (1 << 13)) mask |= CR4_PGE
  if (edx & (1 << 24)) mask |= CR4_OSFXSR
  if (edx & (1 << 25)) mask |= CR4_OSXMMEXCPT
  if (ecx & (1 << 26)) mask |= CR4_OSXSAVE
  if (ebx & 1) mask |= CR4_FSGSBASE
  if (ebx & (1 << 7)) mask |= CR4_SMEP
  if (ebx & (1 << 20)) mask |= CR4_SMAP
  return mask
}

function load_cr4(vcpu: usize, value: u64): i32 {
  const old = load<u64>(vcpu, REG_CR4)
  if (value & ~cr4_defined(vcpu)) return raise_gp(vcpu, 0)
  if (long_mode(vcpu) && !(value & CR4_PAE)) return raise_gp(vcpu, 0)
  const changed = value ^ old
  const cr0 = load<u64>(vcpu, REG_CR0)
  if (pae_paging(cr0, value, load<u64>(vcpu, MSR_EFER)) && changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) {
    if (load_pdptes(vcpu, load<u64>(vcpu, REG_CR3)) != STATUS_NEXT) return 2
  }
  store<u64>(vcpu, value, REG_CR4)
  if (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP | CR4_SMAP)) flush_tlb(vcpu)
  if (changed & CR4_SMAP) refresh_access(vcpu)
  if (changed & CR4_DE) refresh_debug(vcpu)
  return STATUS_JUMP
}

/** WRMSR EFER. */
export function load_efer(vcpu: usize, value: u64): i32 {
  const features = load<u32>(vcpu, FEATURE_EXT_EDX)
  let mask: u64 = EFER_LMA
  if (features & (1 << 11) || features & (1 << 29)) mask |= EFER_SCE
  if (features & (1 << 29)) mask |= EFER_LME
  if (features & (1 << 20)) mask |= EFER_NXE
  // AMD's FFXSR and LMSLE are not there; a set bit that is not defined is #GP.
  if (value & ~mask) return raise_gp(vcpu, 0)
  const old = load<u64>(vcpu, MSR_EFER)
  if ((value ^ old) & EFER_LME && load<u64>(vcpu, REG_CR0) & CR0_PG) return raise_gp(vcpu, 0)
  value = (value & ~EFER_LMA) | (old & EFER_LMA)
  store<u64>(vcpu, value, MSR_EFER)
  if ((value ^ old) & EFER_NXE) flush_tlb(vcpu)
  refresh_mode(vcpu)
  return STATUS_NEXT
}

/** MOV from CR. CR8 is the task priority; other numbers are #UD. Look at EXC_VECTOR. */
export function read_cr(vcpu: usize, index: i32): i64 {
  if (load<i32>(vcpu, CPL)) {
    raise_gp(vcpu, 0)
    return 0
  }
  switch (index) {
    case 0:
      return load<i64>(vcpu, REG_CR0)
    case 2:
      return load<i64>(vcpu, REG_CR2)
    case 3:
      return load<i64>(vcpu, REG_CR3)
    case 4:
      return load<i64>(vcpu, REG_CR4)
    case 8:
      return <i64>(read_task_priority(vcpu) & 15)
  }
  raise_ud(vcpu)
  return 0
}

/** MOV to CR. Ends the block. */
export function write_cr(vcpu: usize, index: i32, value: u64): i32 {
  if (index > 4 && index != 8) return raise_ud(vcpu)
  if (load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  if (!code64(vcpu)) value &= 0xffffffff
  switch (index) {
    case 0:
      return load_cr0(vcpu, value)
    case 2:
      store<u64>(vcpu, value, REG_CR2)
      return STATUS_JUMP
    case 3: {
      // Bit 63 (keep the PCID's entries) means nothing without PCIDs, where it is reserved.
      const status = load_cr3(vcpu, value)
      return status == STATUS_NEXT ? STATUS_JUMP : status
    }
    case 4:
      return load_cr4(vcpu, value)
    case 8:
      if (value & ~0xf) return raise_gp(vcpu, 0)
      write_task_priority(vcpu, <u32>value)
      return STATUS_JUMP
  }
  return raise_ud(vcpu)
}

export function clts(vcpu: usize): i32 {
  if (load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  store<u64>(vcpu, load<u64>(vcpu, REG_CR0) & ~CR0_TS, REG_CR0)
  return STATUS_JUMP
}

/** LMSW can set PE but not clear it. */
export function lmsw(vcpu: usize, value: i32): i32 {
  if (load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  const old = load<u64>(vcpu, REG_CR0)
  return load_cr0(vcpu, (old & ~0xe) | (<u64>value & 0xf) | (old & CR0_PE))
}

/** SMSW (UMIP is not offered). */
export function smsw(vcpu: usize): i64 {
  return load<i64>(vcpu, REG_CR0)
}

export function invlpg(vcpu: usize, linear: u64): i32 {
  if (load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  // For an address that is not canonical it does nothing.
  if (!code64(vcpu)) invalidate_page(vcpu, linear & 0xffffffff)
  else if (is_canonical(linear)) invalidate_page(vcpu, linear)
  return STATUS_JUMP
}

// ---- debug registers ---------------------------------------------------------------------------------------------------------------

/** DR4 and DR5 are DR6 and DR7 unless CR4.DE. The register's number, or -1 with the fault recorded. */
function debug_register(vcpu: usize, index: i32): i32 {
  if (index > 7) {
    raise_ud(vcpu)
    return -1
  }
  if (index == 4 || index == 5) {
    if (load<u64>(vcpu, REG_CR4) & CR4_DE) {
      raise_ud(vcpu)
      return -1
    }
    index += 2
  }
  if (load<i32>(vcpu, CPL)) {
    raise_gp(vcpu, 0)
    return -1
  }
  if (load<u64>(vcpu, REG_DR7) & DR7_GD) {
    // General detect: a fault, and GD is cleared so that the handler can use the registers.
    store<u64>(vcpu, load<u64>(vcpu, REG_DR7) & ~DR7_GD, REG_DR7)
    raise_debug(vcpu, DR6_BD, false)
    return -1
  }
  return index
}

export function read_dr(vcpu: usize, index: i32): i64 {
  index = debug_register(vcpu, index)
  if (index < 0) return 0
  if (index == 6) return load<i64>(vcpu, REG_DR6)
  if (index == 7) return load<i64>(vcpu, REG_DR7)
  return load<i64>(vcpu + (<usize>index << 3), REG_DR0)
}

export function write_dr(vcpu: usize, index: i32, value: u64): i32 {
  index = debug_register(vcpu, index)
  if (index < 0) return 2
  if (!code64(vcpu)) value &= 0xffffffff
  if (index >= 6 && value >> 32) return raise_gp(vcpu, 0)
  if (index == 6) {
    store<u64>(vcpu, (value & 0xe00f) | 0xffff0ff0, REG_DR6)
    return STATUS_JUMP
  }
  if (index == 7) store<u64>(vcpu, (value & 0xffff2bff) | 0x400, REG_DR7)
  else store<u64>(vcpu + (<usize>index << 3), value, REG_DR0)
  refresh_debug(vcpu)
  // Watched pages must not be in the TLB.
  flush_tlb(vcpu)
  return STATUS_JUMP
}

// ---- extended state ------------------------------------------------------------------------------------------------------------------

export function xgetbv(vcpu: usize, index: i32): i64 {
  if (!(load<u64>(vcpu, REG_CR4) & CR4_OSXSAVE)) {
    raise_ud(vcpu)
    return 0
  }
  if (index != 0) {
    raise_gp(vcpu, 0)
    return 0
  }
  return load<i64>(vcpu, REG_XCR0)
}

export function xsetbv(vcpu: usize, index: i32, value: u64): i32 {
  if (!(load<u64>(vcpu, REG_CR4) & CR4_OSXSAVE)) return raise_ud(vcpu)
  const supported = <u64>load<u32>(vcpu, XCR0_SUPPORTED)
  // x87 (bit 0) can never be off.
  if (load<i32>(vcpu, CPL) || index != 0 || !(value & 1) || value & ~supported) return raise_gp(vcpu, 0)
  store<u64>(vcpu, value, REG_XCR0)
  return STATUS_JUMP
}

/** STAC and CLAC. */
export function set_ac(vcpu: usize, value: i32): i32 {
  if (!(load<u32>(vcpu, FEATURE_7_EBX) & (1 << 20)) || load<i32>(vcpu, CPL)) return raise_ud(vcpu)
  const flags = load<u32>(vcpu, REG_EFLAGS)
  if (flags & FLAG_VM) return raise_ud(vcpu)
  store<u32>(vcpu, value ? flags | FLAG_AC : flags & ~FLAG_AC, REG_EFLAGS)
  refresh_access(vcpu)
  return STATUS_NEXT
}
