/**
 * The page walk: linear to guest-physical in every paging form.
 * Intel SDM vol. 3A chapter 4 (4.3 32-bit, 4.4 PAE, 4.5 4-level, 4.6 rights, 4.7 error code, 4.8 accessed and dirty); AMD64 APM vol. 2 chapter 5.
 */
import { EXC_ADDRESS, MSR_EFER, REG_CR0, REG_CR3, REG_CR4 } from '../../layout'
import {
  ACCESS_SUPERVISOR,
  ACCESS_SUPERVISOR_AC,
  ACCESS_USER,
  COUNT_PAGE_WALKS,
  FEATURE_1_EDX,
  FEATURE_EXT_EDX,
  PDPTES,
  WALK_DIRTY,
  WALK_FLAGS,
  WALK_GLOBAL,
  WALK_PAGE,
  WALK_SIZE_SHIFT,
} from '../../layout-system'
import { raise } from '../interrupt/raise'
import {
  CR0_PG,
  CR0_WP,
  CR4_PAE,
  CR4_PGE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_NXE,
  FEATURE_1_EDX_PSE36,
  FEATURE_EXT_EDX_1GB,
  PHYSICAL_ADDRESS_MASK,
} from '../system/bits'
import { a20, physical_read, physical_write } from './physical'

export const KIND_READ = 0
export const KIND_WRITE = 1
export const KIND_EXECUTE = 2

const PTE_P: u64 = 1
const PTE_W: u64 = 2
const PTE_U: u64 = 4
const PTE_A: u64 = 0x20
const PTE_D: u64 = 0x40
const PTE_PS: u64 = 0x80
const PTE_G: u64 = 0x100
const PTE_NX: u64 = 0x8000000000000000

const ERROR_P = 1
const ERROR_W = 2
const ERROR_U = 4
const ERROR_RSVD = 8
const ERROR_ID = 16

/** The walk succeeded. */
export const WALK_OK = -1

function error_code(vcpu: usize, kind: i32, mode: i32, present: i32): i32 {
  let error = present
  if (kind == KIND_WRITE) error |= ERROR_W
  if (mode == ACCESS_USER) error |= ERROR_U
  if (kind == KIND_EXECUTE) {
    const cr4 = load<u64>(vcpu, REG_CR4)
    if (cr4 & CR4_SMEP || (cr4 & CR4_PAE && load<u64>(vcpu, MSR_EFER) & EFER_NXE)) error |= ERROR_ID
  }
  return error
}

/** May this access be made with the rights collected on the way (W and U ANDed, NX ORed)? */
function permitted(vcpu: usize, rights: u64, kind: i32, mode: i32): bool {
  const user = (rights & PTE_U) != 0
  if (mode == ACCESS_USER) {
    if (!user) return false
    if (kind == KIND_WRITE) return (rights & PTE_W) != 0
    return kind == KIND_READ || !(rights & PTE_NX)
  }
  const cr4 = load<u64>(vcpu, REG_CR4)
  if (kind == KIND_EXECUTE) return !(rights & PTE_NX) && !(user && (cr4 & CR4_SMEP) != 0)
  if (user && mode == ACCESS_SUPERVISOR && (cr4 & CR4_SMAP) != 0) return false
  return kind == KIND_READ || (rights & PTE_W) != 0 || !(load<u64>(vcpu, REG_CR0) & CR0_WP)
}

/** Sets accessed (and dirty) in an entry when it is not set yet. */
function mark_entry(vcpu: usize, at: u64, entry: u64, bits: u64, bytes: i32): void {
  if ((entry & bits) != bits) physical_write(vcpu, a20(vcpu, at), entry | bits, bytes)
}

/**
 * Walks the tables for the page of `linear` (canonical, masked to the mode). Returns WALK_OK with the page in WALK_PAGE and WALK_FLAGS, or the
 * page fault's error code. `update` false: for the debugger, no accessed or dirty bit is set.
 */
export function walk(vcpu: usize, linear: u64, kind: i32, mode: i32, update: bool): i32 {
  if (!(load<u64>(vcpu, REG_CR0) & CR0_PG)) {
    store<u64>(vcpu, a20(vcpu, linear & 0xfffff000), WALK_PAGE)
    store<u32>(vcpu, WALK_DIRTY, WALK_FLAGS)
    return WALK_OK
  }
  store<u64>(vcpu, load<u64>(vcpu, COUNT_PAGE_WALKS) + 1, COUNT_PAGE_WALKS)
  if (!(load<u64>(vcpu, REG_CR4) & CR4_PAE)) return walk_2_level(vcpu, <u32>linear, kind, mode, update)
  return walk_long(vcpu, linear, kind, mode, update)
}

