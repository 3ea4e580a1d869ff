/**
 * The emitter of one instruction of a region: what differs from the interpreter's. Flags stay pending, memory is reached through the soft TLB with
 * everything else left to the interpreter, jumps are told to the region, conditions known now are decided now.
 */
import type { HelperImports } from '../emit/helper-imports'
import { LOAD, STORE } from '../emit/memory-emitter'
import type { Access, AccessBytes, Intent } from '../emit/memory-emitter'
import type { StateType } from '../emit/operation-emitter'
import * as L from '../layout'
import type { FloatOperation, Reference, SegmentedAddress } from '../semantics/emitter'
import { INVARIANTS } from '../semantics/invariants'
import type { InvariantName } from '../semantics/invariants'
import type { X87Stack } from '../semantics/x87-stack'
import { constantOf } from '../wasm/ir'
import type { OpName, Value } from '../wasm/ir'
import type { DecodedInstruction } from './decoded-instruction'
import type { FlagState } from './flag-state'
import type { FloatChain } from './float-chain'
import { isInlineHelper, isPureHelper, isX87Helper, setsPointers } from './inline-helpers'
import { PendingFlagsEmitter } from './pending-flags-emitter'
import { NotInline, RegionBinding } from './region-binding'
import type { Leaving } from './region-binding'
import type { RegionFrame } from './region-frame'
import { repeatAtOnce } from './repeat-at-once'
import { hostAddress } from './memory-access'
import type { PageSlots } from './memory-access'
import type { TrackedX87Stack, X87User } from './tracked-x87-stack'

/** An instruction that goes on after them has found them 0, or as good. */
const GUARDS: ReadonlySet<InvariantName> = new Set<InvariantName>(['sse-blocked', 'mxcsr-unmasked', 'x87-blocked'])
/** Those of arithmetic on f64. */
const ARITHMETIC_GUARDS: readonly InvariantName[] = ['sse-blocked', 'mxcsr-unmasked']

/** What stores an element of a vector without a general register between. */
const LANE_STORES: Readonly<Record<string, { readonly bytes: number; readonly name: OpName }>> = {
  'i64x2.extract_lane': { bytes: 8, name: 'v128.store64_lane' },
  'i32x4.extract_lane': { bytes: 4, name: 'v128.store32_lane' },
}
/** Their memory operands are integers. */
const INTEGER_SOURCE = /^(cvtsi|pinsr)/

const ARITHMETIC_GUARD = 'sse-arithmetic'

const X87_FIELDS: ReadonlySet<number> = new Set([L.FPU_SW, L.FPU_TOP, L.FPU_TAGS])

/** Where the instruction goes on. */
export interface Jump {
  /** undefined: always. */
  readonly condition: Value | undefined
  /** Offset in the page when it is known, else the instruction pointer (i64 or i32 as the region has it). */
  readonly target: number | Value
}

/** What the emission of a region remembers from instruction to instruction. */
export interface RegionState {
  flags: FlagState
  /** The instruction lies in a loop of the region. */
  readonly inLoop: boolean
  /** Conditions that an instruction of this basic block has looked at and found as usual. */
  readonly seen: Set<InvariantName>
  readonly chain: FloatChain
  readonly x87: TrackedX87Stack
  /** The basic block expects the x87's stack to be as it usually is; else each instruction looks. */
  readonly isTracked: boolean
  /** The basic block has arithmetic on f64. */
  readonly computes: boolean
}

export class RegionEmitter extends PendingFlagsEmitter<RegionState> implements X87User {
  taken: Jump | undefined
  private isLasting = false
  /** What relativeTarget gave, and its offset in the page. */
  private staticTarget: { readonly value: Value; readonly offset: number } | undefined

  constructor(
    frame: RegionFrame,
    private readonly instruction: DecodedInstruction,
    state: RegionState,
    private readonly leaving: Leaving,
    helpers: HelperImports,
  ) {
    super(frame, state, new RegionBinding(frame, instruction, leaving), instruction.form, helpers)
    state.x87.begin(this)
  }

