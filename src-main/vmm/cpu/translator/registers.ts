/**
 * Registers of the guest. In a region with loops they live in WebAssembly locals, loaded once at the entry and stored once at the exit. Without loops a region is
 * soon left again, after ten instructions in kernel code, and moving all registers in and out would cost more than what happens between: there they
 * stay in the vCPU, read when a basic block first wants them and written as soon as they change.
 */
import * as L from '../layout'
import type { Block, FunctionBuilder, IrType, OpName, Value, Variable } from '../wasm/ir'

const COUNT = 16

export interface RegisterKind {
  readonly type: IrType
  readonly load: OpName
  readonly store: OpName
  readonly offset: number
  readonly stride: number
}

/** 64-bit code. */
export const GENERAL_64: RegisterKind = { type: 'i64', load: 'i64.load', store: 'i64.store', offset: L.REG_GPR, stride: 8 }
/** 16- and 32-bit code: the upper halves are 0 and stay so (core/segment/derived). */
export const GENERAL_32: RegisterKind = { type: 'i32', load: 'i32.load', store: 'i32.store', offset: L.REG_GPR, stride: 8 }
export const VECTOR: RegisterKind = { type: 'v128', load: 'v128.load', store: 'v128.store', offset: L.XMM, stride: L.XMM_STRIDE }

export class RegisterFile {
  private readonly variables: readonly Variable[]
  /** The values last read or written, and the block in which that happened: they are the register's only there and in blocks within it. */
  private readonly known: ({ readonly value: Value; readonly block: Block } | undefined)[] = []
  private readonly used = new Set<number>()
  private readonly written = new Set<number>()

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly vcpu: Value,
    readonly kind: RegisterKind,
    /** In locals. */
    private readonly resident: boolean,
  ) {
    this.variables = Array.from({ length: COUNT }, () => builder.variable(kind.type))
  }

  /** Of the register that lives in this local. */
  numberOf(variable: Variable): number | undefined {
    const register = this.variables.indexOf(variable)
    return register < 0 ? undefined : register
  }

  get(register: number): Value {
    this.used.add(register)
    const known = this.known[register]
    if (known !== undefined && this.builder.isWithin(known.block)) return known.value
    const value = this.resident ? this.builder.get(this.variable(register)) : this.builder.load(this.kind.load, this.vcpu, this.place(register))
    this.known[register] = { value, block: this.builder.position }
    return value
  }

  set(register: number, value: Value): void {
    this.written.add(register)
    this.write(register, value)
    this.known[register] = { value, block: this.builder.position }
  }

  /** At the start of a loop or a basic block: values may come from elsewhere. */
  forget(): void {
    this.known.length = 0
  }

  forgetOne(register: number): void {
    this.known[register] = undefined
  }

  /** Registers whose values are known at this point. */
  values(): readonly (readonly [number, Value])[] {
    return this.known.flatMap((known, register) => (known !== undefined && this.builder.isWithin(known.block) ? [[register, known.value] as const] : []))
  }

  /** As set(), in a branch; what is known of the register elsewhere stays. */
  correct(register: number, value: Value): void {
    this.write(register, value)
  }

  /** For the entry. What is written is loaded too: not every way to the exit writes it. */
  load(): void {
    if (!this.resident) return
    for (const register of new Set([...this.used, ...this.written])) {
      this.builder.set(this.variable(register), this.builder.load(this.kind.load, this.vcpu, this.place(register)))
    }
  }

  store(): void {
    if (!this.resident) return
    for (const register of this.written) this.builder.effect(this.kind.store, [this.vcpu, this.builder.get(this.variable(register))], this.place(register))
  }

  private write(register: number, value: Value): void {
    if (this.resident) this.builder.set(this.variable(register), value)
    else this.builder.effect(this.kind.store, [this.vcpu, value], this.place(register))
  }

  private place(register: number): number {
    return this.kind.offset + register * this.kind.stride
  }

  private variable(register: number): Variable {
    const variable = this.variables[register]
    if (variable === undefined) throw new Error(`there is no register ${register}`)
    return variable
  }
}
