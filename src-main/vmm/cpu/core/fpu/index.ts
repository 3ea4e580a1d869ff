/** What the meanings may call (cpu/helpers/fpu.ts lists the signatures). */
export {
  mmxUnavailable, sseCompareF32, sseCompareF64, sseConvert, sseDotPd, sseDotPs, sseF32, sseF32ToF64, sseF32ToInt, sseF64, sseF64ToF32, sseF64ToInt,
  sseIntToF32, sseIntToF64, sseLoadMxcsr, ssePd, ssePs, sseReciprocal, sseReciprocalRoot, sseRoundF32, sseRoundF64, sseRoundPd, sseRoundPs, sseUnavailable,
} from './sse'
export { fpuCheckImage, fpuInitialize, fpuLoadImage, fpuStoreImage, x87Init } from './state'
export { crc32c, sseMpsadbw, ssePhminposuw, sseStringIndex, sseStringMask } from './strings'