  // ---- control ----
  override loop(): void {
    throw new NotInline('a loop')
  }

  override endBlock(): void {
    throw new NotInline('the end of a block')
  }

  override relativeTarget(): Value {
    const { offset, length, immediate } = this.instruction
    const relative = offset + length + Number(immediate)
    if (this.frame.wide !== (this.size === 8)) throw new NotInline('a near jump of another operand size')
    if (!this.frame.wide && this.size === 2 && (this.frame.shape.key & 3) === 1) throw new NotInline('a 16-bit jump in 32-bit code')
    const target = this.frame.ripAt(relative)
    const within = this.frame.isWithinReach(relative)
    const value = within || this.size !== 2 ? target : this.builder.op('i32.and', [target, this.i32(0xffff)])
    if (within) this.staticTarget = { value, offset: relative }
    return value
  }

  override jump(target: Value): void {
    this.jumpWhen(undefined, target)
  }

  override jumpRelative(condition?: Value): void {
    const known = condition === undefined ? undefined : constantOf(condition)
    if (known === 0) return
    this.jumpWhen(known === undefined ? condition : undefined, this.relativeTarget())
  }

  /** What is said of the rest of the instruction still belongs to it: the region jumps when the meaning is complete. */
  private jumpWhen(condition: Value | undefined, target: Value): void {
    const relative = this.staticTarget?.value === target ? this.staticTarget.offset : undefined
    const native = this.frame.wide ? target : this.wrap(target)
    // the own page is canonical where the region is entered; what lies beyond it need not be
    const refuse = relative !== undefined && this.frame.isOwnPage(relative) ? undefined : this.refused(native)
    if (refuse !== undefined) {
      const look = (): void => this.builder.if(refuse, () => this.leaving.interpret())
      if (condition === undefined) look()
      else this.builder.if(condition, look)
    }
    this.taken = { condition, target: relative ?? native }
  }

  /** The target may fault: not canonical, or above the limit. */
  private refused(target: Value): Value | undefined {
    const { builder } = this
    if (this.frame.flat) return undefined
    if (!this.frame.wide) return builder.op('i32.gt_u', [target, this.frame.invariant('i32.load', L.SEGMENTS + L.SEG_CS * L.SEG_BYTES + L.SEG_LIMIT)])
    const sign = builder.op('i64.shr_s', [builder.op('i64.shl', [target, this.i64(16)]), this.i64(16)])
    return builder.op('i64.ne', [sign, target])
  }

  /** The rest of the meaning is done; the region looks at taken. */
  override finish(): void {}

  override repeatAtOnce(operation: 'movs' | 'stos'): boolean {
    repeatAtOnce(this, operation, this.instruction, this.frame, this.leaving, this.helpers)
    return true
  }

  protected override leaveWithException(): void {
    this.leaving.interpret()
  }

  protected override callHelper(name: string, args: readonly Value[]): Value | undefined {
    if (isPureHelper(name)) return this.builder.call(this.helpers.get(name), [this.binding.vcpu, ...args], true)
    if (!isInlineHelper(name)) throw new NotInline(`helper ${name}`)
    if (isX87Helper(name)) this.state.x87.released()
    if (setsPointers(name)) this.frame.pointers.forget()
    return super.callHelper(name, args)
  }

  override loadState(type: StateType, offset: number): Value {
    this.look(offset)
    return super.loadState(type, offset)
  }

  override storeState(offset: number, value: Value): void {
    this.look(offset)
    super.storeState(offset, value)
  }

  /** What the x87's stack keeps to itself must be where others look for it. */
  private look(offset: number): void {
    if (X87_FIELDS.has(offset) && !this.isLasting) this.state.x87.release()
  }

  override loadStateAt(type: StateType, index: Value, offset: number): Value {
    const known = constantOf(index)
    return known === undefined ? super.loadStateAt(type, index, offset) : this.loadState(type, offset + Number(known))
  }

