import { describe, expect, it } from 'vitest'
import { encodeModule } from './emit'
import { FunctionBuilder, OP_INFO, print, verify } from './ir'
import type { IrType, Value } from './ir'

const VALUE: Readonly<Record<IrType, (b: FunctionBuilder) => Value>> = {
  i32: (b) => b.constant('i32', 0),
  i64: (b) => b.constant('i64', 0),
  f32: (b) => b.constant('f32', 0),
  f64: (b) => b.constant('f64', 0),
  v128: (b) => b.constant128(Array.from({ length: 16 }, (_, i) => i)),
}

function instantiate(functions: readonly FunctionBuilder[]): Readonly<Record<string, (...args: (number | bigint)[]) => number | bigint>> {
  functions.forEach(verify)
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const module = new WebAssembly.Module(encodeModule({ imports: [], functions, exports: functions, names: true }))
  return new WebAssembly.Instance(module, { env: { memory } }).exports as ReturnType<typeof instantiate>
}

describe('the table of operations', () => {
  it('agrees with the WebAssembly engine about every opcode and type', () => {
    const functions = [...OP_INFO.values()].map((info) => {
      const lanes = info.immediates === 'lanes16' ? 16 : info.immediates === 'lane' || info.immediates === 'memory-lane' ? 1 : 0
      const immediates = new Array<number>(lanes).fill(1)
      const result = info.result === 'first' ? 'i32' : info.result
      const b = new FunctionBuilder(info.name, [], result === undefined ? [] : [result])
      const args = info.params.map((type) => VALUE[type ?? 'i32'](b))
      if (result === undefined) b.effect(info.name, args, 0, immediates)
      else b.return(b.op(info.name, args, immediates))
      return b
    })
    expect(functions.length).toBeGreaterThan(440)
    expect(Object.keys(instantiate(functions))).toHaveLength(functions.length)
  })
})

describe('code', () => {
  it('keeps loads in statement order and folds pure values', () => {
    const b = new FunctionBuilder('swap', ['i32'], ['i32'])
    const at = b.param(0)
    const first = b.load('i32.load', at, 0)
    const second = b.load('i32.load', at, 4)
    b.effect('i32.store', [at, second], 0)
    b.effect('i32.store', [at, first], 4)
    b.return(b.op('i32.sub', [b.load('i32.load', at, 0), first]))
    const set = new FunctionBuilder('set', ['i32', 'i32'], [])
    set.effect('i32.store', [set.param(0), set.param(1)])
    const { swap, set: put } = instantiate([b, set])
    put!(8, 5)
    put!(12, 9)
    expect(swap!(8)).toBe(4)
    expect(swap!(8)).toBe(-4)
  })

  it('loops, branches and switches', () => {
    const b = new FunctionBuilder('sum', ['i32'], ['i64'])
    const sum = b.variable('i64')
    const i = b.variable('i32', b.param(0))
    b.block((done) => {
      b.loop((again) => {
        const now = b.get(i)
        b.branch(done, b.op('i32.eqz', [now]))
        // even numbers count twice
        b.switch(b.op('i32.and', [now, b.constant('i32', 1)]), [0, 1, 1], [
          () => b.set(sum, b.op('i64.add', [b.get(sum), b.op('i64.extend_i32_u', [b.op('i32.shl', [now, b.constant('i32', 1)])])])),
          () => b.set(sum, b.op('i64.add', [b.get(sum), b.op('i64.extend_i32_u', [now])])),
        ])
        b.set(i, b.op('i32.sub', [now, b.constant('i32', 1)]))
        b.branch(again)
      })
    })
    b.return(b.get(sum))
    expect(instantiate([b])['sum']!(5)).toBe(BigInt(1 + 4 + 3 + 8 + 5))
  })

  it.each([1, 2, 47, 48, 49, 95, 96, 97, 500])('switches between %i cases, each reached by its targets and left behind the switch', (count) => {
    const b = new FunctionBuilder('pick', ['i32'], ['i32'])
    const picked = b.variable('i32')
    const after = b.variable('i32')
    // targets backwards, and one beyond the end
    const targets = Array.from({ length: count }, (_, i) => count - 1 - i)
    b.switch(b.param(0), targets, targets.map((_, i) => () => b.set(picked, b.op('i32.add', [b.get(picked), b.constant('i32', 1000 + i)]))))
    b.set(after, b.constant('i32', 100_000))
    b.return(b.op('i32.add', [b.get(picked), b.get(after)]))
    const { pick } = instantiate([b])
    for (let i = 0; i < count + 3; i++) expect(pick!(i)).toBe(101_000 + (targets[i] ?? 0))
  })

  it('calls through an imported table, and drops a result that nobody uses', () => {
    const signature = { params: ['i32', 'i64'], results: ['i32'] } as const
    const b = new FunctionBuilder('dispatch', ['i32'], ['i32'])
    b.callIndirect(b.constant('i32', 0), signature, [b.param(0), b.constant('i64', 7)])
    b.return(b.callIndirect(b.constant('i32', 1), signature, [b.param(0), b.constant('i64', 9)]))
    const callee = (name: string, factor: number): FunctionBuilder => {
      const f = new FunctionBuilder(name, ['i32', 'i64'], ['i32'])
      const at = b.constant('i32', 0)
      f.effect('i32.store', [at, f.op('i32.add', [f.load('i32.load', at, 0), f.constant('i32', 1)])])
      f.return(f.op('i32.add', [f.param(0), f.op('i32.mul', [f.op('i32.wrap_i64', [f.param(1)]), f.constant('i32', factor)])]))
      return f
    }
    verify(b)
    expect(print(b)).toContain('%1 = call slot 1:i32: param0 9:i64')
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const regions = new WebAssembly.Table({ element: 'anyfunc', initial: 4 })
    const functions = [callee('one', 1), callee('ten', 10)]
    const members = new WebAssembly.Instance(
      new WebAssembly.Module(encodeModule({ imports: [], functions, exports: functions })),
      { env: { memory } },
    ).exports as Record<string, () => number>
    regions.set(0, members['one']!)
    regions.set(1, members['ten']!)
    const table = { module: 'env', name: 'regions', signatures: [signature] }
    const module = new WebAssembly.Module(encodeModule({ imports: [], functions: [b], exports: [b], table }))
    const { dispatch } = new WebAssembly.Instance(module, { env: { memory, regions } }).exports as ReturnType<typeof instantiate>
    expect(dispatch!(5)).toBe(95)
    expect(new Int32Array(memory.buffer)[0]).toBe(2)
    const untyped = { ...table, signatures: [] }
    expect(() => encodeModule({ imports: [], functions: [b], exports: [b], table: untyped })).toThrow(/does not list/)
  })

  it('encodes constants at the edges', () => {
    for (const n of [0, -1, 63, 64, -64, -65, 0x7fffffff, -0x80000000]) {
      const b = new FunctionBuilder('c', [], ['i32'])
      b.return(b.constant('i32', n))
      expect(instantiate([b])['c']!()).toBe(n)
    }
    for (const n of [0n, -1n, 0x7fffffffffffffffn, -0x8000000000000000n, 0x80000000n, 0xffffffff00000000n]) {
      const b = new FunctionBuilder('c', [], ['i64'])
      b.return(b.constant('i64', n))
      expect(instantiate([b])['c']!()).toBe(BigInt.asIntN(64, n))
    }
  })
})

