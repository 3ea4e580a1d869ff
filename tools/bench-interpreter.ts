/** Speed of the interpreter on small loops, in million guest instructions a second. */
import { cpus } from 'node:os'
import { SnippetMachine } from '../src-main/vmm/testing/snippet-machine'
import type { CodeMode } from '../src-main/vmm/testing/snippet-machine'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const TURNS_FOREVER = 0x7fffffff
const SLICE = 5_000_000
const ROUNDS = 30

interface Loop {
  readonly name: string
  readonly mode: CodeMode
  readonly bytes: readonly number[]
  /** Written before each slice, so that pointers stay inside memory. */
  readonly rewind?: (m: SnippetMachine) => void
}

const CRC_TABLE = 0x20000
const CRC_DATA = 0x200000
const crcRegisters = (m: SnippetMachine): void => {
  m.set('rsi', CRC_DATA)
  m.set('rdi', CRC_TABLE)
  m.set('rcx', TURNS_FOREVER)
}
const LOOPS: readonly Loop[] = [
  {
    name: 'counting: inc, add, dec, jnz', mode: 'long',
    // inc eax; add edx, eax; dec ecx; jnz
    bytes: [0xff, 0xc0, 0x01, 0xc2, 0xff, 0xc9, 0x75, 0xf8],
    rewind: crcRegisters,
  },
  {
    name: 'CRC-32: 8 instructions, 2 loads', mode: 'long',
    // movzx eax, byte [rsi]; xor eax, edx; movzx eax, al; shr edx, 8; xor edx, [rdi+rax*4]; inc rsi; dec rcx; jnz
    bytes: [
      0x0f, 0xb6, 0x06, 0x31, 0xd0, 0x0f, 0xb6, 0xc0, 0xc1, 0xea, 0x08, 0x33, 0x14, 0x87, 0x48, 0xff, 0xc6, 0x48, 0xff, 0xc9, 0x75, 0xea,
    ],
    rewind: crcRegisters,
  },
  {
    name: 'CRC-32: 8 instructions, 2 loads', mode: 'protected32',
    // movzx eax, byte [esi]; xor eax, edx; movzx eax, al; shr edx, 8; xor edx, [edi+eax*4]; inc esi; dec ecx; jnz
    bytes: [0x0f, 0xb6, 0x06, 0x31, 0xd0, 0x0f, 0xb6, 0xc0, 0xc1, 0xea, 0x08, 0x33, 0x14, 0x87, 0x46, 0x49, 0x75, 0xee],
    rewind: crcRegisters,
  },
  {
    name: 'calls: push, call, mov, pop, ret, jmp', mode: 'long',
    // top: push rbx; call f; pop rbx; jmp top; f: mov rax, [rsp]; add rax, rbx; ret
    bytes: [0x53, 0xe8, 0x03, 0x00, 0x00, 0x00, 0x5b, 0xeb, 0xf7, 0x48, 0x8b, 0x04, 0x24, 0x48, 0x01, 0xd8, 0xc3],
  },
]

say(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`)
for (const { name, mode, bytes, rewind } of LOOPS) {
  const machine = new SnippetMachine(mode)
  rewind?.(machine)
  machine.load(bytes)
  let best = 0
  for (let round = 0; round < ROUNDS; round++) {
    // the CRC's data pointer moves a byte in each turn
    rewind?.(machine)
    const before = machine.retired
    const start = performance.now()
    machine.engine.run(machine.vcpu, SLICE)
    best = Math.max(best, (machine.retired - before) / (performance.now() - start) / 1000)
  }
  say(`${`${name} (${mode})`.padEnd(60)} ${best.toFixed(0).padStart(5)} MIPS`)
}
