import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../layout'
import {
  CODE, CODE_0, DATA_0, FREE, GDT, HANDLERS, IDT, STACK_0, TSS, TSS_SELECTOR, TestMachine, descriptor, gate, protect, toUser,
} from './test-machine'

const m = new TestMachine()
const HLT = 0xf4
const NT = 0x4000
const TF = 0x100
const RF = 0x10000
const halted = (): number => (Number(m.vcpu.rip) - 1 - HANDLERS) / 16
const stack = (words: number): number[] => Array.from({ length: words }, (_, i) => m.read32(m.vcpu.gpr32('rsp') + i * 4))

describe('task switches', () => {
  const NEW_TSS = 0x5000
  const NEW_CODE = CODE + 0x800
  const busy = (selector: number): number => m.read8(GDT + (selector & ~7) + 5) & 2
  beforeEach(() => {
    protect(m)
    m.write64(GDT + FREE, descriptor(NEW_TSS, 0x67, 0x89, 0))
    m.write64(GDT + FREE + 8, gate(FREE, 0, 5, 3))
    m.write32(NEW_TSS + 0x20, NEW_CODE)
    m.write32(NEW_TSS + 0x24, 2)
    for (let i = 0; i < 8; i++) m.write32(NEW_TSS + 0x28 + i * 4, 0x11111111 * (i + 1))
    m.write32(NEW_TSS + 0x28 + 16, STACK_0 + 0x800)
    ;[DATA_0, CODE_0, DATA_0, DATA_0, 0, 0].forEach((selector, i) => m.write32(NEW_TSS + 0x48 + i * 4, selector))
    m.code(NEW_CODE, [HLT, 0xcf, HLT])
  })
  const far = (opcode: number, selector: number): number[] => [opcode, 0, 0, 0, 0, selector & 0xff, selector >> 8]

  it('CALL to a TSS nests; IRET returns', () => {
    m.vcpu.setGpr32('rbx', 0x777)
    m.code(CODE, [...far(0x9a, FREE), HLT])
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(NEW_CODE + 1))
    expect(m.vcpu.gpr32('rax')).toBe(0x11111111)
    expect(m.vcpu.gpr32('rdi')).toBe(0x88888888)
    expect(m.vcpu.rflags & NT).toBe(NT)
    expect(m.read16(NEW_TSS)).toBe(TSS_SELECTOR)
    expect([busy(TSS_SELECTOR), busy(FREE)]).toEqual([2, 2])
    expect(m.read32(TSS + 0x20)).toBe(CODE + 7)
    expect(m.vcpu.control('cr0') & 8n).toBe(8n)
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(CODE + 8))
    expect(m.vcpu.gpr32('rbx')).toBe(0x777)
    expect([busy(TSS_SELECTOR), busy(FREE)]).toEqual([2, 0])
    expect(m.vcpu.rflags & NT).toBe(0)
  })
  it('JMP through a task gate leaves the old task available', () => {
    m.code(CODE, far(0xea, FREE + 8))
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(NEW_CODE + 1))
    expect([busy(TSS_SELECTOR), busy(FREE)]).toEqual([0, 2])
    expect(m.vcpu.rflags & NT).toBe(0)
  })
  it('an exception through a task gate pushes its error code in the new task', () => {
    m.write64(IDT + 13 * 8, gate(FREE, 0, 5))
    m.code(CODE, [0x6a, 0x77, 0x1f])
    m.runToHalt()
    expect(m.vcpu.gpr32('rsp')).toBe(STACK_0 + 0x800 - 4)
    expect(stack(1)).toEqual([0x74])
    expect(m.read32(TSS + 0x20)).toBe(CODE + 2)
  })
  it.each([
    ['busy', () => m.write8(GDT + FREE + 5, 0x8b), 13, FREE],
    ['absent', () => m.write8(GDT + FREE + 5, 0x09), 11, FREE],
    ['too short', () => m.write16(GDT + FREE, 0x66), 10, FREE],
  ] as const)('a %s TSS is refused in the old task', (_name, spoil, vector, error) => {
    spoil()
    m.code(CODE, far(0x9a, FREE))
    m.runToHalt()
    expect(halted()).toBe(vector)
    expect(stack(2)).toEqual([error, CODE])
  })
  it('a bad segment is #TS in the new task', () => {
    m.write32(NEW_TSS + 0x50, CODE_0)
    m.write32(NEW_TSS + 0x48 + 4, CODE_0)
    m.write64(IDT + 10 * 8, gate(TSS_SELECTOR, 0, 5))
    m.code(CODE, [...far(0x9a, FREE), HLT])
    // the handler is the old task: it is busy, so #GP, and with a stack that is not loaded a shutdown follows
    expect(m.run().kind).toBe('shutdown')
    expect(m.vcpu.segment('tr').selector).toBe(FREE)
  })
  it('a 16-bit TSS', () => {
    m.write64(GDT + FREE, descriptor(NEW_TSS, 0x2b, 0x81, 0))
    m.clear(NEW_TSS, 0x68)
    m.write64(GDT + 0x58, descriptor(0, 0xffff, 0x9a, 0))
    m.write16(NEW_TSS + 0x0e, 0x700)
    m.write16(NEW_TSS + 0x10, 2)
    m.write16(NEW_TSS + 0x12, 0x4321)
    ;[DATA_0, 0x58, DATA_0, DATA_0].forEach((selector, i) => m.write16(NEW_TSS + 0x22 + i * 2, selector))
    m.code(0x700, [HLT])
    m.code(CODE, far(0xea, FREE))
    m.runToHalt()
    expect(m.vcpu.rip).toBe(0x701n)
    expect(m.vcpu.gpr32('rax') & 0xffff).toBe(0x4321)
  })
})

