import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../layout'
import * as S from '../layout-system'
import {
  CODE, CODE16_0, CODE_0, CODE_3, DATA_0, DATA_3, GDT, HANDLERS, IDT, STACK_0, STACK_3, TSS, TestMachine, descriptor, gate, protect, toUser,
} from './test-machine'

const m = new TestMachine()
const HLT = 0xf4
const VM = 0x20000
const IF = 0x200
const RF = 0x10000

/** The vector whose handler of `protect` halted. */
const halted = (): number => (Number(m.vcpu.rip) - 1 - HANDLERS) / 16
const stack = (words: number): number[] => Array.from({ length: words }, (_, i) => m.read32(m.vcpu.gpr32('rsp') + i * 4))

describe('real mode', () => {
  beforeEach(() => {
    m.clear(0, 0x20000)
    m.vcpu.reset()
    m.vcpu.setReal(0x100, 0)
    m.vcpu.setGpr32('rsp', 0x8000)
    for (let vector = 0; vector < 256; vector++) {
      m.write16(vector * 4, 0x2000 + vector)
      m.write16(vector * 4 + 2, 0x50)
      m.write(0x500 + 0x2000 + vector, [HLT])
    }
  })
  it('INT n pushes FLAGS, CS, IP and clears IF and TF; IRET goes back', () => {
    m.vcpu.rflags = 0x202
    m.code(0x1000, [0xcd, 0x42, HLT])
    m.runToHalt()
    expect([m.read16(0x7ffa), m.read16(0x7ffc), m.read16(0x7ffe)]).toEqual([2, 0x100, 0x202])
    expect(m.vcpu.rip).toBe(0x2043n)
    expect(m.vcpu.rflags & IF).toBe(0)
    m.code(0x2543, [0xcf])
    m.runToHalt()
    expect(m.vcpu.rip).toBe(3n)
    expect(m.vcpu.gpr32('rsp')).toBe(0x8000)
    expect(m.vcpu.rflags & IF).toBe(IF)
  })
  it('faults push the address of the instruction, and no error code', () => {
    // div by zero; then a word at FFFFh
    m.code(0x1000, [0x30, 0xc9, 0xf6, 0xf1])
    m.runToHalt()
    expect(m.read16(0x7ffa)).toBe(2)
    expect(m.vcpu.rip).toBe(0x2001n)
    m.vcpu.setReal(0x100, 0)
    m.vcpu.setGpr32('rsp', 0x8000)
    m.code(0x1000, [0xa1, 0xff, 0xff])
    m.runToHalt()
    expect(m.vcpu.rip).toBe(0x200en)
    expect(m.vcpu.gpr32('rsp')).toBe(0x7ffa)
  })
  it('a vector past the IDT limit ends in a triple fault', () => {
    m.vcpu.setTable('idtr', 0, 0)
    m.code(0x1000, [0xcd, 0x42])
    expect(m.run()).toEqual({ kind: 'shutdown', cause: 'triple-fault' })
  })
})

