/** The translator's seam: the meanings of the interpreter, emitted with constant operands and registers in locals, run. */
import { describe, expect, it } from 'vitest'
import { HelperImports } from '../emit/helper-imports'
import { helperTable } from '../helpers/index'
import type { Form, OperandForm } from '../isa/form'
import * as L from '../layout'
import { semantics } from '../semantics/index'
import { encodeModule } from '../wasm/emit'
import { print, verify } from '../wasm/ir'
import { emitStraightRun } from './constant-binding'
import type { DecodedInstruction } from './constant-binding'

const VCPU = 0x100000
const GUEST = 0x200000
const PAGE = 0x5000
const [RAX, RCX, RDX, RBX, RSP] = [0, 8, 16, 24, 32]

const form = (operation: string, size: Form['size'], operands: readonly OperandForm[], rest: Partial<Form> = {}): Form => ({
  handler: 1, key: operation, operation, variant: 0, size, rep: 0, operands, endsBlock: false, ...rest,
})
const gpr = (bytes: 1 | 2 | 4 | 8, field: 0 | 1 | 2): OperandForm => ({ kind: 'gpr', bytes, field })
const plain: Omit<DecodedInstruction, 'form'> = {
  rip: 0x1000, length: 3, registers: [], base: L.REG_ZERO, index: L.REG_ZERO, scale: 0, displacement: 0, segment: L.SEG_DS, addressShift: 0,
  immediate: 0n, immediate2: 0,
}

class Bench {
  readonly memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true })
  readonly view = new DataView(this.memory.buffer)
  readonly calls: string[] = []

  constructor() {
    const { view } = this
    for (let segment = 0; segment < 6; segment++) {
      const at = VCPU + L.SEGMENTS + segment * L.SEG_BYTES
      view.setBigUint64(at + L.SEG_READ_END, ~0n, true)
      view.setBigUint64(at + L.SEG_WRITE_END, ~0n, true)
    }
    view.setBigUint64(VCPU + L.STACK_MASK, ~0n, true)
    view.setBigUint64(VCPU + L.LINEAR_MASK, ~0n, true)
    view.setInt32(VCPU + L.EXC_VECTOR, -1, true)
    view.setUint32(VCPU + L.TLB_CONTEXT, VCPU + L.TLB, true)
    for (let i = 0; i < L.TLB_CONTEXT_BYTES; i += L.TLB_ENTRY_BYTES) view.setBigUint64(VCPU + L.TLB + i, ~0n, true)
    for (const table of [L.TLB_READ, L.TLB_WRITE]) {
      const entry = VCPU + L.TLB + table + (PAGE >> 12) * L.TLB_ENTRY_BYTES
      view.setBigUint64(entry, BigInt(PAGE), true)
      view.setInt32(entry + 8, GUEST - PAGE, true)
    }
  }

  register(offset: number): bigint {
    return this.view.getBigUint64(VCPU + offset, true)
  }
  setRegister(offset: number, value: bigint): void {
    this.view.setBigUint64(VCPU + offset, value, true)
  }

  run(instructions: readonly DecodedInstruction[]): number {
    const helpers = new HelperImports(helperTable)
    const fn = emitStraightRun('region', instructions.map((decoded) => ({ decoded, meaning: semantics[decoded.form.operation]! })), helpers)
    verify(fn)
    const module = new WebAssembly.Module(encodeModule({ imports: helpers.imports, functions: [fn], exports: [fn], names: true }))
    const core: Record<string, unknown> = {}
    for (const { name } of helpers.imports) {
      core[name] = (vcpu: number, ...args: unknown[]): number | bigint => {
        this.calls.push(`${name} ${args.join(' ')}`)
        if (name === 'read_slow') this.view.setInt32(vcpu + L.EXC_VECTOR, 14, true)
        return name === 'read_slow' ? 0n : L.STATUS_FAULT
      }
    }
    const { region } = new WebAssembly.Instance(module, { env: { memory: this.memory }, core }).exports
    return (region as (vcpu: number) => number)(VCPU)
  }
}