describe('I/O permission', () => {
  beforeEach(() => protect(m))
  it('IOPL, then the bitmap', () => {
    toUser(m, CODE)
    m.write16(TSS + 0x66, 0x68)
    m.bytes.fill(0xff, L.RAM_BASE + TSS + 0x68, L.RAM_BASE + TSS + 0x88)
    m.write(TSS + 0x68 + 8, [0b11111100])
    expect(m.call('io_check', 0x40, 2)).toBe(L.STATUS_NEXT)
    expect(m.call('io_check', 0x41, 2)).toBe(L.STATUS_FAULT)
    expect(m.takeFault()).toEqual({ vector: 13, error: 0 })
    // past the limit
    expect(m.call('io_check', 0xf8, 1)).toBe(L.STATUS_FAULT)
    m.takeFault()
    m.vcpu.rflags = 0x3002
    expect(m.call('io_check', 0x41, 2)).toBe(L.STATUS_NEXT)
  })
  it('IN and OUT reach the board', () => {
    m.portValue = 0x12345678
    m.portWrites.length = 0
    m.code(CODE, [0xe5, 0x40, 0x66, 0xba, 0xf8, 3, 0xee, HLT])
    m.runToHalt()
    expect(m.vcpu.gpr32('rax')).toBe(0x12345678)
    expect(m.portWrites).toEqual([[0x3f8, 0x78]])
  })
})