describe('protected mode', () => {
  beforeEach(() => protect(m))

  it('same privilege, with an error code: EFLAGS with RF, CS, EIP, error', () => {
    m.code(CODE, [0x6a, 0x33, 0x1f])
    m.vcpu.setTable('gdtr', GDT, 0x2f)
    m.runToHalt()
    expect(halted()).toBe(13)
    const [error, eip, cs, flags] = stack(4)
    expect([error, eip, cs]).toEqual([0x30, CODE + 2, CODE_0])
    expect(flags! & RF).toBe(RF)
  })

  it('from ring 3 to the stack of the TSS', () => {
    toUser(m, CODE)
    m.vcpu.rflags = IF | 2
    m.code(CODE, [0xcd, 0x80])
    m.runToHalt()
    expect(halted()).toBe(0x80)
    expect(m.vcpu.gpr32('rsp')).toBe(STACK_0 - 20)
    expect(stack(5)).toEqual([CODE + 2, CODE_3, IF | 2, STACK_3, DATA_3])
    expect(m.vcpu.segment('ss').selector).toBe(DATA_0)
    expect(m.vcpu.cpl).toBe(0)
    expect(m.vcpu.rflags & IF).toBe(0)
  })

  it('IRET back to ring 3: IOPL and IF are protected there', () => {
    m.write(HANDLERS + 0x80 * 16, [0xcf])
    toUser(m, CODE)
    m.vcpu.rflags = IF | 2
    // int 80h; pushf; or word [esp], 3000h; popf; cli
    m.code(CODE, [0xcd, 0x80, 0x9c, 0x66, 0x81, 0x0c, 0x24, 0, 0x30, 0x9d, 0xfa])
    m.runToHalt()
    expect(halted()).toBe(13)
    expect(stack(4)).toEqual([0, CODE + 10, CODE_3, IF | RF | 2])
  })

  it('the gate DPL counts for INT n and INT3, not for faults', () => {
    toUser(m, CODE)
    m.code(CODE, [0xcd, 0x20])
    m.runToHalt()
    expect(halted()).toBe(13)
    expect(stack(2)).toEqual([0x20 * 8 + 2, CODE])
    toUser(m, CODE)
    m.code(CODE, [0xcc])
    m.runToHalt()
    expect(halted()).toBe(3)
    expect(stack(1)).toEqual([CODE + 1])
    toUser(m, CODE)
    m.code(CODE, [0xf4])
    m.runToHalt()
    expect(halted()).toBe(13)
  })

  it('a trap gate keeps IF; a 16-bit gate pushes words', () => {
    m.write64(IDT + 0x80 * 8, gate(CODE_0, HANDLERS + 0x80 * 16, 15, 3))
    m.vcpu.rflags = IF | 2
    m.code(CODE, [0xcd, 0x80])
    m.runToHalt()
    expect(m.vcpu.rflags & IF).toBe(IF)
    m.write64(IDT + 0x81 * 8, gate(CODE16_0, 0x600, 6, 3))
    m.write(0x600, [HLT])
    m.vcpu.setGpr32('rsp', STACK_0)
    m.vcpu.setSegment('cs', CODE_0, 0xc09b00, 0, 0xffffffff)
    m.vcpu.rip = CODE
    m.code(CODE, [0xcd, 0x81])
    m.runToHalt()
    expect(m.vcpu.gpr32('rsp')).toBe(STACK_0 - 6)
    expect([m.read16(STACK_0 - 6), m.read16(STACK_0 - 4)]).toEqual([2, CODE_0])
  })

  it.each([
    ['not present', gate(CODE_0, 0, 14) & ~(0x8000n << 32n), 11, 6 * 8 + 3],
    ['wrong type', gate(CODE_0, 0, 12), 13, 6 * 8 + 3],
    ['null selector', gate(0, 0, 14), 13, 1],
    ['data selector', gate(DATA_0, 0, 14), 13, DATA_0 + 1],
    ['selector outside', gate(0xff8, 0, 14), 13, 0xff9],
    ['ring 3 code from ring 0', gate(CODE_3, 0, 14), 13, (CODE_3 & ~3) + 1],
  ])('a bad gate for #UD: %s', (_name, entry, vector, error) => {
    m.write64(IDT + 6 * 8, entry)
    m.code(CODE, [0x0f, 0x0b])
    m.runToHalt()
    expect(halted()).toBe(vector)
    expect(stack(2)).toEqual([error, CODE])
  })

  it('contributory faults make a double fault with error 0', () => {
    m.write64(IDT + 13 * 8, 0n)
    m.code(CODE, [0x6a, 0x77, 0x1f])
    m.runToHalt()
    expect(halted()).toBe(8)
    expect(stack(2)).toEqual([0, CODE + 2])
  })

  it('a page fault while #GP is delivered is served first; while #PF, it is a double fault', () => {
    m.write32(0x100000, 0x101000 | 7)
    for (let page = 0; page < 1024; page++) m.write32(0x101000 + page * 4, page < 0x300 && page !== IDT >> 12 ? (page << 12) | 7 : 0)
    m.vcpu.setControl('cr3', 0x100000)
    m.vcpu.setControl('cr0', 0x80000011)
    m.code(CODE, [0x6a, 0x77, 0x1f])
    // the IDT itself is not mapped: #GP -> #PF -> double fault -> page fault: shutdown
    expect(m.run()).toEqual({ kind: 'shutdown', cause: 'triple-fault' })
  })

  it('CR2 takes the address, also for a fault in the handler of a fault', () => {
    m.write32(0x100000, 0x101000 | 7)
    for (let page = 0; page < 1024; page++) m.write32(0x101000 + page * 4, (page << 12) | 7)
    m.vcpu.setControl('cr3', 0x100000)
    m.vcpu.setControl('cr0', 0x80000011)
    m.code(CODE, [0xa1, 0x78, 0x56, 0x34, 0x12])
    m.runToHalt()
    expect(halted()).toBe(14)
    expect(m.vcpu.control('cr2')).toBe(0x12345678n)
    expect(stack(2)).toEqual([0, CODE])
  })

  it('a bad stack in the TSS is #TS', () => {
    m.write32(TSS + 8, CODE_0)
    toUser(m, CODE)
    m.code(CODE, [0xcd, 0x80])
    // #TS cannot be delivered either (same stack): double fault, then shutdown
    expect(m.run()).toEqual({ kind: 'shutdown', cause: 'triple-fault' })
    expect(m.state32(S.LAST_EXCEPTION_VECTOR)).toBe(10)
    expect(m.state32(S.LAST_EXCEPTION_ERROR)).toBe(CODE_0)
  })
})

