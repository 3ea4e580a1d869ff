/** Decoder, handlers, run loop and core together, on hand-assembled code in each mode. */
import { describe, expect, it } from 'vitest'
import { CODE_ADDRESS, STACK_TOP, SnippetMachine } from '../../testing/snippet-machine'
import * as L from '../layout'

const HLT_BYTES = 1
/** A loop of N turns: mov ecx, N; top: inc eax; add edx, eax; dec ecx; jnz top. */
const countingLoop = (turns: number): number[] => [0xb9, turns & 0xff, (turns >> 8) & 0xff, 0, 0, 0xff, 0xc0, 0x01, 0xc2, 0xff, 0xc9, 0x75, 0xf8]

describe('real mode', () => {
  it('moves, adds and halts', () => {
    const m = new SnippetMachine('real')
    // mov ax, 0x1234; mov bx, 0x1111; add ax, bx
    expect(m.runSnippet([0xb8, 0x34, 0x12, 0xbb, 0x11, 0x11, 0x01, 0xd8])).toEqual({ kind: 'halted' })
    expect(m.get('rax')).toBe(0x2345n)
    expect(m.retired).toBe(4)
    expect(m.rip).toBe(CODE_ADDRESS + 8 + HLT_BYTES)
  })

  it('pushes, calls and returns on a 16-bit stack', () => {
    const m = new SnippetMachine('real')
    // call +4; pop cx; jmp +4; mov ax, 7; push ax... : E8 03 00 (call f) ; 8B D8 (mov bx, ax); F4; f: B8 07 00; C3
    m.runSnippet([0xe8, 0x03, 0x00, 0x8b, 0xd8, 0xf4, 0xb8, 0x07, 0x00, 0xc3])
    expect(m.get('rbx')).toBe(7n)
    expect(m.get('rsp')).toBe(BigInt(STACK_TOP))
    expect(m.memory.u32(STACK_TOP - 2) & 0xffff).toBe(CODE_ADDRESS + 3)
  })

  it('delivers divide errors through the vector table', () => {
    const m = new SnippetMachine('real')
    m.memory.writeU32(0, 0x9000) // vector 0: 0000:9000
    m.memory.write(0x9000, [0xb8, 0xad, 0xde, 0xf4]) // mov ax, 0xdead; hlt
    m.runSnippet([0x31, 0xc9, 0xf7, 0xf1]) // xor cx, cx; div cx
    expect(m.get('rax') & 0xffffn).toBe(0xdeadn)
    // pushed: FLAGS, CS, IP of the faulting instruction
    expect(m.memory.u32(STACK_TOP - 6) & 0xffff).toBe(CODE_ADDRESS + 2)
    expect(m.retired).toBe(3)
  })

  it('checks the 64 KiB limit of segments', () => {
    const m = new SnippetMachine('real')
    m.memory.writeU32(13 * 4, 0x9000)
    m.memory.write(0x9000, [0xf4])
    m.runSnippet([0xbb, 0xff, 0xff, 0x8b, 0x07]) // mov bx, 0xffff; mov ax, [bx]
    expect(m.rip).toBe(0x9001)
  })

  it('takes an interrupt after the instruction that raised it', () => {
    let pending = false
    const m: SnippetMachine = new SnippetMachine('real', {
      pioWrite: () => {
        pending = true
        m.setState32(L.ATTENTION, m.state32(L.ATTENTION) | L.ATTENTION_INTR)
      },
      acknowledgeInterrupt: () => {
        m.setState32(L.ATTENTION, m.state32(L.ATTENTION) & ~L.ATTENTION_INTR)
        return pending ? 8 : -1
      },
    })
    m.memory.writeU32(8 * 4, 0x9000)
    m.memory.write(0x9000, [0xbb, 0x01, 0x00, 0xcf]) // mov bx, 1; iret
    m.setState32(L.REG_EFLAGS, 0x202)
    m.runSnippet([0xe6, 0x80, 0x89, 0xd9]) // out 0x80, al; mov cx, bx
    expect(m.get('rcx')).toBe(1n)
  })

  it('runs REP MOVSB', () => {
    const m = new SnippetMachine('real')
    m.memory.write(0x2000, [1, 2, 3, 4, 5])
    // mov si, 0x2000; mov di, 0x3000; mov cx, 5; rep movsb
    m.runSnippet([0xbe, 0x00, 0x20, 0xbf, 0x00, 0x30, 0xb9, 0x05, 0x00, 0xf3, 0xa4])
    expect([...m.memory.bytes(0x3000, 6)]).toEqual([1, 2, 3, 4, 5, 0])
    expect([m.get('rsi'), m.get('rdi'), m.get('rcx')]).toEqual([0x2005n, 0x3005n, 0n])
  })
})

