/** WebAssembly's own operations under the names that meanings use. */
import type { Arithmetic } from '../semantics/emitter'
import type { FunctionBuilder, OpName, Value } from '../wasm/ir'

type Suffix =
  | 'add' | 'sub' | 'mul' | 'div_u' | 'div_s' | 'rem_u' | 'rem_s' | 'and' | 'or' | 'xor' | 'shl' | 'shr_u' | 'shr_s' | 'rotl' | 'rotr'
  | 'eq' | 'ne' | 'lt_u' | 'lt_s' | 'gt_u' | 'gt_s' | 'le_u' | 'le_s' | 'ge_u' | 'ge_s'

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
  op(name: OpName, args: readonly Value[], immediates: readonly number[] = []): Value {
    return this.builder.op(name, args, immediates)
  }

  add(a: Value, b: Value): Value {
    return this.binary('add', a, b)
  }
  sub(a: Value, b: Value): Value {
    return this.binary('sub', a, b)
  }
  mul(a: Value, b: Value): Value {
    return this.binary('mul', a, b)
  }
  divU(a: Value, b: Value): Value {
    return this.binary('div_u', a, b)
  }
  divS(a: Value, b: Value): Value {
    return this.binary('div_s', a, b)
  }
  remU(a: Value, b: Value): Value {
    return this.binary('rem_u', a, b)
  }
  remS(a: Value, b: Value): Value {
    return this.binary('rem_s', a, b)
  }
  and(a: Value, b: Value): Value {
    return this.binary('and', a, b)
  }
  or(a: Value, b: Value): Value {
    return this.binary('or', a, b)
  }
  xor(a: Value, b: Value): Value {
    return this.binary('xor', a, b)
  }
  not(a: Value): Value {
    return this.xor(a, this.like(a, -1))
  }
  neg(a: Value): Value {
    return this.sub(this.like(a, 0), a)
  }
  shl(a: Value, count: Value): Value {
    return this.shift('shl', a, count)
  }
  shrU(a: Value, count: Value): Value {
    return this.shift('shr_u', a, count)
  }
  shrS(a: Value, count: Value): Value {
    return this.shift('shr_s', a, count)
  }
  rotl(a: Value, count: Value): Value {
    return this.shift('rotl', a, count)
  }
  rotr(a: Value, count: Value): Value {
    return this.shift('rotr', a, count)
  }
  clz(a: Value): Value {
    return this.builder.op(a.type === 'i64' ? 'i64.clz' : 'i32.clz', [a])
  }
  ctz(a: Value): Value {
    return this.builder.op(a.type === 'i64' ? 'i64.ctz' : 'i32.ctz', [a])
  }
  popcnt(a: Value): Value {
    return this.builder.op(a.type === 'i64' ? 'i64.popcnt' : 'i32.popcnt', [a])
  }
  eq(a: Value, b: Value): Value {
    return this.binary('eq', a, b)
  }
  ne(a: Value, b: Value): Value {
    return this.binary('ne', a, b)
  }
  ltU(a: Value, b: Value): Value {
    return this.binary('lt_u', a, b)
  }
  ltS(a: Value, b: Value): Value {
    return this.binary('lt_s', a, b)
  }
  gtU(a: Value, b: Value): Value {
    return this.binary('gt_u', a, b)
  }
  gtS(a: Value, b: Value): Value {
    return this.binary('gt_s', a, b)
  }
  leU(a: Value, b: Value): Value {
    return this.binary('le_u', a, b)
  }
  leS(a: Value, b: Value): Value {
    return this.binary('le_s', a, b)
  }
  geU(a: Value, b: Value): Value {
    return this.binary('ge_u', a, b)
  }
  geS(a: Value, b: Value): Value {
    return this.binary('ge_s', a, b)
  }
  eqz(a: Value): Value {
    return this.builder.op(a.type === 'i64' ? 'i64.eqz' : 'i32.eqz', [a])
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
    const widened = source.kind === 'op' && (source.info.name === 'i64.extend_i32_u' || source.info.name === 'i64.extend_i32_s')
    return (widened ? a.args[0] : undefined) ?? this.builder.op('i32.wrap_i64', [a])
  }
  zext(a: Value): Value {
    return a.type === 'i64' ? a : this.builder.op('i64.extend_i32_u', [a])
  }
  sext(a: Value): Value {
    return a.type === 'i64' ? a : this.builder.op('i64.extend_i32_s', [a])
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
    return this.i32(Number(BigInt.asIntN(32, BigInt(n))))
  }

  /** A constant of the type of `a`. */
  protected like(a: Value, n: number): Value {
    return a.type === 'i64' ? this.i64(n) : this.i32(n)
  }

  private binary(suffix: Suffix, a: Value, b: Value): Value {
    if (a.type !== b.type) throw new Error(`${suffix} of ${a.type} and ${b.type}`)
    return this.builder.op(a.type === 'i64' ? `i64.${suffix}` : `i32.${suffix}`, [a, b])
  }

  private shift(suffix: Suffix, a: Value, count: Value): Value {
    return this.binary(suffix, a, a.type === 'i64' ? this.zext(count) : this.wrap(count))
  }
}