describe('external interrupts', () => {
  beforeEach(() => protect(m))
  const request = (vector: number): void => {
    m.interruptVector = vector
    m.vcpu.setInterruptRequest(true)
  }
  it('come when IF is set, and wake from HLT', () => {
    m.vcpu.rflags = 2
    m.code(CODE, [0x90, HLT])
    request(0x40)
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(CODE + 2))
    m.vcpu.rflags = IF | 2
    m.runToHalt()
    expect(halted()).toBe(0x40)
    expect(stack(3)).toEqual([CODE + 2, CODE_0, IF | 2])
  })
  it('STI takes effect after the next instruction', () => {
    request(0x41)
    m.code(CODE, [0xfb, 0x40, 0x40, HLT])
    m.runToHalt()
    expect(halted()).toBe(0x41)
    expect(stack(1)).toEqual([CODE + 2])
  })
  it('MOV SS holds them back for one instruction', () => {
    m.code(CODE, [0x66, 0xb8, DATA_0, 0, 0x8e, 0xd0, 0x40, 0x40])
    m.vcpu.rip = CODE
    m.vcpu.rflags = 2
    m.run(1)
    m.vcpu.rflags = IF | 2
    m.vcpu.setInterruptRequest(false)
    m.run(1)
    request(0x42)
    m.runToHalt()
    expect(halted()).toBe(0x42)
    expect(stack(1)).toEqual([CODE + 7])
  })
  it('NMI comes without IF, and not again before IRET', () => {
    m.vcpu.rflags = 2
    m.write(HANDLERS + 2 * 16, [0x43, HLT, 0xcf])
    m.code(CODE, [0x90, HLT])
    m.vcpu.raiseNmi()
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(HANDLERS + 2 * 16 + 2))
    m.vcpu.raiseNmi()
    // IRET unblocks: the second one comes right after
    m.runToHalt()
    expect(m.vcpu.gpr32('rbx')).toBe(2)
  })
})

