/**
 * Signatures of the core's helpers that meanings call (Emitter.helper). Each is an AssemblyScript export of the same name whose first
 * parameter is the vCPU's base address (not listed here).
 *   'void' | value type : cannot fault
 *   'status'            : i32 STATUS_*; the emitter leaves the instruction when it is not STATUS_NEXT
 *   'i32 or fault' ...  : value; the emitter leaves with STATUS_FAULT when EXC_VECTOR >= 0 afterwards
 */
export type HelperType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'
export type HelperResult = 'void' | 'status' | HelperType | 'i32 or fault' | 'i64 or fault' | 'v128 or fault'
export interface HelperSignature {
  readonly params: readonly HelperType[]
  readonly result: HelperResult
}
export type HelperTable = Readonly<Record<string, HelperSignature>>