  override storeStateAt(index: Value, offset: number, value: Value): void {
    const known = constantOf(index)
    if (known === undefined) super.storeStateAt(index, offset, value)
    else this.storeState(offset + Number(known), value)
  }

  /** Computed at the region's entry; those that only guard are looked at once in a basic block. */
  override invariant(name: InvariantName): Value {
    if (name === 'sse-blocked' && this.state.computes && !this.state.seen.has(name)) this.guardArithmetic()
    if (GUARDS.has(name)) {
      if (this.state.seen.has(name)) return this.i32(0)
      this.state.seen.add(name)
    }
    return this.frame.once(name, 'i32', () => this.lasting(name))
  }

  override changed(name: InvariantName): void {
    this.state.seen.delete(name)
    this.frame.renew(name, 'i32', () => this.lasting(name))
    if (name === 'mxcsr-unmasked') this.frame.renew(ARITHMETIC_GUARD, 'i32', () => this.arithmeticGuard())
  }

  /** A condition computed where locals of a basic block mean nothing. */
  private lasting(name: InvariantName): Value {
    this.isLasting = true
    const condition = INVARIANTS[name](this)
    this.isLasting = false
    return condition
  }

  // ---- floating point ----
  override get x87(): X87Stack {
    return this.state.isTracked ? this.state.x87 : super.x87
  }

  override noteX87(): void {
    const { offset, immediate, segment } = this.instruction
    const hasMemory = this.form.operands.some(({ kind }) => kind === 'mem')
    this.frame.pointers.note(this.frame.placeOf(offset), Number(immediate), hasMemory ? { segment, address: this.effectiveAddress() } : undefined)
  }

  refuseBlock(): void {
    this.leaving.refuse()
  }

  leaveBehind(): void {
    this.leaving.behind()
  }

  settleOthers(): void {
    this.state.chain.settle()
  }

  override floatOperation(operation: FloatOperation): Value {
    if (operation.bytes === 4) return super.floatOperation(operation)
    // the exact helpers run after other instructions, which must not happen if they fault
    this.if(this.invariant('mxcsr-unmasked'), () => {
      this.builder.rare()
      this.leaving.interpret()
    })
    return this.state.chain.add(operation, this)
  }

  override floatComparison(bytes: 4 | 8, operands: readonly Value[], special: () => Value, exact: (operands: readonly Value[]) => void): void {
    if (bytes === 4) super.floatComparison(bytes, operands, special, exact)
    else this.state.chain.compare(operands, exact, this)
  }

  mxcsrSpecial(): Value {
    return this.invariant('mxcsr-special')
  }

  mxcsrChanged(): void {
    this.changed('mxcsr-special')
  }

  /** In a block with arithmetic one look serves for both guards. */
  private guardArithmetic(): void {
    const guard = this.frame.once(ARITHMETIC_GUARD, 'i32', () => this.arithmeticGuard())
    this.builder.if(guard, () => {
      this.builder.rare()
      this.leaving.interpret()
    })
    for (const name of ARITHMETIC_GUARDS) this.state.seen.add(name)
  }

  private arithmeticGuard(): Value {
    return this.or(this.lasting('sse-blocked'), this.lasting('mxcsr-unmasked'))
  }

  protected override controlRegister(): Value {
    throw new NotInline('a control register')
  }

  protected override debugRegister(): Value {
    throw new NotInline('a debug register')
  }

  protected override maskStack(pointer: Value): Value {
    return this.and(pointer, this.frame.stackMask())
  }

  // ---- memory ----
  override linear(address: SegmentedAddress, bytes: number, intent: Intent): Value {
    const native = this.nativeLinear(address, bytes, intent)
    return this.zext(native)
  }

  protected override read16Aligned(bytes: AccessBytes, address: SegmentedAddress, aligned: boolean): Value {
    const host = this.host(bytes, address, 'read', aligned)
    // numbers go to vector registers at once, not by way of a general one
    if (bytes === 8 && this.isVector) return this.builder.op('i64x2.extract_lane', [this.builder.load('v128.load64_zero', host, 0)], [0])
    if (bytes === 4 && this.isVector) return this.builder.op('i32x4.extract_lane', [this.builder.load('v128.load32_zero', host, 0)], [0])
    return this.builder.load(LOAD[bytes], host, 0)
  }

