/** Signatures of the floating-point and SIMD helpers in core/fpu. */
import type { HelperTable } from './signature'

export const fpuHelpers: HelperTable = {
  // SSE (core/fpu/sse.ts)
  sseUnavailable: { params: [], result: 'status' },
  mmxUnavailable: { params: [], result: 'status' },
  sseF64: { params: ['i32', 'i64', 'i64'], result: 'i64 or fault' },
  sseF32: { params: ['i32', 'i32', 'i32'], result: 'i32 or fault' },
  ssePd: { params: ['i32', 'v128', 'v128'], result: 'v128 or fault' },
  ssePs: { params: ['i32', 'v128', 'v128'], result: 'v128 or fault' },
  sseCompareF64: { params: ['i32', 'i64', 'i64'], result: 'i32 or fault' },
  sseCompareF32: { params: ['i32', 'i32', 'i32'], result: 'i32 or fault' },
  sseF64ToInt: { params: ['i64', 'i32', 'i32'], result: 'i64 or fault' },
  sseF32ToInt: { params: ['i32', 'i32', 'i32'], result: 'i64 or fault' },
  sseIntToF64: { params: ['i64'], result: 'i64 or fault' },
  sseIntToF32: { params: ['i64'], result: 'i32 or fault' },
  sseF32ToF64: { params: ['i32'], result: 'i64 or fault' },
  sseF64ToF32: { params: ['i64'], result: 'i32 or fault' },
  sseConvert: { params: ['i32', 'v128'], result: 'v128 or fault' },
  sseRoundF64: { params: ['i64', 'i32'], result: 'i64 or fault' },
  sseRoundF32: { params: ['i32', 'i32'], result: 'i32 or fault' },
  sseRoundPd: { params: ['v128', 'i32'], result: 'v128 or fault' },
  sseRoundPs: { params: ['v128', 'i32'], result: 'v128 or fault' },
  sseDotPs: { params: ['v128', 'v128', 'i32'], result: 'v128 or fault' },
  sseDotPd: { params: ['v128', 'v128', 'i32'], result: 'v128 or fault' },
  sseReciprocal: { params: ['i32'], result: 'i32' },
  sseReciprocalRoot: { params: ['i32'], result: 'i32' },
  sseLoadMxcsr: { params: ['i32'], result: 'status' },
  // irregular SSE4 (core/fpu/strings.ts)
  sseStringIndex: { params: ['v128', 'v128', 'i32', 'i32', 'i32'], result: 'i32' },
  sseStringMask: { params: ['v128', 'v128', 'i32', 'i32', 'i32'], result: 'v128' },
  sseMpsadbw: { params: ['v128', 'v128', 'i32'], result: 'v128' },
  ssePhminposuw: { params: ['v128'], result: 'v128' },
  crc32c: { params: ['i32', 'i64', 'i32'], result: 'i32' },
  // FXSAVE and XSAVE images (core/fpu/state.ts)
  fpuStoreImage: { params: ['i32'], result: 'void' },
  fpuCheckImage: { params: [], result: 'status' },
  fpuLoadImage: { params: ['i32', 'i64'], result: 'void' },
  fpuInitialize: { params: ['i64'], result: 'void' },
  x87Init: { params: [], result: 'void' },
}