describe('the verifier', () => {
  const rejects = (build: (b: FunctionBuilder) => void, message: RegExp): void => {
    const b = new FunctionBuilder('bad', ['i32'], ['i32'])
    build(b)
    expect(() => verify(b)).toThrow(message)
  }
  it('rejects wrong types', () => rejects((b) => b.return(b.op('i64.add', [b.param(0), b.param(0)])), /i64 expected, i32 given/))
  it('rejects values used outside the block that defines them', () =>
    rejects((b) => {
      let inner = b.param(0)
      b.if(b.param(0), () => (inner = b.op('i32.clz', [b.param(0)])))
      b.return(inner)
    }, /outside its definition/))
  it('rejects functions that fall off their end', () => rejects((b) => b.if(b.param(0), () => b.return(b.param(0))), /reaches the end/))
  it('rejects branches out of nowhere', () =>
    rejects((b) => {
      b.loop((label) => b.block(() => b.branch(label)))
      b.branch({ statement: 'loop', body: b.body })
    }, /does not enclose/))
  it('rejects indirect calls without a slot', () =>
    rejects((b) => b.return(b.callIndirect(b.constant('i64', 0), { params: [], results: ['i32'] }, [])), /argument 0 of indirect call: i32 expected/))
  it('rejects lanes that do not exist', () => rejects((b) => b.return(b.op('i32x4.extract_lane', [VALUE.v128(b)], [16])), /bad lane/))
})

describe('the text form', () => {
  it('names values, variables and labels', () => {
    const b = new FunctionBuilder('f', ['i32'], ['i32'])
    const v = b.variable('i32')
    b.loop((again) => {
      b.set(v, b.load('i32.load8_u', b.param(0), 12))
      b.branch(again, b.get(v))
    })
    b.return(b.get(v))
    expect(print(b)).toBe(`func f (i32) -> (i32)
  loop @0
    %0 = i32.load8_u param0 +12
    set $0 %0
    %1 = get $0
    branch @0 if %1
  %2 = get $0
  return %2
`)
  })
})
