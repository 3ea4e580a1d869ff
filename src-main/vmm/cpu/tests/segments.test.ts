import { beforeEach, describe, expect, it } from 'vitest'
import * as L from '../layout'
import {
  ACCESS_CODE, ACCESS_DATA, CODE, CODE16_0, CODE_0, CODE_3, DATA_0, DATA_3, DPL, FLAGS_16, FLAGS_32, FREE, GDT, LDT, STACK_0, STACK_3, TSS, TestMachine,
  descriptor, gate, protect, toUser,
} from './test-machine'

const m = new TestMachine()
const [ES, CS, SS, DS, , GS] = [0, 1, 2, 3, 4, 5] as const

/** Puts descriptors at FREE, FREE + 8, ... */
const extra = (...entries: readonly bigint[]): void => entries.forEach((entry, i) => m.write64(GDT + FREE + i * 8, entry))
const fault = (vector: number, error: number): void => expect(m.takeFault()).toEqual({ vector, error })

beforeEach(() => protect(m))

describe('segment register loads', () => {
  const table: readonly (readonly [name: string, seg: number, access: number, rpl: number, cpl: number, vector: number | undefined])[] = [
    ['data into DS', DS, ACCESS_DATA, 0, 0, undefined],
    ['read-only data into ES', ES, 0x90, 0, 0, undefined],
    ['readable code into DS', DS, ACCESS_CODE, 0, 0, undefined],
    ['execute-only code into DS', DS, 0x98, 0, 0, 13],
    ['system descriptor into DS', DS, 0x89, 0, 0, 13],
    ['absent data into DS', DS, 0x12, 0, 0, 11],
    ['ring 0 data with RPL 3', DS, ACCESS_DATA, 3, 0, 13],
    ['ring 0 data at ring 3', DS, ACCESS_DATA, 0, 3, 13],
    ['ring 3 data at ring 0', DS, ACCESS_DATA | DPL(3), 3, 0, undefined],
    ['conforming ring 0 code at ring 3', GS, 0x9e, 3, 3, undefined],
    ['data into SS', SS, ACCESS_DATA, 0, 0, undefined],
    ['read-only data into SS', SS, 0x90, 0, 0, 13],
    ['code into SS', SS, ACCESS_CODE, 0, 0, 13],
    ['SS with another RPL', SS, ACCESS_DATA, 1, 0, 13],
    ['SS with another DPL', SS, ACCESS_DATA | DPL(1), 0, 0, 13],
    ['absent SS', SS, 0x12, 0, 0, 12],
  ]
  it.each(table)('%s', (_name, seg, access, rpl, cpl, vector) => {
    extra(descriptor(0x12345678, 0xfff, access, FLAGS_32))
    if (cpl === 3) toUser(m, CODE)
    const status = m.call('load_segment', seg, FREE | rpl)
    if (vector === undefined) {
      expect(status).toBe(L.STATUS_NEXT)
      expect(m.takeFault()).toBeUndefined()
      const loaded = m.vcpu.segment((['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const)[seg]!)
      expect(loaded).toMatchObject({ selector: FREE | rpl, base: '0000000012345678', limit: 0xffffff })
      // the accessed bit is set in memory and in the register
      expect(m.read8(GDT + FREE + 5) & 1).toBe(1)
      expect(loaded.access & 0x100).toBe(0x100)
    } else {
      expect(status).toBe(L.STATUS_FAULT)
      fault(vector, FREE)
    }
  })

  it('selectors outside the table, and null', () => {
    m.call('load_segment', DS, 0x1003)
    fault(13, 0x1000)
    m.call('load_segment', DS, 0x0c)
    fault(13, 0x0c)
    m.call('load_segment', SS, 0)
    fault(13, 0)
    m.call('load_segment', CS, CODE_0)
    expect(m.takeFault()).toEqual({ vector: 6, error: undefined })
    expect(m.call('load_segment', DS, 3)).toBe(L.STATUS_NEXT)
    expect(m.call64('segment_check', DS, 0n, 1, 0)).toBe(L.STATUS_FAULT)
    fault(13, 0)
  })

  it('the LDT', () => {
    extra(descriptor(LDT, 0xf, 0x82, 0))
    m.write64(LDT + 8, descriptor(0x5000, 0xff, ACCESS_DATA, FLAGS_16))
    expect(m.call('lldt', FREE)).toBe(L.STATUS_NEXT)
    expect(m.call('load_segment', DS, 0x0c)).toBe(L.STATUS_NEXT)
    expect(m.vcpu.segment('ds')).toMatchObject({ base: '0000000000005000', limit: 0xff })
    m.call('load_segment', DS, 0x14)
    fault(13, 0x14)
    m.call('lldt', DATA_0)
    fault(13, DATA_0)
  })
})

describe('limits and types', () => {
  const check = (offset: bigint, bytes: number, write: number): number => Number(m.call64('segment_check', DS, offset, bytes, write))
  const load = (limit: number, access: number, flags: number): void => {
    extra(descriptor(0, limit, access, flags))
    m.call('load_segment', DS, FREE)
  }
  it('expand-up', () => {
    load(0xff, ACCESS_DATA, FLAGS_16)
    expect(check(0xffn, 1, 1)).toBe(L.STATUS_NEXT)
    expect(check(0xffn, 2, 0)).toBe(L.STATUS_FAULT)
    fault(13, 0)
  })
  it('expand-down: above the limit, up to 64 KiB or 4 GiB by B', () => {
    load(0xfff, 0x96, FLAGS_16)
    expect(check(0xfffn, 1, 0)).toBe(L.STATUS_FAULT)
    m.takeFault()
    expect(check(0x1000n, 4, 1)).toBe(L.STATUS_NEXT)
    expect(check(0xfffen, 4, 1)).toBe(L.STATUS_FAULT)
    m.takeFault()
    load(0xfff, 0x96, 4)
    expect(check(0xfffffffcn, 4, 1)).toBe(L.STATUS_NEXT)
    expect(check(0xfffffffen, 4, 1)).toBe(L.STATUS_FAULT)
    m.takeFault()
  })
  it('read-only data and code are not written', () => {
    load(0xfffff, 0x90, FLAGS_32)
    expect(check(0n, 4, 0)).toBe(L.STATUS_NEXT)
    expect(check(0n, 4, 1)).toBe(L.STATUS_FAULT)
    m.takeFault()
    load(0xfffff, ACCESS_CODE, FLAGS_32)
    expect(check(0n, 4, 0)).toBe(L.STATUS_NEXT)
    expect(check(0n, 4, 1)).toBe(L.STATUS_FAULT)
    m.takeFault()
  })
  it('code meets them, too: mov [FFh], eax past the limit is #GP, push past SS is #SS', () => {
    load(0xff, ACCESS_DATA, FLAGS_16)
    m.vcpu.rip = CODE
    m.code(CODE, [0xa3, 0xfd, 0, 0, 0, 0xf4])
    m.runToHalt()
    expect(m.vcpu.rip).toBe(BigInt(0x20000 + 13 * 16 + 1))
    protect(m)
    m.code(CODE, [0x50, 0xf4])
    m.vcpu.setSegment('ss', DATA_0, 0x409300, 0, 0xff)
    m.vcpu.setGpr32('rsp', 0x102)
    // the exception cannot be pushed either: #SS, then a double fault, then nothing
    expect(m.run().kind).toBe('shutdown')
  })
})

describe('far transfers', () => {
  /** JMP or CALL selector:offset in 32-bit code. */
  const far = (opcode: 0xea | 0x9a, selector: number, offset: number): number[] => [
    opcode, offset & 0xff, (offset >> 8) & 0xff, (offset >> 16) & 0xff, offset >>> 24, selector & 0xff, selector >> 8,
  ]
  it('to code of the same privilege; into 16-bit code', () => {
    m.code(CODE, far(0x9a, CODE16_0, 0x400))
    m.code(0x400, [0xf4])
    m.runToHalt()
    expect(m.vcpu.rip).toBe(0x401n)
    expect(m.state32(L.CODE_MODE)).toBe(0)
    const sp = m.vcpu.gpr32('rsp')
    expect([m.read32(sp), m.read32(sp + 4)]).toEqual([CODE + 7, CODE_0])
  })

  it.each([
    ['null', 0, 13, 0],
    ['data', DATA_0, 13, DATA_0],
    ['ring 3 code from ring 0', CODE_3, 13, CODE_3 & ~3],
    ['outside', 0x1000, 13, 0x1000],
  ])('%s is refused', (_name, selector, vector, error) => {
    expect(m.call64('far_transfer', selector, 0n, 4, 0)).toBe(L.STATUS_FAULT)
    fault(vector, error)
  })

  it('an offset past the limit is #GP(0)', () => {
    expect(m.call64('far_transfer', CODE16_0, 0x10000n, 4, 0)).toBe(L.STATUS_FAULT)
    fault(13, 0)
  })

  it('conforming code keeps the CPL', () => {
    extra(descriptor(0, 0xfffff, 0x9e, FLAGS_32))
    toUser(m, CODE)
    expect(m.call64('far_transfer', FREE, 0x100n, 4, 0)).toBe(L.STATUS_JUMP)
    expect(m.vcpu.cpl).toBe(3)
    expect(m.vcpu.segment('cs').selector).toBe(FREE | 3)
  })

  it('a 32-bit call gate switches stacks and copies parameters; RETF n goes back', () => {
    extra(gate(CODE_0, CODE + 0x100, 12, 3, 2))
    toUser(m, CODE)
    // push 11h; push 22h; call FREE:0; hlt is privileged, so ring 3 ends with INT 80h
    m.code(CODE, [0x6a, 0x11, 0x6a, 0x22, ...far(0x9a, FREE | 3, 0), 0xcd, 0x80])
    m.code(CODE + 0x100, [0xf4, 0xca, 8, 0])
    m.runToHalt()
    expect(m.vcpu.cpl).toBe(0)
    expect(m.vcpu.gpr32('rsp')).toBe(STACK_0 - 24)
    const frame = [0, 4, 8, 12, 16, 20].map((at) => m.read32(STACK_0 - 24 + at))
    expect(frame).toEqual([CODE + 11, CODE_3, 0x22, 0x11, STACK_3 - 8, DATA_3])
    m.runToHalt()
    // INT 80h from ring 3: RSP is as before the pushes
    expect(m.read32(STACK_0 - 8)).toBe(STACK_3)
    expect(m.read32(STACK_0 - 20)).toBe(CODE + 13)
  })

  it('gates: DPL, presence, and the stack in the TSS', () => {
    extra(gate(CODE_0, CODE, 12, 0), gate(CODE_0, CODE, 12, 3) & ~(0x8000n << 32n), gate(CODE_0, CODE, 12, 3))
    toUser(m, CODE)
    m.call64('far_transfer', FREE | 3, 0n, 4, 1)
    fault(13, FREE)
    m.call64('far_transfer', (FREE + 8) | 3, 0n, 4, 1)
    fault(11, FREE + 8)
    // JMP may not raise the privilege
    m.call64('far_transfer', (FREE + 16) | 3, 0n, 4, 0)
    fault(13, CODE_0)
    m.write32(TSS + 8, 0)
    m.call64('far_transfer', (FREE + 16) | 3, 0n, 4, 1)
    fault(10, 0)
    m.write32(TSS + 8, DATA_3)
    m.call64('far_transfer', (FREE + 16) | 3, 0n, 4, 1)
    fault(10, DATA_3 & ~3)
  })

  it('RETF to ring 3 makes ring 0 data segments null', () => {
    m.vcpu.setSegment('ds', DATA_3, 0xc0f300, 0, 0xffffffff)
    m.code(CODE, [0x6a, DATA_3, 0x68, 0, 0x90, 0, 0, 0x6a, CODE_3, 0x68, 0, 2, 1, 0, 0xcb])
    m.code(0x10200, [0xcd, 0x80])
    m.runToHalt()
    expect(m.vcpu.segment('es').selector).toBe(0)
    expect(m.vcpu.segment('ds').selector).toBe(DATA_3)
    expect(m.read32(STACK_0 - 8)).toBe(STACK_3)
  })
})

describe('queries', () => {
  it('LAR and LSL see what the privilege allows', () => {
    extra(descriptor(0, 0x12345, ACCESS_DATA, FLAGS_32), gate(CODE_0, 0, 14))
    expect(m.call('lar', FREE)).toBe(1)
    expect(m.state32(L.SCRATCH)).toBe(0xc19200)
    expect(m.call('lsl', FREE)).toBe(1)
    expect(m.state32(L.SCRATCH)).toBe(0x12345fff)
    expect(m.call('lar', FREE | 3)).toBe(0)
    expect(m.call('lar', FREE + 8)).toBe(0)
    expect(m.call('lsl', 0)).toBe(0)
    expect(m.call('lar', 0xfff8)).toBe(0)
    expect(m.takeFault()).toBeUndefined()
  })
  it('VERR and VERW', () => {
    extra(descriptor(0, 0, 0x90, 0), descriptor(0, 0, ACCESS_DATA, 0), descriptor(0, 0, 0x98, 0), descriptor(0, 0, ACCESS_CODE, 0))
    const answers = [0, 8, 16, 24].map((at) => [m.call('verify_segment', FREE + at, 0), m.call('verify_segment', FREE + at, 1)])
    expect(answers).toEqual([[1, 0], [1, 1], [0, 0], [1, 0]])
  })
  it('ARPL', () => {
    // mov ax, 8; mov bx, 3; arpl ax, bx; hlt
    m.code(CODE, [0x66, 0xb8, 8, 0, 0x66, 0xbb, 3, 0, 0x63, 0xd8, 0xf4])
    m.runToHalt()
    expect(m.vcpu.gpr32('rax') & 0xffff).toBe(0x0b)
    expect(m.vcpu.rflags & 0x40).toBe(0x40)
  })
})

describe('SYSENTER and SYSCALL', () => {
  it('SYSENTER and SYSEXIT', () => {
    m.vcpu.setMsr('sysenterCs', CODE_0)
    m.vcpu.setMsr('sysenterEsp', STACK_0)
    m.vcpu.setMsr('sysenterEip', CODE + 0x100)
    toUser(m, CODE)
    m.vcpu.setGpr32('rcx', STACK_3 - 64)
    m.vcpu.setGpr32('rdx', CODE + 0x40)
    m.code(CODE, [0x0f, 0x34])
    m.code(CODE + 0x100, [0xf4, 0x0f, 0x35])
    m.runToHalt()
    expect(m.vcpu.cpl).toBe(0)
    expect(m.vcpu.segment('ss')).toMatchObject({ selector: DATA_0, limit: 0xffffffff })
    m.code(CODE + 0x40, [0xcd, 0x80])
    m.runToHalt()
    expect(m.read32(STACK_0 - 8)).toBe(STACK_3 - 64)
    expect(m.read32(STACK_0 - 4)).toBe((DATA_0 + 16) | 3)
  })
  it('SYSCALL in legacy mode loads ECX and clears IF', () => {
    m.vcpu.setMsr('efer', 1)
    m.vcpu.setMsr('star', (BigInt(CODE_0) << 32n) | BigInt(CODE + 0x100))
    toUser(m, CODE)
    m.vcpu.rflags = 0x202
    m.code(CODE, [0x0f, 0x05])
    m.code(CODE + 0x100, [0xf4])
    m.runToHalt()
    expect(m.vcpu.gpr32('rcx')).toBe(CODE + 2)
    expect(m.vcpu.rflags & 0x200).toBe(0)
    expect(m.vcpu.cpl).toBe(0)
  })
})