  protected override write16Aligned(bytes: AccessBytes, address: SegmentedAddress, value: Value, aligned: boolean): void {
    const host = this.host(bytes, address, 'write', aligned)
    const { source, args } = value
    const store = source.kind === 'op' ? LANE_STORES[source.what.name] : undefined
    if (source.kind === 'op' && store?.bytes === bytes && args[0] !== undefined) this.builder.effect(store.name, [host, args[0]], 0, source.immediates)
    else this.builder.effect(STORE[bytes], [host, value])
  }

  /** The instruction reads memory into a vector register, or computes with it there. */
  private get isVector(): boolean {
    return this.form.operands[0]?.kind === 'xmm' && !INTEGER_SOURCE.test(this.form.operation)
  }

  override reference(bytes: AccessBytes, address: SegmentedAddress): Reference {
    const host = this.host(bytes, address, 'write', false)
    return {
      bytes,
      load: () => this.builder.load(LOAD[bytes], host, 0),
      store: (value) => this.builder.effect(STORE[bytes], [host, value]),
    }
  }

  /** Where the bytes lie in the machine's memory (i32); leaves when they are no plain memory. */
  private host(bytes: AccessBytes, address: SegmentedAddress, intent: Intent, aligned: boolean): Value {
    const linear = this.nativeLinear(address, bytes, intent)
    if (aligned && bytes === 16) this.builder.if(this.and(this.wrap(linear), this.i32(15)), () => this.leaving.interpret())
    const access: Access = { linear, bytes, segment: address.segment }
    const helper = this.helpers.get(intent === 'write' ? 'region_write' : 'region_read')
    const slow = { ask: (whole: Value): Value => this.builder.call(helper, [this.binding.vcpu, whole, this.flags(access)]), leave: (): void => this.leaving.interpret() }
    const { windows } = this.frame
    if (windows !== undefined) return windows.host({ linear, bytes, intent, page: undefined }, slow)
    return this.frame.loops.host({ linear, bytes, intent, page: undefined }, slow) ?? hostAddress(this.frame, { linear, bytes, intent, page: this.pageOf(address.segment) }, slow)
  }

  /** Accesses by the same base register are likely to stay on a page; by what else is not worth remembering, or only in a loop. */
  private pageOf(segment: number | 'operand'): PageSlots | undefined {
    const { base, segment: own } = this.instruction
    const { pages } = this.frame
    if (segment === L.SEG_SS || (segment === 'operand' && own === L.SEG_SS)) return this.frame.stackIsLinear ? pages.stack : undefined
    if (!this.state.inLoop) return undefined
    return segment === 'operand' && base !== L.REG_ZERO ? pages.get(`${base} ${own}`) : pages.get(`${this.instruction.offset} ${segment}`)
  }

  /** Segment check and base: a linear address of the region's own width. */
  private nativeLinear({ segment, offset }: SegmentedAddress, bytes: number, intent: Intent): Value {
    const { frame, builder } = this
    const number = segment === 'operand' ? this.instruction.segment : segment
    const place = L.SEGMENTS + number * L.SEG_BYTES
    if (frame.wide) {
      if (number < L.SEG_FS) return offset
      return this.add(frame.invariant('i64.load', place + L.SEG_EFFECTIVE_BASE), offset)
    }
    const native = this.wrap(offset)
    if (frame.flat && (number === L.SEG_ES || number === L.SEG_SS || number === L.SEG_DS)) return native
    const end = frame.invariant('i64.load', place + (intent === 'write' ? L.SEG_WRITE_END : L.SEG_READ_END))
    builder.if(this.gtU(this.add(offset, this.i64(bytes)), end), () => this.leaving.interpret())
    return builder.op('i32.add', [frame.invariant('i32.load', place + L.SEG_EFFECTIVE_BASE), native])
  }
}
