/** Instructions around the vCPU's instruction pointer. */
import { disassemble, type CodeMode } from '../../cpu/isa/disassembler'
import type { Vcpu } from '../../cpu/vcpu'
import { codeBits, type CodeBits } from '../../cpu/vcpu-view'

export interface InstructionView {
  /** Offset in the code segment, hexadecimal. */
  readonly address: string
  /** Hexadecimal, in memory order. */
  readonly bytes: string
  readonly text: string
  /** The one that runs next. */
  readonly current: boolean
}

const MODES: Readonly<Record<CodeBits, CodeMode>> = { 16: 0, 32: 1, 64: 2 }
const LONGEST = 15

/** `count` instructions from CS:RIP on. x86 code cannot be read backwards: what stands before is unknown. */
export function instructionViews(vcpu: Vcpu, count: number): readonly InstructionView[] {
  const start = vcpu.codeAddress(vcpu.rip)
  const code = Uint8Array.from({ length: (count + 1) * LONGEST }, (_, i) => vcpu.peek(start + BigInt(i)))
  const bits = codeBits(vcpu)
  const views: InstructionView[] = []
  for (let at = 0; views.length < count; ) {
    const address = vcpu.rip + BigInt(at)
    const { text, length } = disassemble(code, at, MODES[bits], address)
    const bytes = code.subarray(at, at + Math.max(1, length))
    views.push({
      address: `0x${BigInt.asUintN(bits, address).toString(16).padStart(bits / 4, '0')}`,
      bytes: [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
      text,
      current: at === 0,
    })
    at += bytes.length
  }
  return views
}
