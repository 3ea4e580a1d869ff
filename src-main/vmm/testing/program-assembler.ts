/** Bytes of the common instructions, for random programs: operands are given, prefixes and ModRM are worked out. Independent of the instruction table. */
import type { CodeMode } from './diff-engine'
import type { OperandSize } from './instruction-encoder'

export interface MemoryOperand {
  readonly base: number
  readonly index?: number
  /** Shift, 0..3. */
  readonly scale?: number
  readonly displacement: number
}
/** A register's number, or memory. */
export type Operand = number | MemoryOperand

/** An offset in the code where the distance to a label goes. */
interface Fixup {
  readonly at: number
  readonly bytes: 1 | 2 | 4
  readonly label: number
  readonly skew: number
}

const RSP = 4
const RBP = 5
const LOW_BYTE_REGISTERS = 4
/** 16-bit addressing: BX, BP, SI, DI alone. */
const RM_16: Readonly<Record<number, number>> = { 3: 7, 5: 6, 6: 4, 7: 5 }
const RM_16_WITH_INDEX: Readonly<Record<string, number>> = { '3 6': 0, '3 7': 1, '5 6': 2, '5 7': 3 }

export class ProgramAssembler {
  readonly bytes: number[] = []
  private readonly fixups: Fixup[] = []
  private readonly labels = new Map<number, number>()

  constructor(readonly mode: CodeMode) {}

  label(number: number): void {
    this.labels.set(number, this.bytes.length)
  }

  /** A label outside of this code: at an address, where this code begins at `base`. */
  labelAt(number: number, address: number, base: number): void {
    this.labels.set(number, address - base)
  }

  raw(...bytes: readonly number[]): void {
    this.bytes.push(...bytes)
  }

  immediate(value: number, bytes: number): void {
    let rest = BigInt.asUintN(64, BigInt(value))
    for (let i = 0; i < bytes; i++, rest >>= 8n) this.bytes.push(Number(rest & 0xffn))
  }

  /** [prefix] [66] [REX] opcode ModRM SIB displacement. `opcode`: all its bytes; `size` 1 does not change it. `prefix` comes first (F2, F3, F0). */
  instruction(opcode: readonly number[], size: OperandSize, register: number, operand: Operand, options: { prefix?: number; bytes?: boolean; plain?: boolean } = {}): void {
    const { prefix, bytes = size === 1, plain = false } = options
    if (prefix !== undefined) this.raw(prefix)
    if (!plain && size > 1 && (size === 2) !== (this.mode === 16)) if (size !== 8) this.raw(0x66)
    if (this.mode === 64) {
      const base = typeof operand === 'number' ? operand : operand.base
      const index = typeof operand === 'number' ? 0 : (operand.index ?? 0)
      const low = bytes && (register >= LOW_BYTE_REGISTERS || (typeof operand === 'number' && operand >= LOW_BYTE_REGISTERS))
      const rex = (size === 8 ? 8 : 0) | ((register & 8) >> 1) | ((index & 8) >> 2) | ((base & 8) >> 3)
      if (rex !== 0 || low) this.raw(0x40 | rex)
    }
    this.raw(...opcode)
    this.modrm(register & 7, operand)
  }

  /** The same with a mandatory prefix instead of an operand size. */
  vector(prefix: number | undefined, opcode: number, register: number, operand: Operand, wide = false): void {
    this.instruction([0x0f, opcode], wide ? 8 : 4, register, operand, { ...(prefix !== undefined && { prefix }), plain: true, bytes: false })
  }

  jump(opcode: readonly number[], label: number, near: boolean, skew = 0): void {
    this.raw(...opcode)
    const bytes = !near ? 1 : this.mode === 16 ? 2 : 4
    this.fixups.push({ at: this.bytes.length, bytes, label, skew })
    this.immediate(0, bytes)
  }

  /** The code with its jumps resolved; those that do not reach go to the next instruction. */
  finish(): Uint8Array {
    for (const { at, bytes, label, skew } of this.fixups) {
      const target = (this.labels.get(label) ?? this.bytes.length) + skew
      const distance = target - at - bytes
      const fits = bytes > 1 || (distance >= -128 && distance < 128)
      let rest = fits ? distance : 0
      for (let i = 0; i < bytes; i++, rest >>= 8) this.bytes[at + i] = rest & 0xff
    }
    return Uint8Array.from(this.bytes)
  }

  private modrm(register: number, operand: Operand): void {
    if (typeof operand === 'number') return this.raw(0xc0 | (register << 3) | (operand & 7))
    if (this.mode === 16) return this.modrm16(register, operand)
    const { base, index, scale = 0, displacement } = operand
    const short = displacement >= -128 && displacement < 128
    const mod = displacement === 0 && (base & 7) !== RBP ? 0 : short ? 1 : 2
    if (index !== undefined || (base & 7) === RSP) {
      this.raw((mod << 6) | (register << 3) | 4, (scale << 6) | (((index ?? RSP) & 7) << 3) | (base & 7))
    } else {
      this.raw((mod << 6) | (register << 3) | (base & 7))
    }
    if (mod !== 0) this.immediate(displacement, mod === 1 ? 1 : 4)
  }

  private modrm16(register: number, { base, index, displacement }: MemoryOperand): void {
    const rm = (index === undefined ? undefined : RM_16_WITH_INDEX[`${base} ${index}`]) ?? RM_16[base] ?? 7
    const short = displacement >= -128 && displacement < 128
    const mod = displacement === 0 && rm !== 6 ? 0 : short ? 1 : 2
    this.raw((mod << 6) | (register << 3) | rm)
    if (mod !== 0) this.immediate(displacement, mod)
  }
}
