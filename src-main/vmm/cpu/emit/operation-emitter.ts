/** The emitter that meanings talk to, common to all bindings. */
import type { Form, OperandForm } from '../isa/form'
import * as L from '../layout'
import type { Emitter, FloatOperation, SegmentedAddress } from '../semantics/emitter'
import { INVARIANTS } from '../semantics/invariants'
import type { InvariantName } from '../semantics/invariants'
import type { X87Stack } from '../semantics/x87-stack'
import type { FunctionBuilder, IrType, OpName, Value, Variable } from '../wasm/ir'
import type { IntegerBytes, OperandBinding, Place } from './binding'
import type { HelperImports } from './helper-imports'
import { MemoryEmitter } from './memory-emitter'
import type { AccessBytes } from './memory-emitter'
import { StoredX87Stack } from './stored-x87-stack'

export type StateType = 'i32' | 'i64' | 'f64' | 'v128'

const RSP = 4
const GP = 13
const CODE_MODE_64 = 2
const EFLAGS_DF_SHIFT = 10
/** MMX writes set the sign and exponent of the aliased x87 register to all ones (SDM volume 1, 9.2.1). */
const MM_EXPONENT = 8
const ALL_ONES = 0xffff
const CR_BYTES = 8
const DR_BYTES = 8

export class OperationEmitter extends MemoryEmitter implements Emitter {
  readonly type: 'i32' | 'i64'
  /** Set by jumps within if; at the top level nothing needs to be remembered. */
  private status: Variable | undefined
  private depth = 0
  private jumped = false
  private storedX87: X87Stack | undefined

  constructor(builder: FunctionBuilder, binding: OperandBinding, form: Form, helpers: HelperImports) {
    super(builder, binding, form, helpers)
    this.type = form.size === 8 ? 'i64' : 'i32'
  }

  /** Ends the instruction when the meaning has said everything. */
  finish(): void {
    if (this.jumped || this.form.endsBlock) this.binding.leave(this.i32(L.STATUS_JUMP))
    else if (this.status !== undefined) this.binding.leave(this.builder.get(this.status))
    else this.binding.leave(this.i32(L.STATUS_NEXT))
  }

  // ---- operands ----
  read(i: number, options?: { readonly aligned?: boolean }): Value {
    const operand = this.operand(i)
    switch (operand.kind) {
      case 'gpr':
        return this.binding.readRegister(operand.field, operand.bytes)
      case 'fixed':
        return this.binding.register(operand.register, operand.bytes)
      case 'mem':
        return this.read16Aligned(accessBytes(operand.bytes), this.memoryOperand(), options?.aligned === true)
      case 'moffs':
        return this.load(operand.bytes, this.memoryOperand())
      case 'imm':
        return this.binding.immediate(operand.bytes)
      case 'imm2':
        return this.truncate(this.binding.immediate2(), operand.bytes)
      case 'rel':
      case 'far':
        return this.binding.immediate(8)
      case 'one':
        return this.i32(1)
      case 'xmm':
        return this.binding.readVector(operand.field, operand.bytes)
      case 'mm':
        return this.loadPlace('i64.load', this.element(operand.field, L.FPU_REG_BYTES, L.FPU_REGS))
      case 'sreg':
        return this.loadPlace('i32.load16_u', this.element(operand.field, L.SEG_BYTES, L.SEGMENTS + L.SEG_SELECTOR))
      case 'cr':
        return this.controlRegister(this.binding.registerField(operand.field))
      case 'dr':
        return this.debugRegister(this.binding.registerField(operand.field))
      case 'st':
        throw new Error('x87 registers have no value type: use registerField()')
    }
  }

  readSigned(i: number, toBytes: IntegerBytes = this.size): Value {
    const operand = this.operand(i)
    const bytes = 'bytes' in operand ? operand.bytes : 4
    const value = this.read(i)
    if (value.type === 'i64') return toBytes === 8 ? value : this.wrap(value)
    const signed = bytes === 1 || bytes === 2 ? this.sextFrom(value, bytes) : value
    return toBytes === 8 ? this.sext(signed) : signed
  }

