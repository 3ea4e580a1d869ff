/** WebAssembly's own operations under the names that meanings use. */
import type { Arithmetic } from '../semantics/emitter'
import { low32, opInfo } from '../wasm/ir'
import type { FunctionBuilder, OpInfo, OpName, Value } from '../wasm/ir'

/** One operation for both widths of integers. */
export interface Both {
  readonly i32: OpInfo
  readonly i64: OpInfo
}
type Suffix =
  | 'add' | 'sub' | 'mul' | 'div_u' | 'div_s' | 'rem_u' | 'rem_s' | 'and' | 'or' | 'xor' | 'shl' | 'shr_u' | 'shr_s' | 'rotl' | 'rotr'
  | 'eq' | 'ne' | 'lt_u' | 'lt_s' | 'gt_u' | 'gt_s' | 'le_u' | 'le_s' | 'ge_u' | 'ge_s' | 'eqz' | 'clz' | 'ctz' | 'popcnt'
/** Looked up once: meanings use them all the time. */
const both = (suffix: Suffix): Both => ({ i32: opInfo(`i32.${suffix}`), i64: opInfo(`i64.${suffix}`) })
export const ADD: Both = both('add')
export const SUB: Both = both('sub')
const MUL = both('mul')
const DIV_U = both('div_u')
const DIV_S = both('div_s')
const REM_U = both('rem_u')
const REM_S = both('rem_s')
const AND = both('and')
const OR = both('or')
const XOR = both('xor')
const SHL = both('shl')
const SHR_U = both('shr_u')
const SHR_S = both('shr_s')
const ROTL = both('rotl')
const ROTR = both('rotr')
const EQ = both('eq')
const NE = both('ne')
const LT_U = both('lt_u')
const LT_S = both('lt_s')
const GT_U = both('gt_u')
const GT_S = both('gt_s')
const LE_U = both('le_u')
const LE_S = both('le_s')
const GE_U = both('ge_u')
const GE_S = both('ge_s')
const EQZ = both('eqz')
const CLZ = both('clz')
const CTZ = both('ctz')
const POPCNT = both('popcnt')
const EXTEND_U = opInfo('i64.extend_i32_u')
const EXTEND_S = opInfo('i64.extend_i32_s')
const WRAP = opInfo('i32.wrap_i64')

export class ArithmeticEmitter implements Arithmetic {
  constructor(protected readonly builder: FunctionBuilder) {}

  i32(n: number): Value {
    return this.builder.constant('i32', n)
  }
  i64(n: number | bigint): Value {
    return this.builder.constant('i64', n)
  }
  f32(n: number): Value {
    return this.builder.constant('f32', n)
  }
  f64(n: number): Value {
    return this.builder.constant('f64', n)
  }
  v128(bytes: readonly number[]): Value {
    return this.builder.constant128(bytes)
  }
  op(name: OpName, args: readonly Value[], immediates?: readonly number[]): Value {
    return this.builder.op(name, args, immediates)
  }

