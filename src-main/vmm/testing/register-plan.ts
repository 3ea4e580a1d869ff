/** The general-purpose registers of a case while it is being made: random values, some of them pinned so that memory operands land somewhere. */
import { DATA_BASE, DATA_PAGES, DATA_WRITABLE_PAGES, PAGE_BYTES, STACK_BASE } from './diff-engine'
import type { CodeMode } from './diff-engine'
import { integerValue } from './case-values'
import type { Random } from './random'

export const RAX = 0
export const RCX = 1
export const RDX = 2
export const RBX = 3
export const RSP = 4
export const RBP = 5
export const RSI = 6
export const RDI = 7

export class RegisterPlan {
  readonly values: bigint[] = []
  /** Registers that an address is made of: their value must stay. */
  readonly pinned: Set<number> = new Set()
  /** Registers that earlier instructions of the case change. */
  readonly written: Set<number> = new Set()
  readonly mask: bigint
  readonly count: number
  /** Offsets of the data and of the stack in their segments. */
  readonly dataBase: number
  readonly stackBase: number

  constructor(
    readonly random: Random,
    readonly mode: CodeMode,
  ) {
    this.dataBase = mode === 16 ? 0 : DATA_BASE
    this.stackBase = mode === 16 ? 0 : STACK_BASE
    this.mask = mode === 64 ? 0xffffffffffffffffn : 0xffffffffn
    this.count = mode === 64 ? 16 : 8
    for (let i = 0; i < 16; i++)
      this.values.push(i < this.count ? (random.chance(15) ? BigInt(this.dataAddress(8)) : integerValue(random)) & this.mask : 0n)
    this.values[RSP] = BigInt(
      this.stackBase + (random.chance(3) ? random.pick([0, 4, 0xff8, 0xffc, 0xffe, 0x1000]) : 0x600 + random.below(0x80) * 8),
    )
    if (random.chance(5)) this.values[RSP] = (this.get(RSP) + BigInt(random.below(8))) & this.mask
  }

  get(register: number): bigint {
    return this.values[register] as bigint
  }

  /** Sets a value unless the register is pinned by an address. */
  set(register: number, value: bigint): void {
    if (!this.pinned.has(register)) this.values[register] = value & this.mask
  }

  pin(register: number, value: bigint): void {
    this.set(register, value)
    this.pinned.add(register)
  }

  /** A register that may still get a value of our choice and that no earlier instruction changes; undefined when none is found. */
  free(exclude: readonly number[] = []): number | undefined {
    for (let attempt = 0; attempt < 6; attempt++) {
      const register = this.random.below(this.count)
      if (register !== RSP && !this.pinned.has(register) && !this.written.has(register) && !exclude.includes(register)) return register
    }
    return undefined
  }

  /** Linear address of an offset in the data segment. */
  linear(offset: number): number {
    return offset - this.dataBase + DATA_BASE
  }

  /** Linear address of an offset in the stack segment. */
  stackLinear(offset: number): number {
    return this.mode === 16 ? offset + STACK_BASE : offset
  }

  /** Offset of a place well inside the stack. */
  stackAddress(): number {
    return this.stackBase + 0x600 + this.random.below(0x400)
  }

  /** Where a memory operand of `bytes` goes: mostly well inside the writable data, sometimes across an edge or somewhere forbidden. */
  dataAddress(bytes: number): number {
    const { random } = this
    const writable = DATA_WRITABLE_PAGES * PAGE_BYTES
    const roll = random.below(1000)
    if (roll < 60) return this.dataBase + PAGE_BYTES - 1 - random.below(Math.max(bytes, 2) + 1)
    if (roll < 85) return this.dataBase + writable - 1 - random.below(Math.max(bytes, 2) + 2)
    if (roll < 100) return this.dataBase + writable + random.below(PAGE_BYTES - 16)
    if (roll < 110) return this.dataBase + DATA_PAGES * PAGE_BYTES - random.below(bytes + 2)
    if (roll < 120) return this.dataBase - random.below(bytes + 2)
    if (roll < 124) return this.mode === 16 ? random.below(0x10000) : random.u32()
    const room = writable - 64
    const at = random.below(room)
    const alignment = bytes >= 16 ? 16 : bytes || 1
    return this.dataBase + (random.chance(bytes >= 16 ? 92 : 60) ? at - (at % alignment) : at)
  }
}
