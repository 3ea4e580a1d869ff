/** Small loops on the bare interpreter: no board, no devices, nothing but instructions. */
import { SnippetMachine, type CodeMode } from '../../src-main/vmm/testing/snippet-machine'

const TURNS_FOREVER = 0x7fffffff
const SLICE = 5_000_000
const CRC_TABLE = 0x20000
const CRC_DATA = 0x200000

interface Loop {
  readonly name: string
  readonly mode: CodeMode
  readonly bytes: readonly number[]
}

export const LOOPS: readonly Loop[] = [
  {
    name: 'integer loop: inc, add, dec, jnz', mode: 'long',
    // inc eax; add edx, eax; dec ecx; jnz
    bytes: [0xff, 0xc0, 0x01, 0xc2, 0xff, 0xc9, 0x75, 0xf8],
  },
  {
    name: 'CRC-32 loop: 8 instructions, 2 loads', mode: 'long',
    // movzx eax, byte [rsi]; xor eax, edx; movzx eax, al; shr edx, 8; xor edx, [rdi+rax*4]; inc rsi; dec rcx; jnz
    bytes: [0x0f, 0xb6, 0x06, 0x31, 0xd0, 0x0f, 0xb6, 0xc0, 0xc1, 0xea, 0x08, 0x33, 0x14, 0x87, 0x48, 0xff, 0xc6, 0x48, 0xff, 0xc9, 0x75, 0xea],
  },
  {
    name: 'CRC-32 loop: 8 instructions, 2 loads', mode: 'protected32',
    // movzx eax, byte [esi]; xor eax, edx; movzx eax, al; shr edx, 8; xor edx, [edi+eax*4]; inc esi; dec ecx; jnz
    bytes: [0x0f, 0xb6, 0x06, 0x31, 0xd0, 0x0f, 0xb6, 0xc0, 0xc1, 0xea, 0x08, 0x33, 0x14, 0x87, 0x46, 0x49, 0x75, 0xee],
  },
  {
    name: 'call loop: push, call, mov, add, ret, pop, jmp', mode: 'long',
    // top: push rbx; call f; pop rbx; jmp top; f: mov rax, [rsp]; add rax, rbx; ret
    bytes: [0x53, 0xe8, 0x03, 0x00, 0x00, 0x00, 0x5b, 0xeb, 0xf7, 0x48, 0x8b, 0x04, 0x24, 0x48, 0x01, 0xd8, 0xc3],
  },
]

/** Best of `rounds`, in million instructions a second: what else runs on the machine can only slow a round down. */
export function loopMips({ mode, bytes }: Loop, rounds: number): number {
  const machine = new SnippetMachine(mode)
  const rewind = (): void => {
    // the CRC's data pointer moves a byte in each turn: it must stay inside memory
    machine.set('rsi', CRC_DATA)
    machine.set('rdi', CRC_TABLE)
    machine.set('rcx', TURNS_FOREVER)
  }
  rewind()
  machine.load(bytes)
  let best = 0
  for (let round = 0; round < rounds; round++) {
    rewind()
    const before = machine.retired
    const start = performance.now()
    machine.engine.run(machine.vcpu, SLICE)
    best = Math.max(best, (machine.retired - before) / (performance.now() - start) / 1000)
  }
  return best
}