describe('32-bit protected mode', () => {
  it('loops', () => {
    const m = new SnippetMachine('protected32')
    m.runSnippet(countingLoop(1000))
    expect(m.get('rax')).toBe(1000n)
    expect(m.get('rdx')).toBe(500500n)
    expect(m.retired).toBe(1 + 4 * 1000 + 1)
  })

  it('addresses memory with base, scaled index and displacement', () => {
    const m = new SnippetMachine('protected32')
    m.memory.writeU32(0x3000 + 4 * 8 + 0x10, 0xcafe)
    m.set('rbx', 0x3000)
    m.set('rsi', 4)
    m.runSnippet([0x8b, 0x44, 0xf3, 0x10, 0x83, 0x44, 0xf3, 0x10, 0x01]) // mov eax, [ebx+esi*8+0x10]; add dword [ebx+esi*8+0x10], 1
    expect(m.get('rax')).toBe(0xcafen)
    expect(m.memory.u32(0x3030)).toBe(0xcaff)
  })

  it('runs code that rewrites the instruction after it', () => {
    const m = new SnippetMachine('protected32')
    // mov byte [CODE + 8], 2 ; mov eax, 1 (imm at +8)
    m.runSnippet([0xc6, 0x05, 0x08, 0x80, 0x00, 0x00, 0x02, 0xb8, 0x01, 0x00, 0x00, 0x00])
    expect(m.get('rax')).toBe(2n)
  })

  it('decodes an instruction across two pages', () => {
    const m = new SnippetMachine('protected32')
    m.memory.write(0x8ffe, [0xb8, 0x78, 0x56, 0x34, 0x12, 0xf4])
    m.load([])
    m.setState64(L.REG_RIP, 0x8ffen)
    m.engine.run(m.vcpu, 100)
    expect(m.get('rax')).toBe(0x12345678n)
  })

  it('ends in a triple fault without an IDT', () => {
    const m = new SnippetMachine('protected32')
    m.setState64(L.IDTR_LIMIT, 0n)
    expect(m.runSnippet([0x0f, 0x0b])).toEqual({ kind: 'shutdown', cause: 'triple-fault' })
  })
})

describe('64-bit mode', () => {
  it('loops with 64-bit registers', () => {
    const m = new SnippetMachine('long')
    // mov rax, 0x123456789abcdef0; mov r8, rax; add r8, rax; lea rcx, [rax+r8*2+1]
    m.runSnippet([0x48, 0xb8, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0x49, 0x89, 0xc0, 0x49, 0x01, 0xc0, 0x4a, 0x8d, 0x4c, 0x40, 0x01])
    expect(m.get('r8')).toBe(0x2468acf13579bde0n)
    expect(m.get('rcx')).toBe(BigInt.asUintN(64, 0x123456789abcdef0n + 0x2468acf13579bde0n * 2n + 1n))
  })

  it('addresses relative to RIP, and with 32-bit writes clearing the upper half', () => {
    const m = new SnippetMachine('long')
    m.set('rax', -1n)
    // mov eax, [rip+1]; hlt ; data
    m.runSnippet([0x8b, 0x05, 0x01, 0x00, 0x00, 0x00, 0xf4, 0x44, 0x33, 0x22, 0x11])
    expect(m.get('rax')).toBe(0x11223344n)
  })

  it('pushes, calls and returns', () => {
    const m = new SnippetMachine('long')
    // push 5; pop rdx; call +1; hlt; mov eax, 9; ret
    m.runSnippet([0x6a, 0x05, 0x5a, 0xe8, 0x01, 0x00, 0x00, 0x00, 0xf4, 0xb8, 0x09, 0x00, 0x00, 0x00, 0xc3])
    expect(m.get('rdx')).toBe(5n)
    expect(m.get('rax')).toBe(9n)
    expect(m.get('rsp')).toBe(BigInt(STACK_TOP))
  })

  it('counts the same whatever the slices are', () => {
    const whole = new SnippetMachine('long')
    whole.runSnippet(countingLoop(500))
    const sliced = new SnippetMachine('long')
    sliced.load(countingLoop(500))
    let exits = 0
    while (sliced.engine.run(sliced.vcpu, 7).kind === 'deadline') exits++
    expect(exits).toBe(Math.ceil((1 + 4 * 500 + 1) / 7) - 1)
    expect(sliced.retired).toBe(whole.retired)
    expect(sliced.get('rdx')).toBe(whole.get('rdx'))
    expect(sliced.flags).toBe(whole.flags)
  })

  it('returns to the host when asked', () => {
    const m: SnippetMachine = new SnippetMachine('long', {
      pioWrite: () => m.setState32(L.ATTENTION, m.state32(L.ATTENTION) | L.ATTENTION_HOST),
    })
    expect(m.runSnippet([0xe6, 0x80, 0xff, 0xc0])).toEqual({ kind: 'mailbox' })
    expect(m.rip).toBe(CODE_ADDRESS + 2)
    expect(m.engine.run(m.vcpu, 100)).toEqual({ kind: 'halted' })
    expect(m.get('rax')).toBe(1n)
  })
})

