/**
 * The x87 register file and its memory images.
 *
 * Registers are physical (R0..R7); ST(i) is R[(TOP + i) & 7]. FPU_SW is kept without TOP; its ES and B bits follow from the exception flags
 * and the control word's masks whenever either changes.
 */
import {
  FPU_CS, FPU_CW, FPU_DP, FPU_DS, FPU_IGNORE_ERRORS, FPU_IP, FPU_OPCODE, FPU_REG_BYTES, FPU_REGS, FPU_SW, FPU_TAGS, FPU_TOP, MXCSR, MXCSR_MASK, SIMD_EXTRA,
  STATUS_FAULT, STATUS_NEXT, XMM, XMM_STRIDE, EXC_ERROR, EXC_HAS_ERROR, EXC_VECTOR,
} from './constants'

export const SW_ES: u32 = 0x80
export const SW_B: u32 = 0x8000
const SW_TOP: u32 = 0x3800
const EXCEPTIONS: u32 = 0x3f

/** Recomputes ES and B. Without an error IGNNE# falls. */
export function updateErrorSummary(vcpu: usize): void {
  let sw = load<u32>(vcpu + FPU_SW) & ~(SW_ES | SW_B)
  if (sw & ~load<u32>(vcpu + FPU_CW) & EXCEPTIONS) sw |= SW_ES | SW_B
  else store<u32>(vcpu + FPU_IGNORE_ERRORS, 0)
  store<u32>(vcpu + FPU_SW, sw)
}

/** The control word: bit 6 reads as 1, the upper reserved bits as 0. */
export function setControlWord(vcpu: usize, value: u32): void {
  store<u32>(vcpu + FPU_CW, (value & 0x1f3f) | 0x40)
  updateErrorSummary(vcpu)
}
export function statusWord(vcpu: usize): u32 {
  return load<u32>(vcpu + FPU_SW) | (load<u32>(vcpu + FPU_TOP) << 11)
}
export function setStatusWord(vcpu: usize, value: u32): void {
  store<u32>(vcpu + FPU_SW, value & 0xffff & ~SW_TOP)
  store<u32>(vcpu + FPU_TOP, (value >> 11) & 7)
  updateErrorSummary(vcpu)
}

/** Address of ST(i). */
@inline
export function stackRegister(vcpu: usize, i: i32): usize {
  return vcpu + FPU_REGS + ((load<u32>(vcpu + FPU_TOP) + i) & 7) * FPU_REG_BYTES
}

/** Puts the whole FXSAVE image into the scratch area. `wide`: 64-bit pointers (REX.W). */
export function fpuStoreImage(vcpu: usize, wide: i32): void {
  const image = vcpu + SIMD_EXTRA
  store<u16>(image, <u16>load<u32>(vcpu + FPU_CW))
  store<u16>(image + 2, <u16>statusWord(vcpu))
  store<u16>(image + 4, load<u8>(vcpu + FPU_TAGS))
  store<u16>(image + 6, 0)
  store<u64>(image + 8, 0)
  store<u64>(image + 16, 0)
  // AMD processors save the pointers of a pending exception only (APM volume 2, 11.4.4)
  if (load<u32>(vcpu + FPU_SW) & SW_ES) {
    store<u16>(image + 6, <u16>load<u32>(vcpu + FPU_OPCODE))
    store<u64>(image + 8, wide ? load<u64>(vcpu + FPU_IP) : <u64>load<u32>(vcpu + FPU_IP) | (<u64>load<u16>(vcpu + FPU_CS) << 32))
    store<u64>(image + 16, wide ? load<u64>(vcpu + FPU_DP) : <u64>load<u32>(vcpu + FPU_DP) | (<u64>load<u16>(vcpu + FPU_DS) << 32))
  }
  store<u32>(image + 24, load<u32>(vcpu + MXCSR))
  store<u32>(image + 28, MXCSR_MASK)
  for (let i = 0; i < 8; i++) {
    const register = stackRegister(vcpu, i)
    store<u64>(image + 32 + i * 16, load<u64>(register))
    store<u64>(image + 40 + i * 16, load<u16>(register + 8))
  }
  for (let i = 0; i < 16; i++) v128.store(image + 160 + i * 16, v128.load(vcpu + XMM + i * XMM_STRIDE))
}