function walk_2_level(vcpu: usize, linear: u32, kind: i32, mode: i32, update: bool): i32 {
  const cr4 = load<u64>(vcpu, REG_CR4)
  const pdeAt = (load<u64>(vcpu, REG_CR3) & 0xfffff000) | ((linear >> 22) << 2)
  const pde = physical_read(vcpu, a20(vcpu, pdeAt), 4)
  if (!(pde & PTE_P)) return error_code(vcpu, kind, mode, 0)
  const dirty = kind == KIND_WRITE ? PTE_A | PTE_D : PTE_A
  let leaf: u64
  let page: u64
  let size: u32 = 0
  if (pde & PTE_PS && cr4 & CR4_PSE) {
    // Bit 21 is reserved; bits 13..20 are address bits 32..39 with PSE-36, reserved without.
    const pse36 = (load<u32>(vcpu, FEATURE_1_EDX) & FEATURE_1_EDX_PSE36) != 0
    if (pde & (pse36 ? <u64>0x200000 : <u64>0x3fe000)) return error_code(vcpu, kind, mode, ERROR_P | ERROR_RSVD)
    if (!permitted(vcpu, pde, kind, mode)) return error_code(vcpu, kind, mode, ERROR_P)
    page = (pde & 0xffc00000) | (((pde >> 13) & 0xff) << 32) | (linear & 0x3ff000)
    leaf = pde
    size = 2
    if (update) mark_entry(vcpu, pdeAt, pde, dirty, 4)
  } else {
    const pteAt = (pde & 0xfffff000) | (((linear >> 12) & 0x3ff) << 2)
    const pte = physical_read(vcpu, a20(vcpu, pteAt), 4)
    if (!(pte & PTE_P)) return error_code(vcpu, kind, mode, 0)
    if (!permitted(vcpu, pde & pte, kind, mode)) return error_code(vcpu, kind, mode, ERROR_P)
    page = pte & 0xfffff000
    leaf = pte
    if (update) {
      mark_entry(vcpu, pdeAt, pde, PTE_A, 4)
      mark_entry(vcpu, pteAt, pte, dirty, 4)
    }
  }
  finish(vcpu, page, leaf, kind, cr4, size)
  return WALK_OK
}

// @ts-ignore: decorator
@inline
function finish(vcpu: usize, page: u64, leaf: u64, kind: i32, cr4: u64, size: u32): void {
  store<u64>(vcpu, a20(vcpu, page), WALK_PAGE)
  const global = leaf & PTE_G && cr4 & CR4_PGE ? WALK_GLOBAL : 0
  const dirty = leaf & PTE_D || kind == KIND_WRITE ? WALK_DIRTY : 0
  store<u32>(vcpu, global | dirty | (size << WALK_SIZE_SHIFT), WALK_FLAGS)
}