describe('meanings with constant operands', () => {
  it('adds registers of all sizes, high bytes included', () => {
    const bench = new Bench()
    bench.setRegister(RAX, 0x1111_2222_3333_44ffn)
    bench.setRegister(RCX, 0xffff_ffff_0000_0102n)
    const status = bench.run([
      { ...plain, form: form('add', 1, [gpr(1, 0), gpr(1, 1)]), registers: [RAX + 1, RCX] }, // AH += CL
      { ...plain, form: form('add', 4, [gpr(4, 0), gpr(4, 1)]), registers: [RCX, RAX] }, // ECX += EAX clears the upper half
    ])
    expect(status).toBe(L.STATUS_JUMP)
    expect(bench.register(RAX)).toBe(0x1111_2222_3333_46ffn)
    expect(bench.register(RCX)).toBe(0x3333_4801n)
    expect(bench.register(L.REG_NEXT_RIP)).toBe(0x1003n)
  })

  it('modifies memory through the TLB', () => {
    const bench = new Bench()
    bench.setRegister(RBX, BigInt(PAGE + 0x10))
    bench.setRegister(RDX, 4n)
    bench.setRegister(RAX, 5n)
    bench.view.setUint32(GUEST + 0x38, 0xffff_fffe, true)
    const operand = { base: RBX, index: RDX, scale: 3, displacement: 8 }
    bench.run([{ ...plain, ...operand, form: form('add', 4, [{ kind: 'mem', bytes: 4 }, gpr(4, 1)]), registers: [0, RAX] }])
    expect(bench.view.getUint32(GUEST + 0x38, true)).toBe(3)
    expect(bench.view.getUint32(VCPU + L.FLAG_AUX, true) >>> 31).toBe(1)
    expect(bench.calls).toEqual([])
  })

  it('jumps on a condition that an instruction before it set', () => {
    const jcc = { ...plain, form: form('jcc', 8, [{ kind: 'rel' }], { variant: 4, endsBlock: true }), rip: 0x1003, length: 2, immediate: -0x10n }
    const sub = { ...plain, form: form('sub', 8, [gpr(8, 0), gpr(8, 1)]), registers: [RAX, RCX] }
    for (const [rcx, next] of [[7n, 0xff5n], [8n, 0x1005n]] as const) {
      const bench = new Bench()
      bench.setRegister(RAX, 7n)
      bench.setRegister(RCX, rcx)
      expect(bench.run([sub, jcc])).toBe(L.STATUS_JUMP)
      expect(bench.register(L.REG_NEXT_RIP)).toBe(next)
    }
  })

  it('leaves at a faulting load with the registers of the instructions before it', () => {
    const bench = new Bench()
    bench.setRegister(RAX, 1n)
    const status = bench.run([
      { ...plain, form: form('inc', 8, [gpr(8, 0)]), registers: [RAX] },
      { ...plain, form: form('mov', 4, [gpr(4, 0), { kind: 'mem', bytes: 4 }]), registers: [RAX], rip: 0x1003, displacement: 0x9000 },
    ])
    expect(status).toBe(L.STATUS_FAULT)
    expect(bench.register(RAX)).toBe(2n)
    expect(bench.register(L.REG_RIP)).toBe(0x1003n)
    expect(bench.calls).toEqual([`read_slow ${0x9000} 4`])
  })

  it('pushes', () => {
    const bench = new Bench()
    bench.setRegister(RSP, BigInt(PAGE + 0x100))
    bench.setRegister(RAX, 0x1234n)
    bench.run([{ ...plain, form: form('push', 8, [gpr(8, 0)]), registers: [RAX] }])
    expect(bench.register(RSP)).toBe(BigInt(PAGE + 0xf8))
    expect(bench.view.getBigUint64(GUEST + 0xf8, true)).toBe(0x1234n)
  })

  it('has a text form', () => {
    const decoded = { ...plain, form: form('mov', 4, [gpr(4, 0), gpr(4, 1)]), registers: [RAX, RCX] }
    const text = print(emitStraightRun('mov', [{ decoded, meaning: semantics['mov']! }], new HelperImports(helperTable)))
    expect(text).toContain('func mov (i32) -> (i32)')
    expect(text).toContain('i64.store param0')
  })
})