describe('debug exceptions', () => {
  beforeEach(() => protect(m))
  it('single-step: a trap after the instruction, with BS', () => {
    m.vcpu.rflags = TF | 2
    m.code(CODE, [0x40, 0x40, HLT])
    m.runToHalt()
    expect(halted()).toBe(1)
    expect(stack(3)).toEqual([CODE + 1, CODE_0, TF | 2])
    expect(m.vcpu.debug(6) & 0x4000n).toBe(0x4000n)
    expect(m.vcpu.rflags & TF).toBe(0)
  })
  it('POPF that sets TF traps after the next instruction', () => {
    m.code(CODE, [0x68, 2, 1, 0, 0, 0x9d, 0x40, HLT])
    m.runToHalt()
    expect(stack(1)).toEqual([CODE + 7])
  })
  it('an instruction breakpoint is a fault; RF lets it pass', () => {
    m.vcpu.setDebug(0, CODE + 1)
    m.vcpu.setDebug(7, 0x401)
    // handler: set RF in the frame, IRET
    m.write(HANDLERS + 16, [0x43, 0x80, 0x4c, 0x24, 0x0a, 1, 0xcf])
    m.code(CODE, [0x40, 0x40, HLT])
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(CODE + 3))
    expect([m.vcpu.gpr32('rax'), m.vcpu.gpr32('rbx')]).toEqual([2, 1])
    expect(m.vcpu.debug(6) & 15n).toBe(1n)
    expect(m.vcpu.rflags & RF).toBe(0)
  })
  it('data breakpoints: writes, and reads too with R/W 3', () => {
    m.vcpu.setDebug(1, 0x30004)
    m.vcpu.setDebug(7, 0x400 | 4 | (0xd << 20))
    // mov eax,[30004h]; mov [30006h], ax
    m.code(CODE, [0xa1, 4, 0, 3, 0, 0x66, 0xa3, 6, 0, 3, 0, 0x40, HLT])
    m.runToHalt()
    expect(halted()).toBe(1)
    expect(stack(1)).toEqual([CODE + 11])
    expect(m.vcpu.debug(6) & 15n).toBe(2n)
    protect(m)
    m.vcpu.setDebug(1, 0x30004)
    m.vcpu.setDebug(7, 0x400 | 4 | (0xf << 20))
    m.code(CODE, [0xa1, 4, 0, 3, 0, 0x40, HLT])
    m.runToHalt()
    expect(stack(1)).toEqual([CODE + 5])
  })
  it('I/O breakpoints need CR4.DE', () => {
    m.vcpu.setControl('cr4', 8)
    m.vcpu.setDebug(2, 0x80)
    m.vcpu.setDebug(7, 0x400 | 0x10 | (2 << 24))
    m.code(CODE, [0xe6, 0x81, 0xe6, 0x80, 0x40, HLT])
    m.runToHalt()
    expect(halted()).toBe(1)
    expect(stack(1)).toEqual([CODE + 4])
  })
  it('general detect', () => {
    m.vcpu.setDebug(7, 0x2400)
    m.code(CODE, [0x0f, 0x21, 0xc0, HLT])
    m.runToHalt()
    expect(halted()).toBe(1)
    expect(stack(1)).toEqual([CODE])
    expect(m.vcpu.debug(6) & 0x2000n).toBe(0x2000n)
    expect(m.vcpu.debug(7)).toBe(0x400n)
  })
  it('DR4 and DR5 are DR6 and DR7, or #UD with DE; user code may not', () => {
    expect(m.call64('read_dr', 4)).toBe(0xffff0ff0n)
    m.vcpu.setControl('cr4', 8)
    m.call64('read_dr', 4)
    expect(m.takeFault()).toEqual({ vector: 6, error: undefined })
    toUser(m, CODE)
    m.call64('read_dr', 0)
    expect(m.takeFault()).toEqual({ vector: 13, error: 0 })
  })
  it('TF with INT n: the trap comes at the first instruction of the handler', () => {
    toUser(m, CODE)
    m.vcpu.rflags = TF | 2
    m.code(CODE, [0xcd, 0x80])
    m.write(HANDLERS + 0x80 * 16, [0x43, HLT])
    m.core.core('flush_code')()
    m.runToHalt()
    expect([halted(), m.vcpu.segment('cs').selector]).toEqual([1, CODE_0])
  })
})

describe('identification and MSRs', () => {
  beforeEach(() => protect(m))
  it('CPUID: vendor, features that follow state', () => {
    m.code(CODE, [0x31, 0xc0, 0x0f, 0xa2, HLT])
    m.runToHalt()
    const words = (['rbx', 'rdx', 'rcx'] as const).map((name) => m.vcpu.gpr32(name))
    expect(words.map((word) => String.fromCharCode(word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24)).join('')).toBe('AuthenticAMD')
    m.vcpu.setControl('cr4', 0x40000)
    m.vcpu.rip = CODE
    m.code(CODE, [0xb8, 1, 0, 0, 0, 0x0f, 0xa2, HLT])
    m.runToHalt()
    expect(m.vcpu.gpr32('rcx') & (1 << 27)).not.toBe(0)
  })
  it('unknown MSRs are #GP(0) and counted; the PAT and MTRRs are checked', () => {
    const wrmsr = (index: number, value: bigint): number => {
      m.vcpu.setGpr32('rcx', index)
      m.vcpu.setGpr32('rax', Number(value & 0xffffffffn))
      m.vcpu.setGpr32('rdx', Number(value >> 32n))
      return m.call('wrmsr')
    }
    expect(wrmsr(0x277, 0x0007040600070406n)).toBe(L.STATUS_JUMP)
    expect(wrmsr(0x277, 2n)).toBe(L.STATUS_FAULT)
    expect(m.takeFault()).toEqual({ vector: 13, error: 0 })
    expect(wrmsr(0x200, 6n)).toBe(L.STATUS_JUMP)
    expect(wrmsr(0x201, 1n << 45n)).toBe(L.STATUS_FAULT)
    expect(wrmsr(0x12345, 0n)).toBe(L.STATUS_FAULT)
    expect(wrmsr(0xc0000080, 1n << 20n)).toBe(L.STATUS_FAULT)
    expect(wrmsr(0xc0000082, 1n << 60n)).toBe(L.STATUS_FAULT)
    m.takeFault()
    m.vcpu.setGpr32('rcx', 0x200)
    expect(m.call('rdmsr')).toBe(L.STATUS_NEXT)
    expect(m.vcpu.gpr32('rax')).toBe(6)
  })
})