  write(i: number, value: Value, options?: { readonly aligned?: boolean }): void {
    const operand = this.operand(i)
    switch (operand.kind) {
      case 'gpr':
        return this.binding.writeRegister(operand.field, operand.bytes, value)
      case 'fixed':
        return this.binding.setRegister(operand.register, operand.bytes, value)
      case 'mem':
        return this.write16Aligned(accessBytes(operand.bytes), this.memoryOperand(), value, options?.aligned === true)
      case 'moffs':
        return this.store(operand.bytes, this.memoryOperand(), value)
      case 'xmm':
        return this.binding.writeVector(operand.field, operand.bytes, value)
      case 'mm': {
        const place = this.element(operand.field, L.FPU_REG_BYTES, L.FPU_REGS)
        this.storePlace('i64.store', place, value)
        return this.storePlace('i32.store16', { address: place.address, offset: place.offset + MM_EXPONENT }, this.i32(ALL_ONES))
      }
      default:
        throw new Error(`operand ${i} of ${this.form.key} (${operand.kind}) cannot be written`)
    }
  }

  modify(i: number, f: (old: Value) => Value): void {
    const operand = this.operand(i)
    if (operand.kind === 'mem' || operand.kind === 'moffs') {
      const reference = this.reference(accessBytes(operand.bytes), this.memoryOperand())
      reference.store(f(reference.load()))
    } else {
      this.write(i, f(this.read(i)))
    }
  }

  isMemory(i: number): boolean {
    const kind = this.form.operands[i]?.kind
    return kind === 'mem' || kind === 'moffs'
  }

  registerField(i: number): Value {
    const operand = this.operand(i)
    if (operand.kind === 'fixed') return this.i32(operand.register * 8)
    if (!('field' in operand)) throw new Error(`operand ${i} of ${this.form.key} (${operand.kind}) is not in a register`)
    return this.binding.registerField(operand.field)
  }

  effectiveAddress(): Value {
    return this.isMoffs() ? this.binding.immediate(8) : this.binding.effectiveAddress()
  }

  addressMask(): Value {
    return this.binding.addressMask()
  }

  memoryOperand(): SegmentedAddress {
    return { segment: 'operand', offset: this.effectiveAddress() }
  }

  operandSegment(): Value {
    return this.binding.operandSegment()
  }

  immediate(): Value {
    return this.binding.immediate(8)
  }

  immediate2(): Value {
    return this.binding.immediate2()
  }

  // ---- stack ----
  stackAddress(delta: number): SegmentedAddress {
    const pointer = this.gpr(RSP, 8)
    return { segment: L.SEG_SS, offset: this.maskStack(delta === 0 ? pointer : this.add(pointer, this.i64(delta))) }
  }

  push(bytes: 2 | 4 | 8, value: Value): void {
    const address = this.stackAddress(-bytes)
    this.store(bytes, address, value)
    this.setStackPointer(address.offset)
  }

  top(bytes: 2 | 4 | 8): Value {
    return this.load(bytes, this.stackAddress(0))
  }

  adjustStack(delta: number | Value): void {
    const step = typeof delta === 'number' ? this.i64(delta) : this.sext(delta)
    this.setStackPointer(this.maskStack(this.add(this.gpr(RSP, 8), step)))
  }

  protected maskStack(pointer: Value): Value {
    return this.size === 8 ? pointer : this.and(pointer, this.binding.loadState('i64.load', L.STACK_MASK))
  }

  private setStackPointer(masked: Value): void {
    if (this.size === 8) return this.setGpr(RSP, 8, masked)
    const kept = this.and(this.gpr(RSP, 8), this.not(this.binding.loadState('i64.load', L.STACK_MASK)))
    this.setGpr(RSP, 8, this.or(kept, masked))
  }

  // ---- registers and state ----
  gpr(register: number, bytes: IntegerBytes): Value {
    return this.binding.register(register, bytes)
  }

  setGpr(register: number, bytes: IntegerBytes, value: Value): void {
    this.binding.setRegister(register, bytes, value)
  }

  addressRegister(register: number): Value {
    return this.zext(this.gpr(register, this.addressBytes()))
  }

  setAddressRegister(register: number, value: Value): void {
    const bytes = this.addressBytes()
    this.setGpr(register, bytes, bytes === 8 ? value : this.wrap(value))
  }

  xmm(index: number | Value): Value {
    return this.binding.vector(typeof index === 'number' ? this.i32(index) : index)
  }

  setXmm(index: number | Value, value: Value): void {
    this.binding.setVector(typeof index === 'number' ? this.i32(index) : index, value)
  }

