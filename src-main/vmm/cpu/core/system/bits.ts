/** Bits of the system registers. Names are the manuals'; the plain name is the mask. */
export const CR0_PE: u64 = 1
export const CR0_MP: u64 = 2
export const CR0_EM: u64 = 4
export const CR0_TS: u64 = 8
export const CR0_ET: u64 = 0x10
export const CR0_NE: u64 = 0x20
export const CR0_WP: u64 = 0x10000
export const CR0_AM: u64 = 0x40000
export const CR0_NW: u64 = 0x20000000
export const CR0_CD: u64 = 0x40000000
export const CR0_PG: u64 = 0x80000000
export const CR0_DEFINED: u64 = 0xe005003f

export const CR4_VME: u64 = 1
export const CR4_PVI: u64 = 2
export const CR4_TSD: u64 = 4
export const CR4_DE: u64 = 8
export const CR4_PSE: u64 = 0x10
export const CR4_PAE: u64 = 0x20
export const CR4_MCE: u64 = 0x40
export const CR4_PGE: u64 = 0x80
export const CR4_PCE: u64 = 0x100
export const CR4_OSFXSR: u64 = 0x200
export const CR4_OSXMMEXCPT: u64 = 0x400
export const CR4_UMIP: u64 = 0x800
export const CR4_FSGSBASE: u64 = 0x10000
export const CR4_OSXSAVE: u64 = 0x40000
export const CR4_SMEP: u64 = 0x100000
export const CR4_SMAP: u64 = 0x200000

export const EFER_SCE: u64 = 1
export const EFER_LME: u64 = 0x100
export const EFER_LMA: u64 = 0x400
export const EFER_NXE: u64 = 0x800

export const FLAG_CF: u32 = 1
export const FLAG_ONE: u32 = 2
export const FLAG_PF: u32 = 4
export const FLAG_AF: u32 = 0x10
export const FLAG_ZF: u32 = 0x40
export const FLAG_SF: u32 = 0x80
export const FLAG_TF: u32 = 0x100
export const FLAG_IF: u32 = 0x200
export const FLAG_DF: u32 = 0x400
export const FLAG_OF: u32 = 0x800
export const FLAG_IOPL: u32 = 0x3000
export const FLAG_NT: u32 = 0x4000
export const FLAG_RF: u32 = 0x10000
export const FLAG_VM: u32 = 0x20000
export const FLAG_AC: u32 = 0x40000
export const FLAG_VIF: u32 = 0x80000
export const FLAG_VIP: u32 = 0x100000
export const FLAG_ID: u32 = 0x200000
export const FLAGS_STATUS: u32 = 0x8d5
export const FLAGS_DEFINED: u32 = 0x3f7fd7

// Segment access bits, in the place they have in the descriptor's second dword.
export const ACCESS_A: u32 = 0x100
/** Data: writable. Code: readable. */
export const ACCESS_RW: u32 = 0x200
/** Data: expand-down. Code: conforming. */
export const ACCESS_EC: u32 = 0x400
export const ACCESS_CODE: u32 = 0x800
export const ACCESS_S: u32 = 0x1000
export const ACCESS_DPL: u32 = 0x6000
export const ACCESS_DPL_SHIFT: u32 = 13
export const ACCESS_P: u32 = 0x8000
export const ACCESS_L: u32 = 0x200000
export const ACCESS_DB: u32 = 0x400000
export const ACCESS_G: u32 = 0x800000
export const ACCESS_MASK: u32 = 0xf0ff00

/** MAXPHYADDR is 40. */
export const PHYSICAL_ADDRESS_MASK: u64 = 0xfffffff000
export const PHYSICAL_ADDRESS_BITS = 40

export const FEATURE_1_EDX_PSE36: u32 = 1 << 17
export const FEATURE_EXT_EDX_1GB: u32 = 1 << 26

export const EXCEPTION_DE = 0
export const EXCEPTION_DB = 1
export const EXCEPTION_NMI = 2
export const EXCEPTION_BP = 3
export const EXCEPTION_OF = 4
export const EXCEPTION_BR = 5
export const EXCEPTION_UD = 6
export const EXCEPTION_NM = 7
export const EXCEPTION_DF = 8
export const EXCEPTION_TS = 10
export const EXCEPTION_NP = 11
export const EXCEPTION_SS = 12
export const EXCEPTION_GP = 13
export const EXCEPTION_PF = 14
export const EXCEPTION_MF = 16
export const EXCEPTION_AC = 17
