import { describe, expect, it } from 'vitest'
import { SnippetMachine, CODE_ADDRESS, type CodeMode } from '../../testing/snippet-machine'
import type { HypercallAnswer } from '../engine'
import * as L from '../layout'
import { OPEN_PORTS } from '../layout-system'

const VMCALL = [0x0f, 0x01, 0xc1]
const VMMCALL = [0x0f, 0x01, 0xd9]
const NOP = 0x90
const MODES: readonly CodeMode[] = ['real', 'protected32', 'long']

function machine(mode: CodeMode, answer: HypercallAnswer | ((m: SnippetMachine) => HypercallAnswer)): { readonly m: SnippetMachine; readonly calls: () => number } {
  let calls = 0
  const m: SnippetMachine = new SnippetMachine(mode, {
    hypercall: () => {
      calls++
      return typeof answer === 'string' ? answer : answer(m)
    },
  })
  return { m, calls: () => calls }
}

describe.each(MODES)('hypercalls in %s mode', (mode) => {
  it.each([['VMCALL', VMCALL], ['VMMCALL', VMMCALL]])('%s hands registers over and takes them back', (_, bytes) => {
    const { m, calls } = machine(mode, (it) => {
      it.set('rbx', it.get('rax') + 1n)
      it.set('rax', 0)
      return 'done'
    })
    m.set('rax', 41)
    m.runSnippet([...bytes, NOP])
    expect([m.get('rax'), m.get('rbx'), calls()]).toEqual([0n, 42n, 1])
    expect(m.rip).toBe(CODE_ADDRESS + bytes.length + 2)
  })

  it('hot calls are made from translated code, once each', () => {
    const { m, calls } = machine(mode, (it) => (it.set('rdx', it.get('rdx') + it.get('rcx')), 'done'))
    m.set('rcx', 5000)
    m.set('rdx', 0)
    // again: vmcall; dec; jnz again
    const decrement = mode === 'long' ? [0xff, 0xc9] : [0x49]
    m.runSnippet([...VMCALL, ...decrement, 0x75, 256 - VMCALL.length - decrement.length - 2])
    expect([calls(), m.get('rdx'), m.get('rcx')]).toEqual([5000, (5000n * 5001n) / 2n, 0n])
  })

  it('waits for an interrupt when the hypervisor says so', () => {
    const { m } = machine(mode, 'halt')
    expect(m.runSnippet([...VMMCALL, NOP]).kind).toBe('halted')
    expect(m.rip).toBe(CODE_ADDRESS + VMMCALL.length)
  })
})

it.each([['VMCALL', VMCALL], ['VMMCALL', VMMCALL]])('%s without a hypervisor is #UD', (_, bytes) => {
  const { m, calls } = machine('protected32', 'undefined')
  // no IDT: what is raised ends in a shutdown, at the instruction
  m.setState32(L.IDTR_LIMIT, 0)
  expect(m.runSnippet(bytes).kind).toBe('shutdown')
  expect([calls(), m.rip]).toEqual([1, CODE_ADDRESS])
})

describe('ports that are open to every privilege level', () => {
  const check = (m: SnippetMachine, port: number, bytes: number): number => m.machine.core('io_check')(m.vcpu, port, bytes)
  it('pass, whatever IOPL and the bitmap say; others do not', () => {
    const m = new SnippetMachine('protected32')
    m.setState32(L.CPL, 3)
    expect(check(m, 0x5658, 4)).toBe(L.STATUS_FAULT)
    m.setState32(OPEN_PORTS, 0x5658 | (0x565b << 16))
    expect([check(m, 0x5658, 4), check(m, 0x5659, 1), check(m, 0x5657, 1), check(m, 0x5659, 4), check(m, 0x565c, 1)]).toEqual([
      L.STATUS_NEXT, L.STATUS_NEXT, L.STATUS_FAULT, L.STATUS_FAULT, L.STATUS_FAULT,
    ])
  })
})