  loadState(type: StateType, offset: number): Value {
    return this.binding.loadState(`${type}.load`, offset)
  }

  storeState(offset: number, value: Value): void {
    this.binding.storeState(storeOf(value.type), offset, value)
  }

  loadState8(offset: number): Value {
    return this.binding.loadState('i32.load8_u', offset)
  }

  loadState16(offset: number): Value {
    return this.binding.loadState('i32.load16_u', offset)
  }

  storeState8(offset: number, value: Value): void {
    this.binding.storeState('i32.store8', offset, value)
  }

  storeState16(offset: number, value: Value): void {
    this.binding.storeState('i32.store16', offset, value)
  }

  loadStateAt(type: StateType, index: Value, offset: number): Value {
    return this.builder.load(`${type}.load`, this.add(this.binding.vcpu, index), offset)
  }

  storeStateAt(index: Value, offset: number, value: Value): void {
    this.builder.effect(storeOf(value.type), [this.add(this.binding.vcpu, index), value], offset)
  }

  invariant(name: InvariantName): Value {
    return INVARIANTS[name](this)
  }

  /** Conditions are computed anew each time. */
  changed(_name: InvariantName): void {}

  // ---- floating point ----
  get x87(): X87Stack {
    return (this.storedX87 ??= new StoredX87Stack(this))
  }

  /** FIP, FOP and FDP are this instruction's. */
  noteX87(): void {
    this.storeState(L.FPU_IP, this.rip())
    this.storeState(L.FPU_CS, this.loadState16(L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_SELECTOR))
    this.storeState(L.FPU_OPCODE, this.wrap(this.immediate()))
    if (this.form.operands.some(({ kind }) => kind === 'mem')) {
      this.storeState(L.FPU_DP, this.effectiveAddress())
      const segment = this.mul(this.operandSegment(), this.i32(L.SEG_BYTES))
      this.storeState(L.FPU_DS, this.and(this.loadStateAt('i32', segment, L.SEGMENTS + L.SEG_SELECTOR), this.i32(0xffff)))
    } else {
      this.storeState(L.FPU_DP, this.i64(0))
      this.storeState(L.FPU_DS, this.i32(0))
    }
  }

  floatOperation({ operands, plain, fast, special, exact }: FloatOperation): Value {
    const ordinary = fast(operands)
    const operandsSpecial = special()
    const condition = plain ? this.or(operandsSpecial, this.invariant('mxcsr-special')) : operandsSpecial
    const result = this.variable(ordinary)
    this.if(condition, () => {
      this.set(result, exact.result(this.helper(exact.helper, ...exact.args(operands))))
      this.changed('mxcsr-special')
    })
    return this.get(result)
  }

  floatComparison(_bytes: 4 | 8, operands: readonly Value[], special: () => Value, exact: (operands: readonly Value[]) => void): void {
    this.if(special(), () => exact(operands))
  }

  stringStep(bytes: number): Value {
    const direction = this.and(this.shrU(this.loadState('i32', L.REG_EFLAGS), this.i32(EFLAGS_DF_SHIFT)), this.i32(1))
    return this.select(direction, this.i64(-bytes), this.i64(bytes))
  }

  repeatAtOnce(_operation: 'movs' | 'stos'): boolean {
    return false
  }

