/** What the meanings may call (cpu/helpers/fpu.ts lists the signatures). */
export {
  mmxUnavailable, sseCompareF32, sseCompareF64, sseConvert, sseDotPd, sseDotPs, sseF32, sseF32ToF64, sseF32ToInt, sseF64, sseF64ToF32, sseF64ToInt,
  sseIntToF32, sseIntToF64, sseLoadMxcsr, ssePd, ssePs, sseReciprocal, sseReciprocalRoot, sseRoundF32, sseRoundF64, sseRoundPd, sseRoundPs, sseUnavailable,
} from './sse'
export { fpuCheckImage, fpuInitialize, fpuLoadImage, fpuStoreImage, x87Init } from './state'
export { crc32c, sseMpsadbw, ssePhminposuw, sseStringIndex, sseStringMask } from './strings'
export {
  x87Arithmetic, x87ArithmeticF32, x87ArithmeticF64, x87ArithmeticInt, x87Compare, x87CompareF32, x87CompareF64, x87CompareFlags,
  x87CompareInt, x87Examine, x87SquareRoot, x87Test,
} from './x87'
export {
  x87ConditionalMove, x87Exchange, x87Free, x87LoadBcd, x87LoadConstant, x87LoadExtended, x87LoadF32, x87LoadF64, x87LoadInt,
  x87LoadStack, x87Sign, x87StackStep, x87StoreBcd, x87StoreExtended, x87StoreF32, x87StoreF64, x87StoreInt, x87StoreStack,
  x87StoreUnchecked,
} from './x87-load-store'
export {
  x87ClearExceptions, x87Extract, x87LoadControl, x87LoadEnvironment, x87MaskExceptions, x87Remainder, x87RoundToInt, x87Scale, x87StatusWord,
  x87StoreEnvironment, x87Unavailable, x87WaitFault,
} from './x87-more'
export { x87Arctangent, x87Log, x87PowerMinusOne, x87SineCosine, x87Tangent } from './x87-transcendental'
