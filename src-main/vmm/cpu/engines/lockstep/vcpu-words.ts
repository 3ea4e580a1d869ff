/** The part of a vCPU's state that an architecture manual knows, as 32-bit words: compared between leader and follower, and copied from one to the other. */
import {
  ATTENTION,
  CODE_KEY,
  EXC_VECTOR,
  FLAG_RESULT,
  FPU_REGS,
  HALTED,
  MXCSR,
  FPU_CW,
  REG_CR0,
  REG_CR2,
  REG_EFLAGS,
  REG_GPR,
  REG_NEXT_RIP,
  REG_RIP,
  SEGMENTS,
  SEG_BYTES,
  TLB_CONTEXT,
  XMM,
  XMM_STRIDE,
} from '../../layout'

/** Everything before this is registers and what derives from them; run control follows. */
const STATE_END = ATTENTION
const XMM_END = XMM + 16 * XMM_STRIDE
const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15']

function words(from: number, to: number): number[] {
  return Array.from({ length: (to - from) / 4 }, (_, i) => (from >> 2) + i)
}

/** Offsets in words of what must be equal wherever instructions end. Status flags and RIP are compared by value; next RIP and CR2 change inside an instruction. */
export const COMPARED: readonly number[] = [
  ...words(REG_GPR, REG_RIP),
  REG_EFLAGS >> 2,
  ...words(SEGMENTS, REG_CR2),
  ...words(REG_CR2 + 8, TLB_CONTEXT),
  HALTED >> 2,
  ...words(FPU_CW, MXCSR + 4),
  ...words(FPU_REGS, XMM_END),
  CODE_KEY >> 2,
]

/** What the host may change while the vCPU stands still or asks a device, apart from ATTENTION. */
export const CHANGEABLE: readonly number[] = [...words(REG_GPR, STATE_END), HALTED >> 2, ...words(FPU_CW, XMM_END)]

export function nameOf(word: number): string {
  const offset = word * 4
  if (offset < REG_RIP) return `${NAMES[offset >> 3] ?? ''}${offset & 4 ? ' (high)' : ''}`
  if (offset === REG_EFLAGS) return 'eflags'
  if (offset >= SEGMENTS && offset < SEGMENTS + 8 * SEG_BYTES) {
    return `${['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'][Math.floor((offset - SEGMENTS) / SEG_BYTES)] ?? ''} +${(offset - SEGMENTS) % SEG_BYTES}`
  }
  if (offset >= XMM && offset < XMM_END) return `xmm${Math.floor((offset - XMM) / XMM_STRIDE)} +${(offset - XMM) % XMM_STRIDE}`
  if (offset >= FPU_REGS && offset < XMM) return `fpu r${(offset - FPU_REGS) >> 4} +${(offset - FPU_REGS) & 15}`
  if (offset >= REG_CR0 && offset < EXC_VECTOR) return `system state +${offset}`
  return `state +${offset}`
}

/** FLAG_RESULT and FLAG_AUX, which stand for the same status flags in many ways. */
export const LAZY_FLAGS: readonly number[] = words(FLAG_RESULT, REG_EFLAGS)
export const RIP_WORDS: readonly number[] = words(REG_RIP, REG_NEXT_RIP)