  // ---- control ----
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.builder.if(condition, () => this.nested(then), otherwise === undefined ? undefined : () => this.nested(otherwise))
  }

  loop(body: (again: (condition: Value) => void) => void): void {
    this.builder.loop((label) => this.nested(() => body((condition) => this.builder.branch(label, condition))))
  }

  variable(initial: Value): Variable {
    return this.builder.variable(initial.type, initial)
  }

  get(variable: Variable): Value {
    return this.builder.get(variable)
  }

  set(variable: Variable, value: Value): void {
    this.builder.set(variable, value)
  }

  rip(): Value {
    return this.binding.rip()
  }

  nextRip(): Value {
    return this.binding.nextRip()
  }

  jump(target: Value): void {
    if (this.size === 8) {
      // bits 47..63 all alike
      const canonical = this.shrU(this.add(target, this.i64(0x800000000000)), this.i64(48))
      this.builder.if(this.ne(canonical, this.i64(0)), () => this.leaveWithException(GP, this.i32(0)))
    } else {
      const limit = this.binding.loadState('i64.load32_u', L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_LIMIT)
      this.builder.if(this.gtU(target, limit), () => {
        const limited = this.ne(this.loadState('i32', L.CODE_MODE), this.i32(CODE_MODE_64))
        this.builder.if(limited, () => this.leaveWithException(GP, this.i32(0)))
      })
    }
    this.binding.setNextRip(target)
    if (this.depth === 0) this.jumped = true
    else if (!this.form.endsBlock) {
      this.status ??= this.builder.variable('i32')
      this.builder.set(this.status, this.i32(L.STATUS_JUMP))
    }
  }

  jumpRelative(condition?: Value): void {
    if (condition === undefined) this.jump(this.relativeTarget())
    else this.if(condition, () => this.jump(this.relativeTarget()))
  }

  relativeTarget(): Value {
    const target = this.add(this.nextRip(), this.binding.immediate(8))
    return this.size === 8 ? target : this.and(target, this.i64(this.size === 4 ? 0xffffffff : 0xffff))
  }

  raise(vector: number, errorCode?: Value | number): void {
    this.leaveWithException(vector, typeof errorCode === 'number' ? this.i32(errorCode) : errorCode)
  }

  helper(name: string, ...args: readonly Value[]): Value {
    const value = this.callHelper(name, args)
    if (value === undefined) throw new Error(`helper ${name} has no result: use call()`)
    return value
  }

  call(name: string, ...args: readonly Value[]): void {
    this.callHelper(name, args)
  }

  endBlock(): void {
    this.binding.leave(this.i32(L.STATUS_JUMP))
  }

  // ---- parts ----
  protected callHelper(name: string, args: readonly Value[]): Value | undefined {
    const { result } = this.helpers.signature(name)
    const target = this.helpers.get(name)
    const all = [this.binding.vcpu, ...args]
    if (result === 'void') {
      this.builder.callVoid(target, all)
      return undefined
    }
    const value = this.builder.call(target, all)
    if (result === 'status') this.leaveUnlessNext(value)
    else if (result.endsWith('or fault')) this.leaveIfFault()
    return value
  }

  private nested(body: () => void): void {
    this.depth++
    body()
    this.depth--
  }

  private operand(i: number): OperandForm {
    const operand = this.form.operands[i]
    if (operand === undefined) throw new Error(`${this.form.key} has no operand ${i}`)
    return operand
  }

  private isMoffs(): boolean {
    return this.form.operands.some((operand) => operand.kind === 'moffs')
  }

  private addressBytes(): 2 | 4 | 8 {
    const { addressSize } = this.form
    if (addressSize === undefined) throw new Error(`${this.form.key} does not depend on the address size`)
    return addressSize
  }

  private element(field: 0 | 1 | 2, stride: number, offset: number): Place {
    const place = this.binding.element(field, stride)
    return { address: place.address, offset: place.offset + offset }
  }

  private loadPlace(load: OpName, place: Place): Value {
    return this.builder.load(load, place.address, place.offset)
  }

  private storePlace(store: OpName, place: Place, value: Value): void {
    this.builder.effect(store, [place.address, value], place.offset)
  }

  /** CR0 is followed by CR2, CR3, CR4. */
  protected controlRegister(number: Value): Value {
    const index = this.select(number, this.sub(number, this.i32(1)), this.i32(0))
    return this.loadStateAt('i64', this.mul(index, this.i32(CR_BYTES)), L.REG_CR0)
  }

  /** DR0..DR3 are followed by DR6 and DR7, which DR4 and DR5 may stand for. */
  protected debugRegister(number: Value): Value {
    const index = this.select(this.gtU(number, this.i32(5)), this.sub(number, this.i32(2)), number)
    return this.loadStateAt('i64', this.mul(index, this.i32(DR_BYTES)), L.REG_DR0)
  }
}

function storeOf(type: IrType): OpName {
  return type === 'i32' ? 'i32.store' : type === 'i64' ? 'i64.store' : type === 'f64' ? 'f64.store' : type === 'f32' ? 'f32.store' : 'v128.store'
}

function accessBytes(bytes: number): AccessBytes {
  switch (bytes) {
    case 1:
    case 2:
    case 4:
    case 8:
    case 16:
      return bytes
    default:
      throw new Error(`no single access has ${bytes} bytes: use linear()`)
  }
}