describe('the run loop', () => {
  const EFLAGS_IF = 0x200
  const EFLAGS_TF = 0x100
  const HANDLER = 0x9000
  /** Real mode with a handler that counts in BX for a vector. */
  const withHandler = (vector: number, io: ConstructorParameters<typeof SnippetMachine>[1] = {}, handler: readonly number[] = [0x43, 0xcf]): SnippetMachine => {
    const m = new SnippetMachine('real', io)
    m.memory.writeU32(vector * 4, HANDLER)
    m.memory.write(HANDLER, handler)
    return m
  }
  const raise = (m: SnippetMachine, bits: number): void => m.setState32(L.ATTENTION, m.state32(L.ATTENTION) | bits)

  it('takes no interrupt between STI and the instruction after it', () => {
    const m: SnippetMachine = withHandler(8, {
      acknowledgeInterrupt: () => {
        m.setState32(L.ATTENTION, m.state32(L.ATTENTION) & ~L.ATTENTION_INTR)
        return 8
      },
    }, [0x89, 0xc1, 0xcf]) // mov cx, ax; iret
    raise(m, L.ATTENTION_INTR)
    m.runSnippet([0xfb, 0x40, 0x40]) // sti; inc ax; inc ax
    expect(m.get('rcx')).toBe(1n)
    expect(m.get('rax')).toBe(2n)
  })

  it('leaves masked requests pending', () => {
    const m = withHandler(8, { acknowledgeInterrupt: () => 8 })
    raise(m, L.ATTENTION_INTR)
    expect(m.runSnippet([0x40])).toEqual({ kind: 'halted' })
    expect(m.get('rbx')).toBe(0n)
    expect(m.engine.run(m.vcpu, 10)).toEqual({ kind: 'halted' })
  })

  it('wakes from HLT by an interrupt, and goes on behind it', () => {
    let requested = true
    const m: SnippetMachine = withHandler(8, {
      acknowledgeInterrupt: () => {
        requested = false
        m.setState32(L.ATTENTION, m.state32(L.ATTENTION) & ~L.ATTENTION_INTR)
        return 8
      },
    })
    m.setState32(L.REG_EFLAGS, 2 | EFLAGS_IF)
    m.runSnippet([0xf4, 0x40]) // hlt; inc ax
    expect(m.get('rax')).toBe(0n)
    raise(m, L.ATTENTION_INTR)
    expect(m.engine.run(m.vcpu, 100)).toEqual({ kind: 'halted' })
    expect([m.get('rax'), m.get('rbx'), requested]).toEqual([1n, 1n, false])
  })

  it('takes NMIs whatever IF says', () => {
    const m = withHandler(2)
    raise(m, L.ATTENTION_NMI)
    m.runSnippet([0x40])
    expect(m.get('rbx')).toBe(1n)
    expect(m.state32(L.ATTENTION) & L.ATTENTION_NMI).toBe(0)
  })

  it('traps after each instruction while TF is set', () => {
    const m = withHandler(1)
    // pushf; pop ax; or ax, 0x100; push ax; popf; nop; nop; pushf; pop ax; and ax, ~0x100; push ax; popf
    m.runSnippet([0x9c, 0x58, 0x0d, 0x00, 0x01, 0x50, 0x9d, 0x90, 0x90, 0x9c, 0x58, 0x25, 0xff, 0xfe, 0x50, 0x9d])
    // two NOPs and the five after them
    expect(m.get('rbx')).toBe(7n)
    expect(m.flags & EFLAGS_TF).toBe(0)
  })

  it('comes back from a guest that faults forever', () => {
    const m = withHandler(6, {}, [0x0f, 0x0b]) // ud2 handled by ud2
    m.machine.core64('set_segment')(m.vcpu, L.SEG_SS, 0x2000, 0x9300, 0x20000n, 0xffff) // a stack that wraps around by itself
    expect(m.runSnippet([0x0f, 0x0b])).toEqual({ kind: 'mailbox' })
  })

  it('counts unknown opcodes', () => {
    const opcodes: number[] = []
    const m = withHandler(6, { unknownOpcode: (opcode) => opcodes.push(opcode) }, [0xf4])
    m.runSnippet([0x0f, 0x04])
    expect(opcodes).toHaveLength(1)
    expect((opcodes[0] ?? 0) & 0xff).toBe(0x04)
  })
})
