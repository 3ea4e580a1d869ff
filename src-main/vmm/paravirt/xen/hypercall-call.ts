/**
 * One hypercall under way: its arguments, and the caller's memory through its own page tables. Registers by xen/include/public/arch-x86/xen-x86_64.h
 * (RDI, RSI, RDX, R10, R8) and xen-x86_32.h (EBX, ECX, EDX, ESI, EDI).
 */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import type { CallingProcessor, GeneralRegister } from '../hypervisor-interface'
import { E2BIG, EFAULT, refuse } from './errors'
import type { Fields, GuestStruct, Values, WordBytes } from './guest-struct'

const PAGE = 0x1000
const REGISTERS_64: readonly GeneralRegister[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8']
const REGISTERS_32: readonly GeneralRegister[] = ['rbx', 'rcx', 'rdx', 'rsi', 'rdi']
/** What one instruction of the guest may have us do: frames changed, entries copied, calls of a batch. */
const WORK = 4096
/** Longest single structure, string or array that is copied at a time. */
const MAX_BYTES = 0x10000

export class HypercallCall {
  readonly word: WordBytes
  readonly arguments: readonly bigint[]
  private work = WORK

  constructor(
    private readonly processor: CallingProcessor,
    private readonly memory: GuestMemory,
    /** Of a batched call; else they are in the registers. */
    given?: readonly bigint[],
    parent?: HypercallCall,
  ) {
    this.word = processor.codeBits === 64 ? 8 : 4
    const registers = this.word === 8 ? REGISTERS_64 : REGISTERS_32
    this.arguments = given ?? registers.map((name) => (this.word === 8 ? processor.gpr(name) : BigInt(processor.gpr32(name))))
    if (parent) this.work = parent.work
  }

  get processorIndex(): number {
    return this.processor.index
  }

  get tscOffset(): bigint {
    return this.processor.tscOffset
  }

  argument(index: number): bigint {
    return this.arguments[index] ?? 0n
  }

  /** The low half, as `unsigned int` parameters are. */
  argument32(index: number): number {
    return Number(BigInt.asUintN(32, this.argument(index)))
  }

  /** Whether so much more work may be done in this call. */
  afford(units: number): boolean {
    if (units > this.work) return false
    this.work -= units
    return true
  }

  get workLeft(): number {
    return this.work
  }

  /** A call inside this one, which shares its limit. */
  nested(given: readonly bigint[]): HypercallCall {
    return new HypercallCall(this.processor, this.memory, given, this)
  }

  absorb(nested: HypercallCall): void {
    this.work = nested.work
  }

  // ---- the caller's memory ---------------------------------------------------------------------------------------------------------

  readBytes(linear: bigint, bytes: number): Uint8Array {
    if (bytes > MAX_BYTES) refuse(E2BIG)
    const target = new Uint8Array(bytes)
    this.pieces(linear, bytes, 0, (address, from, to) => this.memory.read(gpa(address), target.subarray(from, to)))
    return target
  }

  writeBytes(linear: bigint, source: Uint8Array): void {
    this.pieces(linear, source.length, 1, (address, from, to) => this.memory.write(gpa(address), source.subarray(from, to)))
  }

  read<F extends Fields>(type: GuestStruct<F>, linear: bigint): Values<F> {
    return type.decode(this.readBytes(linear, type.bytes(this.word)), this.word)
  }

  writeField<F extends Fields, K extends keyof F & string>(type: GuestStruct<F>, linear: bigint, name: K, value: Values<F>[K]): void {
    const { offset, data } = type.encodeField(name, value, this.word)
    this.writeBytes(linear + BigInt(offset), data)
  }

  /** Entry of an array of `unsigned long`. */
  readLong(linear: bigint, index: number): bigint {
    const view = new DataView(this.readBytes(linear + BigInt(index * this.word), this.word).buffer)
    return this.word === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true))
  }

  writeLong(linear: bigint, index: number, value: bigint): void {
    const data = new Uint8Array(this.word)
    const view = new DataView(data.buffer)
    if (this.word === 8) view.setBigUint64(0, BigInt.asUintN(64, value), true)
    else view.setUint32(0, Number(BigInt.asUintN(32, value)), true)
    this.writeBytes(linear + BigInt(index * this.word), data)
  }

  /** Guest-physical places of a linear range; for areas that are registered once and written later. */
  places(linear: bigint, bytes: number): readonly { readonly address: number; readonly bytes: number }[] {
    const found: { address: number; bytes: number }[] = []
    this.pieces(linear, bytes, 1, (address, from, to) => found.push({ address, bytes: to - from }))
    return found
  }

  private pieces(linear: bigint, bytes: number, access: 0 | 1, each: (address: number, from: number, to: number) => void): void {
    for (let done = 0; done < bytes; ) {
      const at = BigInt.asUintN(this.word * 8, linear + BigInt(done))
      const step = Math.min(bytes - done, PAGE - Number(at & 0xfffn))
      const address = this.processor.translate(at, access) ?? refuse(EFAULT)
      each(address, done, done + step)
      done += step
    }
  }
}