describe('virtual-8086 mode', () => {
  beforeEach(() => {
    protect(m)
    // enter by IRETD: EIP CS EFLAGS ESP SS ES DS FS GS
    const order = [0, 0x1000, VM | IF | 2, 0x7000, 0x900, 0x11, 0x22, 0x33, 0x44]
    const sp = STACK_0 - order.length * 4
    order.forEach((value, i) => m.write32(sp + i * 4, value))
    m.vcpu.setGpr32('rsp', sp)
    m.code(CODE, [0xcf])
  })
  it('runs at ring 3 with real-mode segments, and faults into ring 0', () => {
    // mov ax, ds; int 21h: IOPL 0
    m.vcpu.rip = 0x18000
    m.code(0x18000, [0xcf])
    m.code(0x10000, [0x8c, 0xd8, 0xcd, 0x21])
    m.runToHalt()
    expect(halted()).toBe(13)
    expect(m.vcpu.gpr32('rax') & 0xffff).toBe(0x22)
    const frame = stack(10)
    expect(frame).toEqual([0, 2, 0x1000, VM | IF | RF | 2, 0x7000, 0x900, 0x11, 0x22, 0x33, 0x44])
    expect(m.vcpu.segment('ds').selector).toBe(0)
    expect(m.vcpu.rflags & VM).toBe(0)
    expect(m.vcpu.gpr32('rsp')).toBe(STACK_0 - 40)
  })
  it('with IOPL 3, INT n goes through the IDT and PUSHF/POPF/CLI work', () => {
    m.write32(STACK_0 - 28, VM | IF | 0x3000 | 2)
    m.vcpu.rip = 0x18000
    m.code(0x18000, [0xcf])
    m.code(0x10000, [0xfa, 0x9c, 0x58, 0xcd, 0x80])
    m.runToHalt()
    expect(halted()).toBe(0x80)
    expect(m.vcpu.gpr32('rax') & 0xffff).toBe(0x3002)
    expect(stack(1)).toEqual([5])
  })
})

