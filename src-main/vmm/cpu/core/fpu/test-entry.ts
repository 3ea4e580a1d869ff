/** Entry of the helpers' test module: runs records (helpers/oracle/float-oracle.c) in memory. Not part of the core. */
import * as L from './constants'
import * as S from './sse'
import * as T from './state'
import * as X from './x87'
import * as Y from './x87-load-store'
import * as M from './x87-more'
import { popQuick } from './x87-quick'
import * as N from './x87-transcendental'
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
  for (let i = 0; i < count; i++) {
    const record = records + <usize>i * RECORD
    if (load<u32>(record) < 1000) runSse(vcpu, record)
    else runX87(vcpu, record)
  }
}

const X87_STATE: usize = 80

function runX87(vcpu: usize, record: usize): void {
  const op = load<i32>(record)
  const immediate = load<u32>(record + 8)
  store<u32>(vcpu + L.FPU_CW, load<u32>(record + 4))
  store<u32>(vcpu + L.REG_CR0, 0x80000031)
  // the same start as x87-oracle.h
  let tags: u32 = immediate & 0x400 ? 0xff : 0
  if (!(immediate & 0x100)) tags |= 8
  if (!(immediate & 0x200)) tags |= 16
  store<u32>(vcpu + L.FPU_TAGS, tags)
  T.setStatusWord(vcpu, (3 << 11) | ((immediate >> 16) & 0x477f))
  for (let i = 0; i < 8; i++) {
    const at = T.stackRegister(vcpu, i)
    memory.fill(at, <u8>(0x11 * (i + 1)), 10)
    store<u32>(at + 10, 0)
    store<u16>(at + 14, 0)
  }
  for (let i = 0; i < 2; i++) {
    const at = T.stackRegister(vcpu, i)
    store<u64>(at, load<u64>(record + A + <usize>i * 16))
    store<u16>(at + 8, load<u16>(record + A + <usize>i * 16 + 8))
  }
  memory.fill(record + RESULT, 0xaa, 16)
  store<u32>(record + STATUS, 0)
  store<u32>(record + FLAGS, 0)
  store<u32>(record + FAULT, 0)
  const b32 = load<i32>(record + B)
  const b64 = load<i64>(record + B)
  if (op < 1010) X.x87Arithmetic(vcpu, op - 1000, 0, 1, 0)
  else if (op == 1010) X.x87SquareRoot(vcpu)
  else if (op == 1011) M.x87RoundToInt(vcpu)
  else if (op == 1012) M.x87Scale(vcpu)
  else if (op == 1013) M.x87Extract(vcpu)
  else if (op == 1014) M.x87Remainder(vcpu, 0)
  else if (op == 1015) M.x87Remainder(vcpu, 1)
  else if (op == 1016) X.x87Compare(vcpu, 1, 0, 0)
  else if (op == 1017) X.x87Compare(vcpu, 1, 1, 1)
  else if (op == 1018) X.x87Test(vcpu)
  else if (op == 1019) X.x87Examine(vcpu)
  else if (op == 1020) Y.x87Sign(vcpu, 0)
  else if (op == 1021) store<i32>(record + STATUS, X.x87CompareFlags(vcpu, 1, 0, 0))
  else if (op == 1022) store<i32>(record + STATUS, X.x87CompareFlags(vcpu, 1, 1, 1))
  else if (op == 1023) Y.x87Exchange(vcpu, 1)
  else if (op == 1024) Y.x87StoreStack(vcpu, 1, 1)
  else if (op == 1025) Y.x87LoadStack(vcpu, 1)
  else if (op == 1026) Y.x87StackStep(vcpu, 1)
  else if (op == 1027) X.x87Arithmetic(vcpu, 0, 1, 0, 1)
  else if (op == 1028) X.x87Compare(vcpu, 1, 0, 2)
  else if (op < 1040) runStore(vcpu, record, op)
  else if (op == 1040) Y.x87LoadF32(vcpu, b32)
  else if (op == 1041) Y.x87LoadF64(vcpu, b64)
  else if (op == 1042) X.x87ArithmeticF32(vcpu, 0, b32)
  else if (op == 1043) X.x87ArithmeticF64(vcpu, 0, b64)
  else if (op == 1044) X.x87ArithmeticF64(vcpu, 7, b64)
  else if (op == 1045) X.x87CompareF64(vcpu, b64, 0)
  else if (op == 1046) X.x87ArithmeticInt(vcpu, 0, b32)
  else if (op == 1047) Y.x87LoadInt(vcpu, b64)
  else if (op == 1048) Y.x87LoadBcd(vcpu, b64, load<u16>(record + B + 8))
  else if (op == 1049) Y.x87LoadExtended(vcpu, b64, load<u16>(record + B + 8))
  else if (op == 1050) N.x87PowerMinusOne(vcpu)
  else if (op == 1051) N.x87Log(vcpu, 0)
  else if (op == 1052) N.x87Log(vcpu, 1)
  else if (op == 1053) N.x87Arctangent(vcpu)
  else if (op == 1054) N.x87Tangent(vcpu)
  else if (op < 1058) N.x87SineCosine(vcpu, op - 1054)
  else Y.x87LoadConstant(vcpu, op - 1060)
  M.x87StoreEnvironment(vcpu, 1)
  memory.copy(record + X87_STATE, vcpu + L.SIMD_EXTRA, 108)
  memory.fill(record + X87_STATE + 12, 0, 16)
}

function runStore(vcpu: usize, record: usize, op: i32): void {
  let low: i64
  let bytes: i32 = 8
  if (op == 1030) {
    low = Y.x87StoreF32(vcpu)
    bytes = 4
  } else if (op == 1031) low = Y.x87StoreF64(vcpu)
  else if (op == 1032) {
    low = Y.x87StoreExtended(vcpu)
    bytes = 10
  } else if (op == 1037) {
    low = Y.x87StoreBcd(vcpu)
    bytes = 10
  } else {
    bytes = op == 1033 ? 2 : op == 1034 ? 4 : 8
    low = Y.x87StoreInt(vcpu, bytes, i32(op == 1036))
  }
  if (!load<i32>(vcpu + L.SCRATCH)) return
  if (bytes == 2) store<i16>(record + RESULT, <i16>low)
  else if (bytes == 4) store<i32>(record + RESULT, <i32>low)
  else store<i64>(record + RESULT, low)
  if (bytes == 10) store<u16>(record + RESULT + 8, load<u16>(vcpu + L.SCRATCH + 8))
  if (op != 1030) popQuick(vcpu)
}
