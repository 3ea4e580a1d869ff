/** x87 and SSE registers of a vCPU as an FXSAVE image, and back. */
import * as L from '../../cpu/layout'
import { FX_CONTROL, FX_MXCSR, FX_ST, FX_STATUS, FX_TAGS, FX_XMM } from '../diff-engine'

/** An FXSAVE image into the vCPU. */
export const loadFx = (memory: WebAssembly.Memory, vcpu: number, fx: Uint8Array): void => {
  const view = new DataView(memory.buffer)
  const bytes = new Uint8Array(memory.buffer)
  const input = new DataView(fx.buffer, fx.byteOffset)
  const status = input.getUint16(FX_STATUS, true)
  const top = (status >> 11) & 7
  view.setUint32(vcpu + L.FPU_CW, input.getUint16(FX_CONTROL, true), true)
  view.setUint32(vcpu + L.FPU_SW, status & ~0x3800, true)
  view.setUint32(vcpu + L.FPU_TOP, top, true)
  view.setUint32(vcpu + L.FPU_TAGS, input.getUint8(FX_TAGS), true)
  view.setUint32(vcpu + L.MXCSR, input.getUint32(FX_MXCSR, true), true)
  for (let i = 0; i < 8; i++) {
    const at = vcpu + L.FPU_REGS + ((top + i) & 7) * L.FPU_REG_BYTES
    view.setBigUint64(at, input.getBigUint64(FX_ST + i * 16, true), true)
    view.setBigUint64(at + 8, BigInt(input.getUint16(FX_ST + i * 16 + 8, true)), true)
  }
  for (let i = 0; i < 16; i++) bytes.set(fx.subarray(FX_XMM + i * 16, FX_XMM + i * 16 + 16), vcpu + L.XMM + i * L.XMM_STRIDE)
}

/** ... and out of it. */
export const saveFx = (memory: WebAssembly.Memory, vcpu: number, fx: Uint8Array): void => {
  const view = new DataView(memory.buffer)
  const bytes = new Uint8Array(memory.buffer)
  const output = new DataView(fx.buffer, fx.byteOffset)
  const top = view.getUint32(vcpu + L.FPU_TOP, true) & 7
  output.setUint16(FX_CONTROL, view.getUint32(vcpu + L.FPU_CW, true), true)
  output.setUint16(FX_STATUS, view.getUint32(vcpu + L.FPU_SW, true) | (top << 11), true)
  output.setUint8(FX_TAGS, view.getUint32(vcpu + L.FPU_TAGS, true))
  output.setUint32(FX_MXCSR, view.getUint32(vcpu + L.MXCSR, true), true)
  for (let i = 0; i < 8; i++) {
    const at = vcpu + L.FPU_REGS + ((top + i) & 7) * L.FPU_REG_BYTES
    output.setBigUint64(FX_ST + i * 16, view.getBigUint64(at, true), true)
    output.setUint16(FX_ST + i * 16 + 8, view.getUint16(at + 8, true), true)
  }
  for (let i = 0; i < 16; i++) {
    const at = vcpu + L.XMM + i * L.XMM_STRIDE
    fx.set(bytes.subarray(at, at + 16), FX_XMM + i * 16)
  }
}