describe('long mode', () => {
  const RSP0 = 0x9000n
  const IST1 = 0xa000n
  const CODE64 = 0x08
  const DATA = 0x10
  const USER64 = 0x1b
  const USER_DATA = 0x23
  beforeEach(() => {
    m.clear(0, 0x40000)
    m.write64(0x100000, 0x101007n)
    m.write64(0x101000, 0x87n)
    const entries = [0n, descriptor(0, 0xfffff, 0x9a, 10), descriptor(0, 0xfffff, 0x92, 12), descriptor(0, 0xfffff, 0xfa, 10), descriptor(0, 0xfffff, 0xf2, 12), descriptor(TSS, 0x67, 0x89, 0), 0n]
    entries.forEach((entry, i) => m.write64(GDT + i * 8, entry))
    for (let vector = 0; vector < 256; vector++) {
      m.write64(IDT + vector * 16, gate(CODE64, HANDLERS + vector * 16, 14, vector === 0x80 ? 3 : 0) | (vector === 8 ? 1n << 32n : 0n))
      m.write(HANDLERS + vector * 16, [HLT])
    }
    m.write64(TSS + 4, RSP0)
    m.write64(TSS + 0x24, IST1)
    m.vcpu.reset()
    m.vcpu.setLong(CODE, 0x100000, { cs: CODE64, ds: DATA, gdt: { base: GDT, limit: 0x37 } })
    m.vcpu.setTable('idtr', IDT, 0xfff)
    m.vcpu.setGpr('rsp', 0x8808n)
    expect(m.call('ltr', 0x28)).toBe(L.STATUS_NEXT)
  })
  const stack64 = (words: number): bigint[] => Array.from({ length: words }, (_, i) => m.read64(m.vcpu.gpr32('rsp') + i * 8))
  const user = (): void => {
    m.vcpu.setSegment('cs', USER64, 0xa0fb00, 0, 0xffffffff)
    m.vcpu.setSegment('ss', USER_DATA, 0xc0f300, 0, 0xffffffff)
    m.vcpu.cpl = 3
    m.vcpu.rip = CODE
    m.vcpu.setGpr('rsp', 0x8808n)
  }

  it('same privilege: the stack is aligned, SS and RSP are always pushed; IRETQ returns', () => {
    m.code(CODE, [0xcd, 0x40, HLT])
    m.runToHalt()
    expect(stack64(5)).toEqual([BigInt(CODE + 2), BigInt(CODE64), 2n, 0x8808n, BigInt(DATA)])
    expect(m.vcpu.gpr('rsp')).toBe(0x8800n - 40n)
    m.write(HANDLERS + 0x40 * 16 + 1, [0x48, 0xcf])
    m.core.core('flush_code')()
    m.runToHalt()
    expect(m.vcpu.gpr('rsp')).toBe(0x8808n)
    expect(m.vcpu.rip).toBe(BigInt(CODE + 3))
  })
  it('from ring 3: RSP0, a null SS', () => {
    user()
    m.code(CODE, [0xcd, 0x80])
    m.runToHalt()
    expect(stack64(5)).toEqual([BigInt(CODE + 2), BigInt(USER64), 2n, 0x8808n, BigInt(USER_DATA)])
    expect(m.vcpu.gpr('rsp')).toBe(RSP0 - 40n)
    expect(m.vcpu.segment('ss').selector).toBe(0)
  })
  it('IST for the double fault', () => {
    m.write64(IDT + 13 * 16, 0n)
    m.code(CODE, [0x48, 0xb8, 0, 0, 0, 0, 0, 0x80, 0, 0, 0x8a, 0x00])
    m.runToHalt()
    expect(halted()).toBe(8)
    expect(m.vcpu.gpr('rsp')).toBe(IST1 - 48n)
    expect(stack64(2)).toEqual([0n, BigInt(CODE + 10)])
  })
  it('SYSCALL, SWAPGS, SYSRET', () => {
    m.vcpu.setMsr('efer', 0x501)
    m.vcpu.setMsr('star', (0x08n << 32n) | (0x13n << 48n))
    m.vcpu.setMsr('lstar', BigInt(CODE + 0x100))
    m.vcpu.setMsr('sfmask', 0x200)
    m.vcpu.setMsr('kernelGsBase', 0xffff800000001000n)
    user()
    m.vcpu.rflags = IF | 2
    m.code(CODE, [0x0f, 0x05, 0xcd, 0x80])
    m.code(CODE + 0x100, [0x0f, 0x01, 0xf8, HLT, 0x0f, 0x01, 0xf8, 0x48, 0x0f, 0x07])
    m.runToHalt()
    expect(m.vcpu.segment('gs').base).toBe('ffff800000001000')
    expect(m.vcpu.gpr('rcx')).toBe(BigInt(CODE + 2))
    expect(m.vcpu.gpr('r11')).toBe(BigInt(IF | 2))
    expect(m.vcpu.rflags & IF).toBe(0)
    m.runToHalt()
    expect(halted()).toBe(0x80)
    expect(stack64(5)).toEqual([BigInt(CODE + 4), 0x23n, BigInt(IF | 2), 0x8808n, 0x1bn])
  })
  it('compatibility mode: far jump into 32-bit code and an interrupt out of it', () => {
    m.write64(GDT + 0x28, 0n)
    m.write64(GDT + 0x30, descriptor(0, 0xfffff, 0x9a, 12))
    // push 30h; push target; retfq
    m.code(CODE, [0x6a, 0x30, 0x68, 0, 2, 1, 0, 0x48, 0xcb])
    m.code(0x10200, [0x40, 0xcd, 0x40])
    m.vcpu.setGpr('rax', 0xffffffffn)
    m.runToHalt()
    expect(halted()).toBe(0x40)
    expect(m.vcpu.gpr32('rax')).toBe(0)
    expect(stack64(2)).toEqual([0x10203n, 0x30n])
  })
  it('entering long mode from protected mode as a boot loader does', () => {
    protect(m)
    m.write64(0x100000, 0x101007n)
    m.write64(0x101000, 0x87n)
    m.write64(GDT + 0x48, descriptor(0, 0xfffff, 0x9a, 10))
    const code = [
      0xb8, 0x20, 0, 0, 0, 0x0f, 0x22, 0xe0, // mov eax, 20h; mov cr4, eax
      0xb8, 0, 0, 0x10, 0, 0x0f, 0x22, 0xd8, // mov eax, 100000h; mov cr3, eax
      0xb9, 0x80, 0, 0, 0xc0, 0x0f, 0x32, 0x0d, 0, 1, 0, 0, 0x0f, 0x30, // EFER.LME
      0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0, // CR0.PG
      0xea, 0, 3, 1, 0, 0x48, 0, // jmp 48h:10300h
    ]
    m.code(CODE, code)
    m.code(0x10300, [0x49, 0xff, 0xc0, HLT])
    m.vcpu.setGpr('r8', 0xffffffffn)
    m.runToHalt()
    expect(m.vcpu.gpr('r8')).toBe(0x100000000n)
    expect(m.state32(L.CODE_MODE)).toBe(2)
    expect(m.vcpu.control('efer')).toBe(0x500n)
  })
})
