/** The upper half of a 128-bit product out of products of 32-bit halves: WebAssembly has no wider ones. */
import type { Value } from '../wasm/ir'
import type { Arithmetic } from '../semantics/emitter'

export function highOfUnsignedProduct(m: Arithmetic, a: Value, b: Value): Value {
  const half = m.i64(32)
  const low = m.i64(0xffffffff)
  const [aLow, aHigh] = [m.and(a, low), m.shrU(a, half)]
  const [bLow, bHigh] = [m.and(b, low), m.shrU(b, half)]
  const middle = m.add(m.mul(aHigh, bLow), m.shrU(m.mul(aLow, bLow), half))
  const cross = m.add(m.and(middle, low), m.mul(aLow, bHigh))
  return m.add(m.add(m.mul(aHigh, bHigh), m.shrU(middle, half)), m.shrU(cross, half))
}

/** The upper half of the signed product: a negative factor counts 2^64 too much. */
export function highOfSignedProduct(m: Arithmetic, a: Value, b: Value): Value {
  const sign = m.i64(63)
  const excess = m.add(m.and(m.shrS(a, sign), b), m.and(m.shrS(b, sign), a))
  return m.sub(highOfUnsignedProduct(m, a, b), excess)
}
