/**
 * Guest memory: segment check, linear address, soft-TLB lookup inline; everything else in the core (ACCESS_HELPERS). A TLB tag is compared
 * with the page of the access's last byte, so that an access across two pages misses.
 */
import type { Form } from '../isa/form'
import * as L from '../layout'
import type { Reference, SegmentedAddress } from '../semantics/emitter'
import type { FunctionBuilder, IrType, OpName, Value } from '../wasm/ir'
import type { OperandBinding, Place } from './binding'
import { FlagsEmitter } from './flags-emitter'
import type { AccessHelper, HelperImports } from './helper-imports'

export type AccessBytes = 1 | 2 | 4 | 8 | 16
export type Intent = 'read' | 'write'

export const LOAD: Readonly<Record<AccessBytes, OpName>> = { 1: 'i32.load8_u', 2: 'i32.load16_u', 4: 'i32.load', 8: 'i64.load', 16: 'v128.load' }
export const STORE: Readonly<Record<AccessBytes, OpName>> = { 1: 'i32.store8', 2: 'i32.store16', 4: 'i32.store', 8: 'i64.store', 16: 'v128.store' }
export const typeOf = (bytes: AccessBytes): IrType => (bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32')

const PAGE_MASK = -0x1000
const TLB_ADDEND = 8
/** (linear >>> 12) * TLB_ENTRY_BYTES, within the table. */
const TLB_INDEX_SHIFT = 8
const TLB_INDEX_MASK = (L.TLB_ENTRIES - 1) * L.TLB_ENTRY_BYTES
const GP = 13
/** As in core/mmu/access. */
const ACCESS_STACK_SHIFT = 8
const ACCESS_STACK = 1 << ACCESS_STACK_SHIFT

/** An access that passed the segment check. */
export interface Access {
  readonly linear: Value
  readonly bytes: AccessBytes
  readonly segment: number | 'operand'
}

export abstract class MemoryEmitter extends FlagsEmitter {
  constructor(
    builder: FunctionBuilder,
    binding: OperandBinding,
    readonly form: Form,
    protected readonly helpers: HelperImports,
  ) {
    super(builder, binding, form.size)
  }

  // ---- what meanings say ----
  load(bytes: AccessBytes, address: SegmentedAddress): Value {
    return this.read16Aligned(bytes, address, false)
  }

  store(bytes: AccessBytes, address: SegmentedAddress, value: Value): void {
    this.write16Aligned(bytes, address, value, false)
  }

  reference(bytes: AccessBytes, address: SegmentedAddress): Reference {
    const access = { bytes, segment: address.segment, linear: this.linear(address, bytes, 'write') }
    const host = this.builder.temporary('i32')
    const entry = this.tlbEntry(access)
    this.builder.if(
      this.tlbHit(access, entry, L.TLB_WRITE),
      () => this.builder.set(host, this.hostAddress(access, entry, L.TLB_WRITE)),
      () => {
        this.leaveUnlessNext(this.callMemory('probe_write', [access.linear, this.flags(access)]))
        // what may be written is read by the same right, as in a translated region: no read entry is made for it
        this.builder.if(
          this.tlbHit(access, entry, L.TLB_WRITE),
          () => this.builder.set(host, this.hostAddress(access, entry, L.TLB_WRITE)),
          () => this.builder.set(host, this.i32(0)),
        )
      },
    )
    const address32 = this.builder.get(host)
    return {
      bytes,
      load: () =>
        this.oneOf(address32, typeOf(bytes), () => this.builder.load(LOAD[bytes], address32, 0), () => this.slowRead(access)),
      store: (value) =>
        this.builder.if(
          address32,
          () => this.builder.effect(STORE[bytes], [address32, value]),
          () => this.slowWrite(access, value),
        ),
    }
  }

  linear(address: SegmentedAddress, bytes: number, intent: Intent, aligned: boolean = false): Value {
    const { segment, offset } = address
    const place = this.segmentPlace(segment)
    const flat = this.long || (segment === L.SEG_SS && this.size === 8)
    if (!flat) {
      const end = this.builder.load('i64.load', place.address, place.offset + (intent === 'write' ? L.SEG_WRITE_END : L.SEG_READ_END))
      this.builder.if(this.gtU(this.add(offset, this.i64(bytes)), end), () => {
        // of the two reasons to fault, misalignment comes first
        if (aligned) this.checkAligned({ linear: this.add(this.builder.load('i64.load', place.address, place.offset + L.SEG_EFFECTIVE_BASE), offset) })
        const number = segment === 'operand' ? this.binding.operandSegment() : this.i32(segment)
        const write = this.i32(intent === 'write' ? 1 : 0)
        this.leaveUnlessNext(this.callMemory('segment_check', [number, offset, this.i32(bytes), write]))
      })
    }
    if (flat && typeof segment === 'number' && segment < L.SEG_FS) return offset
    const linear = this.add(this.builder.load('i64.load', place.address, place.offset + L.SEG_EFFECTIVE_BASE), offset)
    return flat ? linear : this.and(linear, this.binding.loadState('i64.load', L.LINEAR_MASK))
  }

  // ---- for subclasses ----
  /** `aligned`: 16-byte accesses must be aligned, #GP(0). */
  protected read16Aligned(bytes: AccessBytes, address: SegmentedAddress, aligned: boolean): Value {
    const access = { bytes, segment: address.segment, linear: this.linear(address, bytes, 'read', aligned && bytes === 16) }
    if (aligned && bytes === 16) this.checkAligned(access)
    const entry = this.tlbEntry(access)
    return this.oneOf(
      this.tlbHit(access, entry, L.TLB_READ),
      typeOf(bytes),
      () => this.builder.load(LOAD[bytes], this.hostAddress(access, entry, L.TLB_READ), 0),
      () => this.slowRead(access),
    )
  }

  protected write16Aligned(bytes: AccessBytes, address: SegmentedAddress, value: Value, aligned: boolean): void {
    const access = { bytes, segment: address.segment, linear: this.linear(address, bytes, 'write', aligned && bytes === 16) }
    if (aligned && bytes === 16) this.checkAligned(access)
    const entry = this.tlbEntry(access)
    this.builder.if(
      this.tlbHit(access, entry, L.TLB_WRITE),
      () => this.builder.effect(STORE[bytes], [this.hostAddress(access, entry, L.TLB_WRITE), value]),
      () => this.slowWrite(access, value),
    )
  }

  /** Records an exception and leaves. */
  protected leaveWithException(vector: number, errorCode: Value | undefined): void {
    const hasError = this.i32(errorCode === undefined ? 0 : 1)
    this.binding.leave(this.callMemory('raise', [this.i32(vector), errorCode ?? this.i32(0), hasError]))
  }

  protected leaveUnlessNext(status: Value): void {
    this.builder.if(status, () => this.binding.leave(status))
  }

  protected leaveIfFault(): void {
    const vector = this.binding.loadState('i32.load', L.EXC_VECTOR)
    this.builder.if(this.geS(vector, this.i32(0)), () => this.binding.leave(this.i32(L.STATUS_FAULT)))
  }

  // ---- parts ----
  /** Only 64-bit code has this form: no limits, no mask of linear addresses, no base but in FS and GS. */
  private get long(): boolean {
    return this.form.addressSize === 8 || this.form.operands.some((operand) => (operand.kind === 'gpr' || operand.kind === 'fixed') && operand.bytes === 8)
  }

  protected segmentPlace(segment: number | 'operand'): Place {
    if (segment === 'operand') return this.binding.operandSegmentPlace()
    return { address: this.binding.vcpu, offset: L.SEGMENTS + segment * L.SEG_BYTES }
  }

  protected checkAligned({ linear }: Pick<Access, 'linear'>): void {
    this.builder.if(this.and(this.wrap(linear), this.i32(15)), () => this.leaveWithException(GP, this.i32(0)))
  }

  private tlbEntry({ linear }: Access): Value {
    const index = this.and(this.shrU(this.wrap(linear), this.i32(TLB_INDEX_SHIFT)), this.i32(TLB_INDEX_MASK))
    return this.add(this.binding.loadState('i32.load', L.TLB_CONTEXT), index)
  }

  private tlbHit({ linear, bytes }: Access, entry: Value, table: number): Value {
    const last = bytes === 1 ? linear : this.add(linear, this.i64(bytes - 1))
    return this.eq(this.builder.load('i64.load', entry, table), this.and(last, this.i64(PAGE_MASK)))
  }

  private hostAddress({ linear }: Access, entry: Value, table: number): Value {
    return this.add(this.builder.load('i32.load', entry, table + TLB_ADDEND), this.wrap(linear))
  }

  protected oneOf(condition: Value, type: IrType, then: () => Value, otherwise: () => Value): Value {
    const result = this.builder.temporary(type)
    this.builder.if(
      condition,
      () => this.builder.set(result, then()),
      () => this.builder.set(result, otherwise()),
    )
    return this.builder.get(result)
  }

  private slowRead(access: Access): Value {
    const { linear, bytes } = access
    if (bytes === 16) {
      this.leaveUnlessNext(this.callMemory('read_slow_128', [linear, this.flags(access)]))
      return this.binding.loadState('v128.load', L.SCRATCH)
    }
    const value = this.callMemory('read_slow', [linear, this.flags(access)])
    this.leaveIfFault()
    return bytes === 8 ? value : this.wrap(value)
  }

  private slowWrite(access: Access, value: Value): void {
    const { linear, bytes } = access
    if (bytes === 16) {
      this.binding.storeState('v128.store', L.SCRATCH, value)
      return this.leaveUnlessNext(this.callMemory('write_slow_128', [linear, this.flags(access)]))
    }
    this.leaveUnlessNext(this.callMemory('write_slow', [linear, this.zext(value), this.flags(access)]))
  }

  /** The slow paths' last parameter. */
  protected flags({ segment, bytes }: Access): Value {
    if (segment !== 'operand') return this.i32(segment === L.SEG_SS ? bytes | ACCESS_STACK : bytes)
    const isStack = this.eq(this.binding.operandSegment(), this.i32(L.SEG_SS))
    return this.or(this.shl(isStack, this.i32(ACCESS_STACK_SHIFT)), this.i32(bytes))
  }

  /** These helpers neither see nor change general-purpose registers, so a binding that keeps them elsewhere need not write them back. */
  protected callMemory(name: AccessHelper, args: readonly Value[]): Value {
    return this.builder.call(this.helpers.get(name), [this.binding.vcpu, ...args])
  }
}