  add(a: Value, b: Value): Value {
    return this.binary(ADD, a, b)
  }
  sub(a: Value, b: Value): Value {
    return this.binary(SUB, a, b)
  }
  mul(a: Value, b: Value): Value {
    return this.binary(MUL, a, b)
  }
  divU(a: Value, b: Value): Value {
    return this.binary(DIV_U, a, b)
  }
  divS(a: Value, b: Value): Value {
    return this.binary(DIV_S, a, b)
  }
  remU(a: Value, b: Value): Value {
    return this.binary(REM_U, a, b)
  }
  remS(a: Value, b: Value): Value {
    return this.binary(REM_S, a, b)
  }
  and(a: Value, b: Value): Value {
    return this.binary(AND, a, b)
  }
  or(a: Value, b: Value): Value {
    return this.binary(OR, a, b)
  }
  xor(a: Value, b: Value): Value {
    return this.binary(XOR, a, b)
  }
  not(a: Value): Value {
    return this.xor(a, this.like(a, -1))
  }
  neg(a: Value): Value {
    return this.sub(this.like(a, 0), a)
  }
  shl(a: Value, count: Value): Value {
    return this.shift(SHL, a, count)
  }
  shrU(a: Value, count: Value): Value {
    return this.shift(SHR_U, a, count)
  }
  shrS(a: Value, count: Value): Value {
    return this.shift(SHR_S, a, count)
  }
  rotl(a: Value, count: Value): Value {
    return this.shift(ROTL, a, count)
  }
  rotr(a: Value, count: Value): Value {
    return this.shift(ROTR, a, count)
  }
  clz(a: Value): Value {
    return this.builder.operation(a.type === 'i64' ? CLZ.i64 : CLZ.i32, [a])
  }
  ctz(a: Value): Value {
    return this.builder.operation(a.type === 'i64' ? CTZ.i64 : CTZ.i32, [a])
  }
  popcnt(a: Value): Value {
    return this.builder.operation(a.type === 'i64' ? POPCNT.i64 : POPCNT.i32, [a])
  }
  eq(a: Value, b: Value): Value {
    return this.binary(EQ, a, b)
  }
  ne(a: Value, b: Value): Value {
    return this.binary(NE, a, b)
  }
  ltU(a: Value, b: Value): Value {
    return this.binary(LT_U, a, b)
  }
  ltS(a: Value, b: Value): Value {
    return this.binary(LT_S, a, b)
  }
  gtU(a: Value, b: Value): Value {
    return this.binary(GT_U, a, b)
  }
  gtS(a: Value, b: Value): Value {
    return this.binary(GT_S, a, b)
  }
  leU(a: Value, b: Value): Value {
    return this.binary(LE_U, a, b)
  }
  leS(a: Value, b: Value): Value {
    return this.binary(LE_S, a, b)
  }
  geU(a: Value, b: Value): Value {
    return this.binary(GE_U, a, b)
  }
  geS(a: Value, b: Value): Value {
    return this.binary(GE_S, a, b)
  }
  eqz(a: Value): Value {
    return this.builder.operation(a.type === 'i64' ? EQZ.i64 : EQZ.i32, [a])
  }
  select(condition: Value, ifTrue: Value, ifFalse: Value): Value {
    // WebAssembly's untyped select takes no v128
    if (ifTrue.type === 'v128') {
      const mask = this.op('i32x4.splat', [this.neg(this.ne(condition, this.i32(0)))])
      return this.op('v128.bitselect', [ifTrue, ifFalse, mask])
    }
    return this.builder.op('select', [ifTrue, ifFalse, condition])
  }

  wrap(a: Value): Value {
    if (a.type === 'i32') return a
    const { source } = a
    const widened = source.kind === 'op' && (source.what === EXTEND_U || source.what === EXTEND_S)
    return (widened ? a.args[0] : undefined) ?? this.builder.operation(WRAP, [a])
  }
  zext(a: Value): Value {
    return a.type === 'i64' ? a : this.builder.operation(EXTEND_U, [a])
  }
  sext(a: Value): Value {
    return a.type === 'i64' ? a : this.builder.operation(EXTEND_S, [a])
  }
  sextFrom(a: Value, bytes: 1 | 2 | 4): Value {
    if (a.type === 'i64') return this.builder.op(bytes === 1 ? 'i64.extend8_s' : bytes === 2 ? 'i64.extend16_s' : 'i64.extend32_s', [a])
    return bytes === 4 ? a : this.builder.op(bytes === 1 ? 'i32.extend8_s' : 'i32.extend16_s', [a])
  }
  truncate(a: Value, bytes: 1 | 2 | 4 | 8): Value {
    if (bytes === 8) return this.zext(a)
    const low = this.wrap(a)
    return bytes === 4 ? low : this.and(low, this.i32(bytes === 1 ? 0xff : 0xffff))
  }
  constant(n: number | bigint, bytes: 1 | 2 | 4 | 8): Value {
    if (bytes === 8) return this.i64(n)
    return this.i32(low32(n))
  }

  /** A constant of the type of `a`. */
  protected like(a: Value, n: number): Value {
    return a.type === 'i64' ? this.i64(n) : this.i32(n)
  }

  private binary({ i32, i64 }: Both, a: Value, b: Value): Value {
    const info = a.type === 'i64' ? i64 : i32
    if (a.type !== b.type) throw new Error(`${info.name} of ${a.type} and ${b.type}`)
    return this.builder.operation(info, [a, b])
  }

  private shift(operation: Both, a: Value, count: Value): Value {
    return this.binary(operation, a, a.type === 'i64' ? this.zext(count) : this.wrap(count))
  }
}
