/** XCHG, XADD and the compare-and-exchange family. All write their memory operand in any case, as the processor's bus cycle does. */
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { GP, RAX, RBX, RCX, RDX } from '../values'

const xchg: Semantics = (m) => {
  const source = m.read(1)
  m.modify(0, (old) => {
    m.write(1, old)
    return source
  })
}

const xadd: Semantics = (m) => {
  const source = m.read(1)
  m.modify(0, (old) => {
    const sum = m.add(old, source)
    m.flagsAdd(old, source, sum)
    m.write(1, old)
    return sum
  })
}

/** A register destination is left alone when it differs, so its upper half is not cleared. */
const cmpxchg: Semantics = (m) => {
  const source = m.read(1)
  const compare = (old: Value): Value => {
    const accumulator = m.gpr(RAX, m.size)
    m.flagsSub(accumulator, old, m.sub(accumulator, old))
    return m.eq(accumulator, old)
  }
  if (m.isMemory(0)) {
    m.modify(0, (old) => {
      const equal = compare(old)
      m.if(m.eqz(equal), () => m.setGpr(RAX, m.size, old))
      return m.select(equal, source, old)
    })
    return
  }
  const old = m.read(0)
  m.if(
    compare(old),
    () => m.write(0, source),
    () => m.setGpr(RAX, m.size, old),
  )
}

const wide = (m: Emitter, high: number, low: number): Value => m.or(m.shl(m.zext(m.gpr(high, 4)), m.i64(32)), m.zext(m.gpr(low, 4)))

const cmpxchg8b: Semantics = (m) => {
  const reference = m.reference(8, m.memoryOperand())
  const old = reference.load()
  const equal = m.eq(old, wide(m, RDX, RAX))
  reference.store(m.select(equal, wide(m, RCX, RBX), old))
  m.if(m.eqz(equal), () => {
    m.setGpr(RAX, 4, m.wrap(old))
    m.setGpr(RDX, 4, m.wrap(m.shrU(old, m.i64(32))))
  })
  m.setFlags({ zf: equal })
}

const cmpxchg16b: Semantics = (m) => {
  const address = m.memoryOperand()
  const linear = m.linear(address, 16, 'write')
  m.if(m.and(m.wrap(linear), m.i32(15)), () => m.raise(GP, 0))
  const reference = m.reference(16, address)
  const old = reference.load()
  const low = m.op('i64x2.extract_lane', [old], [0])
  const high = m.op('i64x2.extract_lane', [old], [1])
  const equal = m.and(m.eq(low, m.gpr(RAX, 8)), m.eq(high, m.gpr(RDX, 8)))
  const newLow = m.select(equal, m.gpr(RBX, 8), low)
  const newHigh = m.select(equal, m.gpr(RCX, 8), high)
  reference.store(m.op('i64x2.replace_lane', [m.op('i64x2.splat', [newLow]), newHigh], [1]))
  m.if(m.eqz(equal), () => {
    m.setGpr(RAX, 8, low)
    m.setGpr(RDX, 8, high)
  })
  m.setFlags({ zf: equal })
}

export const exchangeSemantics: SemanticsTable = { xchg, xadd, cmpxchg, cmpxchg8b, cmpxchg16b }