/** #GP(0) when the image's MXCSR has reserved bits. */
export function fpuCheckImage(vcpu: usize): i32 {
  if ((load<u32>(vcpu + SIMD_EXTRA + 24) & ~MXCSR_MASK) == 0) return STATUS_NEXT
  store<i32>(vcpu + EXC_VECTOR, 13)
  store<i32>(vcpu + EXC_HAS_ERROR, 1)
  store<i32>(vcpu + EXC_ERROR, 0)
  return STATUS_FAULT
}

/** Takes from the image what `words` (bitmap of its 64-bit words) holds: word 0 stands for x87, 3 for MXCSR, 20 + 2i for XMMi. */
export function fpuLoadImage(vcpu: usize, wide: i32, words: i64): void {
  const image = vcpu + SIMD_EXTRA
  if (words & 1) {
    store<u32>(vcpu + FPU_TAGS, load<u8>(image + 4))
    store<u32>(vcpu + FPU_OPCODE, load<u16>(image + 6) & 0x7ff)
    if (wide) {
      store<u64>(vcpu + FPU_IP, load<u64>(image + 8))
      store<u64>(vcpu + FPU_DP, load<u64>(image + 16))
    } else {
      store<u64>(vcpu + FPU_IP, load<u32>(image + 8))
      store<u64>(vcpu + FPU_DP, load<u32>(image + 16))
      store<u32>(vcpu + FPU_CS, load<u16>(image + 12))
      store<u32>(vcpu + FPU_DS, load<u16>(image + 20))
    }
    store<u32>(vcpu + FPU_CW, (<u32>load<u16>(image) & 0x1f3f) | 0x40)
    setStatusWord(vcpu, load<u16>(image + 2))
    for (let i = 0; i < 8; i++) {
      const register = stackRegister(vcpu, i)
      store<u64>(register, load<u64>(image + 32 + i * 16))
      store<u64>(register + 8, load<u16>(image + 40 + i * 16))
    }
  }
  if (words & 8) store<u32>(vcpu + MXCSR, load<u32>(image + 24))
  for (let i = 0; i < 16; i++) {
    if ((words >> (20 + 2 * i)) & 1) v128.store(vcpu + XMM + i * XMM_STRIDE, v128.load(image + 160 + i * 16))
  }
}

/** FNINIT without clearing the registers. */
export function x87Init(vcpu: usize): void {
  store<u32>(vcpu + FPU_CW, 0x37f)
  store<u32>(vcpu + FPU_SW, 0)
  store<u32>(vcpu + FPU_IGNORE_ERRORS, 0)
  store<u32>(vcpu + FPU_TOP, 0)
  store<u32>(vcpu + FPU_TAGS, 0)
  store<u32>(vcpu + FPU_OPCODE, 0)
  store<u32>(vcpu + FPU_CS, 0)
  store<u32>(vcpu + FPU_DS, 0)
  store<u64>(vcpu + FPU_IP, 0)
  store<u64>(vcpu + FPU_DP, 0)
}

/** The initial state of what `words` names. */
export function fpuInitialize(vcpu: usize, words: i64): void {
  if (words & 1) {
    x87Init(vcpu)
    for (let i = 0; i < 8; i++) {
      store<u64>(vcpu + FPU_REGS + i * FPU_REG_BYTES, 0)
      store<u64>(vcpu + FPU_REGS + i * FPU_REG_BYTES + 8, 0)
    }
  }
  for (let i = 0; i < 16; i++) {
    if ((words >> (20 + 2 * i)) & 1) v128.store(vcpu + XMM + i * XMM_STRIDE, i64x2.splat(0))
  }
}
