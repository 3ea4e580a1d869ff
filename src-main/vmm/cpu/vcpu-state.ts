/** A vCPU's architectural state as plain data: canonical, so that equal machines give equal bytes. 64-bit values are 16 hexadecimal digits. */

export interface SegmentState {
  readonly selector: number
  /** Bits 8..23 of the descriptor's second dword, in place. */
  readonly access: number
  readonly base: string
  readonly limit: number
}

export interface TableState {
  readonly base: string
  readonly limit: number
}

export interface FpuState {
  readonly controlWord: number
  readonly statusWord: number
  readonly top: number
  readonly tags: number
  readonly opcode: number
  readonly instructionSelector: number
  readonly instructionPointer: string
  readonly dataSelector: number
  readonly dataPointer: string
  /** R0..R7, 16 bytes each. */
  readonly registers: Uint8Array
  readonly mxcsr: number
  /** IGNNE#. */
  readonly ignoreErrors: boolean
  /** XMM0..XMM15, 16 bytes each. */
  readonly xmm: Uint8Array
}

export interface VcpuState {
  readonly schema: readonly ['vcpu', 1]
  readonly gpr: readonly string[]
  readonly rip: string
  readonly rflags: number
  /** ES CS SS DS FS GS LDTR TR. */
  readonly segments: readonly SegmentState[]
  readonly gdtr: TableState
  readonly idtr: TableState
  readonly cr0: string
  readonly cr2: string
  readonly cr3: string
  readonly cr4: string
  readonly xcr0: string
  /** DR0..DR3, DR6, DR7. */
  readonly dr: readonly string[]
  readonly pdptes: readonly string[]
  /** By name; VCPU_MSRS. */
  readonly msrs: Readonly<Record<string, string>>
  readonly mtrrs: readonly string[]
  readonly cpl: number
  readonly a20: boolean
  readonly halted: boolean
  readonly nmiBlocked: boolean
  readonly nmiPending: boolean
  /** One instruction must run before interrupts are taken; and whether MOV SS asked for it. */
  readonly shadow: boolean
  readonly stackShadow: boolean
  readonly debugPending: number
  readonly random: string
  readonly fpu: FpuState
  /** What the soft TLB holds (vcpu-tlb.ts). */
  readonly tlb: Uint8Array
}