/** PAE and 4-level paging differ in where the walk starts and in which bits are reserved. */
function walk_long(vcpu: usize, linear: u64, kind: i32, mode: i32, update: bool): i32 {
  const efer = load<u64>(vcpu, MSR_EFER)
  const long = (efer & EFER_LMA) != 0
  const noExecute = (efer & EFER_NXE) != 0
  // Reserved in every entry: address bits above MAXPHYADDR (and 52..62 with PAE), NX while it is off.
  let reserved = (long ? <u64>0x000fffffffffffff : <u64>0x7fffffffffffffff) & ~(PHYSICAL_ADDRESS_MASK | 0xfff)
  if (!noExecute) reserved |= PTE_NX
  let rights: u64 = PTE_W | PTE_U
  let pml4At: u64 = 0
  let pml4e: u64 = 0
  let pdpteAt: u64 = 0
  let pdpte: u64
  if (long) {
    pml4At = (load<u64>(vcpu, REG_CR3) & PHYSICAL_ADDRESS_MASK) | (((linear >> 39) & 0x1ff) << 3)
    pml4e = physical_read(vcpu, a20(vcpu, pml4At), 8)
    if (!(pml4e & PTE_P)) return error_code(vcpu, kind, mode, 0)
    if (pml4e & (reserved | PTE_PS)) return error_code(vcpu, kind, mode, ERROR_P | ERROR_RSVD)
    rights = (rights & pml4e) | (pml4e & PTE_NX)
    pdpteAt = (pml4e & PHYSICAL_ADDRESS_MASK) | (((linear >> 30) & 0x1ff) << 3)
    pdpte = physical_read(vcpu, a20(vcpu, pdpteAt), 8)
    if (!(pdpte & PTE_P)) return error_code(vcpu, kind, mode, 0)
    if (pdpte & reserved) return error_code(vcpu, kind, mode, ERROR_P | ERROR_RSVD)
    const pages1g = (load<u32>(vcpu, FEATURE_EXT_EDX) & FEATURE_EXT_EDX_1GB) != 0
    if (pdpte & PTE_PS && (!pages1g || pdpte & 0x3fffe000)) return error_code(vcpu, kind, mode, ERROR_P | ERROR_RSVD)
    rights = (rights & (pdpte | PTE_NX)) | (pdpte & PTE_NX)
  } else {
    // Checked when it was loaded; PDPTEs carry no rights and no accessed bit.
    pdpte = load<u64>(vcpu + ((<usize>(linear >> 30) & 3) << 3), PDPTES)
    if (!(pdpte & PTE_P)) return error_code(vcpu, kind, mode, 0)
    pdpte &= ~PTE_PS
  }
  const leafBits = kind == KIND_WRITE ? PTE_A | PTE_D : PTE_A
  const cr4 = load<u64>(vcpu, REG_CR4)
  if (pdpte & PTE_PS) {
    if (!permitted(vcpu, rights, kind, mode)) return error_code(vcpu, kind, mode, ERROR_P)
    if (update) {
      mark_entry(vcpu, pml4At, pml4e, PTE_A, 8)
      mark_entry(vcpu, pdpteAt, pdpte, leafBits, 8)
    }
    finish(vcpu, (pdpte & PHYSICAL_ADDRESS_MASK & 0xffffffffc0000000) | (linear & 0x3ffff000), pdpte, kind, cr4, 3)
    return WALK_OK
  }
  const pdeAt = (pdpte & PHYSICAL_ADDRESS_MASK) | (((linear >> 21) & 0x1ff) << 3)
  const pde = physical_read(vcpu, a20(vcpu, pdeAt), 8)
  if (!(pde & PTE_P)) return error_code(vcpu, kind, mode, 0)
  const large = (pde & PTE_PS) != 0
  if (pde & reserved || (large && pde & 0x1fe000)) return error_code(vcpu, kind, mode, ERROR_P | ERROR_RSVD)
  rights = (rights & (pde | PTE_NX)) | (pde & PTE_NX)
  if (large) {
    if (!permitted(vcpu, rights, kind, mode)) return error_code(vcpu, kind, mode, ERROR_P)
    if (update) {
      mark_upper(vcpu, long, pml4At, pml4e, pdpteAt, pdpte)
      mark_entry(vcpu, pdeAt, pde, leafBits, 8)
    }
    finish(vcpu, (pde & PHYSICAL_ADDRESS_MASK & 0xffffffffffe00000) | (linear & 0x1ff000), pde, kind, cr4, 1)
    return WALK_OK
  }
  const pteAt = (pde & PHYSICAL_ADDRESS_MASK) | (((linear >> 12) & 0x1ff) << 3)
  const pte = physical_read(vcpu, a20(vcpu, pteAt), 8)
  if (!(pte & PTE_P)) return error_code(vcpu, kind, mode, 0)
  if (pte & reserved) return error_code(vcpu, kind, mode, ERROR_P | ERROR_RSVD)
  rights = (rights & (pte | PTE_NX)) | (pte & PTE_NX)
  if (!permitted(vcpu, rights, kind, mode)) return error_code(vcpu, kind, mode, ERROR_P)
  if (update) {
    mark_upper(vcpu, long, pml4At, pml4e, pdpteAt, pdpte)
    mark_entry(vcpu, pdeAt, pde, PTE_A, 8)
    mark_entry(vcpu, pteAt, pte, leafBits, 8)
  }
  finish(vcpu, pte & PHYSICAL_ADDRESS_MASK, pte, kind, cr4, 0)
  return WALK_OK
}

// @ts-ignore: decorator
@inline
function mark_upper(vcpu: usize, long: bool, pml4At: u64, pml4e: u64, pdpteAt: u64, pdpte: u64): void {
  if (!long) return
  mark_entry(vcpu, pml4At, pml4e, PTE_A, 8)
  mark_entry(vcpu, pdpteAt, pdpte, PTE_A, 8)
}

/** Records #PF; CR2 takes the address when the exception is delivered. */
export function raise_page_fault(vcpu: usize, linear: u64, error: i32): i32 {
  store<u64>(vcpu, linear, EXC_ADDRESS)
  return raise(vcpu, 14, error, 1)
}

/** The mode in which code of privilege `cpl` accesses memory explicitly now (`ac`: EFLAGS.AC). */
export function access_mode_for(vcpu: usize, cpl: i32, ac: bool): i32 {
  if (cpl == 3) return ACCESS_USER
  return ac && (load<u64>(vcpu, REG_CR4) & CR4_SMAP) != 0 ? ACCESS_SUPERVISOR_AC : ACCESS_SUPERVISOR
}
