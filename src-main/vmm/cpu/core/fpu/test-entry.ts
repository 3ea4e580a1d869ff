/** Entry of the helpers' test module: runs records (helpers/oracle/float-oracle.c) in memory. Not part of the core. */
import * as L from './constants'
import * as S from './sse'
import { CVT_DQ2PS, OP_COMPARE } from '../../helpers/fpu-codes'

const RECORD: usize = 192
const A: usize = 16
const B: usize = 32
const RESULT: usize = 48
const FLAGS: usize = 64
const FAULT: usize = 68
const STATUS: usize = 72

function wide(record: usize, value: i64): void {
  store<i64>(record + RESULT, value)
}
function narrow(record: usize, value: i32): void {
  store<i32>(record + RESULT, value)
}
function gpr(record: usize, value: i64): void {
  store<i64>(record + RESULT, value)
  store<i64>(record + RESULT + 8, 0)
}
function dotImmediate(n: u32): i32 {
  return n == 0 ? 0xff : n == 1 ? 0x71 : n == 2 ? 0x3a : 0xd6
}

function runSse(vcpu: usize, record: usize): void {
  const op = load<i32>(record)
  const immediate = load<i32>(record + 8)
  const a = v128.load(record + A)
  const b = v128.load(record + B)
  const a64 = load<i64>(record + A)
  const b64 = load<i64>(record + B)
  const a32 = load<i32>(record + A)
  const b32 = load<i32>(record + B)
  store<u32>(vcpu + L.MXCSR, load<u32>(record + 4))
  store<i32>(vcpu + L.EXC_VECTOR, -1)
  store<u32>(vcpu + L.REG_CR4, L.CR4_OSXMMEXCPT | L.CR4_OSFXSR)
  v128.store(record + RESULT, a)
  store<u32>(record + STATUS, 0)
  if (op < 10) wide(record, S.sseF64(vcpu, op, a64, b64))
  else if (op < 20) narrow(record, S.sseF32(vcpu, op - 10, a32, b32))
  else if (op < 30) v128.store(record + RESULT, S.ssePd(vcpu, op - 20, a, b))
  else if (op < 40) v128.store(record + RESULT, S.ssePs(vcpu, op - 30, a, b))
  else if (op == 40) wide(record, S.sseF64(vcpu, OP_COMPARE + (immediate & 7), a64, b64))
  else if (op == 41) narrow(record, S.sseF32(vcpu, OP_COMPARE + (immediate & 7), a32, b32))
  else if (op == 42) v128.store(record + RESULT, S.ssePd(vcpu, OP_COMPARE + (immediate & 7), a, b))
  else if (op == 43) v128.store(record + RESULT, S.ssePs(vcpu, OP_COMPARE + (immediate & 7), a, b))
  else if (op < 54) {
    const signaling = i32(op < 52)
    const status = op & 1 ? S.sseCompareF32(vcpu, signaling, a32, b32) : S.sseCompareF64(vcpu, signaling, a64, b64)
    store<u32>(record + STATUS, status)
    gpr(record, 0)
  } else if (op < 68) {
    const bits = op < 64 ? 64 : 32
    gpr(record, op & 2 ? S.sseF32ToInt(vcpu, b32, bits, op & 1) : S.sseF64ToInt(vcpu, b64, bits, op & 1))
  } else if (op == 70) wide(record, S.sseIntToF64(vcpu, b64))
  else if (op == 71) narrow(record, S.sseIntToF32(vcpu, b64))
  else if (op == 72) wide(record, S.sseF32ToF64(vcpu, b32))
  else if (op == 73) narrow(record, S.sseF64ToF32(vcpu, b64))
  else if (op < 90) v128.store(record + RESULT, S.sseConvert(vcpu, CVT_DQ2PS + op - 80, b))
  else if (op == 90) wide(record, S.sseRoundF64(vcpu, b64, immediate & 15))
  else if (op == 91) narrow(record, S.sseRoundF32(vcpu, b32, immediate & 15))
  else if (op == 92) v128.store(record + RESULT, S.sseRoundPd(vcpu, b, immediate & 15))
  else if (op == 93) v128.store(record + RESULT, S.sseRoundPs(vcpu, b, immediate & 15))
  else if (op == 94) v128.store(record + RESULT, S.sseDotPs(vcpu, a, b, dotImmediate(immediate & 3)))
  else if (op == 95) v128.store(record + RESULT, S.sseDotPd(vcpu, a, b, dotImmediate(immediate & 3)))
  const fault = load<i32>(vcpu + L.EXC_VECTOR) >= 0
  if (fault) {
    gpr(record, 0)
    store<u32>(record + STATUS, 0)
  }
  store<u32>(record + FAULT, u32(fault))
  store<u32>(record + FLAGS, load<u32>(vcpu + L.MXCSR))
}

export function runRecords(vcpu: usize, records: usize, count: i32): void {
  for (let i = 0; i < count; i++) runSse(vcpu, records + <usize>i * RECORD)
}
