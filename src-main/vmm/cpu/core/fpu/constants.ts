/** Constants of the x87 and SSE helpers that are not part of the memory layout. */
export * from '../../layout'

export const CR0_PE: u32 = 1
export const EFLAGS_VM: u32 = 0x20000
export const CR0_MP: u32 = 2
export const CR0_EM: u32 = 4
export const CR0_TS: u32 = 8
export const CR0_NE: u32 = 32
export const CR4_OSFXSR: u32 = 0x200
export const CR4_OSXMMEXCPT: u32 = 0x400
export const CR4_OSXSAVE: u32 = 0x40000

/** Bits of MXCSR that exist (MXCSR_MASK of the FXSAVE image): all but AMD's misaligned-SSE mode. */
export const MXCSR_MASK: u32 = 0xffff
