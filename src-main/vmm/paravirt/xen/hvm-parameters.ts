/** HVM parameters (xen/include/public/hvm/params.h) and how events reach the vCPU: by a vector through its local APIC, or past it. */
import { EINVAL, EPERM, refuse } from './errors'

export const PARAM_CALLBACK_IRQ = 0
export const PARAM_STORE_PFN = 1
export const PARAM_STORE_EVTCHN = 2
export const PARAM_CONSOLE_PFN = 17
export const PARAM_CONSOLE_EVTCHN = 18
const PARAMS = 39
/** HVM_PARAM_CALLBACK_TYPE_VECTOR, in bits 63:56. */
const VIA_VECTOR = 2n
/** What only the toolstack sets. */
const READ_ONLY: ReadonlySet<number> = new Set([PARAM_STORE_PFN, PARAM_STORE_EVTCHN, PARAM_CONSOLE_PFN, PARAM_CONSOLE_EVTCHN])
const FIRST_VECTOR = 16

export interface HvmParametersState {
  readonly values: readonly (readonly [index: number, value: string])[]
  readonly upcallVector: number
}

export class HvmParameters {
  private readonly values = new Map<number, bigint>()
  /** HVMOP_set_evtchn_upcall_vector; 0: not in use. */
  upcallVector = 0

  /** Vector that bypasses the local APIC, wanted as long as upcall_pending is set; 0: none. */
  get callbackVector(): number {
    const via = this.get(PARAM_CALLBACK_IRQ)
    return this.upcallVector === 0 && via >> 56n === VIA_VECTOR ? Number(via & 0xffn) : 0
  }

  get(index: number): bigint {
    if (index >= PARAMS) refuse(EINVAL)
    return this.values.get(index) ?? 0n
  }

  set(index: number, value: bigint): void {
    if (index >= PARAMS) refuse(EINVAL)
    if (READ_ONLY.has(index)) refuse(EPERM)
    this.values.set(index, value)
  }

  /** By the toolstack, which is us. */
  give(index: number, value: number): void {
    this.values.set(index, BigInt(value))
  }

  setUpcallVector(vector: number): void {
    if (vector < FIRST_VECTOR || vector > 0xff) refuse(EINVAL)
    this.upcallVector = vector
  }

  reset(): void {
    this.values.clear()
    this.upcallVector = 0
  }

  save(): HvmParametersState {
    return { values: [...this.values].map(([index, value]) => [index, value.toString(16)] as const), upcallVector: this.upcallVector }
  }

  load(state: HvmParametersState): void {
    this.reset()
    for (const [index, value] of state.values) if (index < PARAMS && /^[0-9a-f]{1,16}$/.test(value)) this.values.set(index, BigInt(`0x${value}`))
    this.upcallVector = state.upcallVector & 0xff
  }
}
