/** Kernels of our own, a few instructions each, entered directly: what each protocol promises them is there. Whole machine, virtual time. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { QueueCharBackend } from '../../backends/chardev/char-backend'
import type { MachineConfig } from '../../machine/config'
import { createMachine } from '../../machine/create-machine'
import { assemble } from '../assembler'

const MOST_INSTRUCTIONS = 40_000_000
const LOAD_ADDRESS = 0x100000

/** For 32-bit and 64-bit code alike: `say` prints the string at ESI, `say_bytes` ECX bytes from ESI. */
const HELPERS = (si: string): string => `
say:
  mov al, [${si}]
  test al, al
  jz .end
  out 0xe9, al
  inc ${si}
  jmp say
.end:
  mov al, '|'
  out 0xe9, al
  ret
say_bytes:
  jecxz .end
.next:
  mov al, [${si}]
  out 0xe9, al
  inc ${si}
  dec ecx
  jnz .next
.end:
  mov al, '|'
  out 0xe9, al
  ret
finish:
  xor eax, eax
  out 0xf4, al
  hlt
`

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-direct-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

/** What the kernel said, once it ended the machine with status 0. */
async function boot(kernel: Uint8Array, options: Partial<MachineConfig> = {}): Promise<string> {
  const said: number[] = []
  const machine = await createMachine(
    {
      engine: 'interpreter', memoryMiB: 16, cpus: 1, cpu: {}, clock: 'instructions', firmware: 'builtin', boot: [], bootMenu: false,
      kernel: await file('kernel', kernel), append: 'one two', modules: [], disks: [], cdroms: [], demo: false, debugExit: true, ...options,
    },
    { serial: [], debugConsole: new QueueCharBackend((byte) => said.push(byte)) },
  )
  try {
    expect(await machine.run(MOST_INSTRUCTIONS)).toEqual({ kind: 'debug-exit', status: 1 })
    return Buffer.from(said).toString('latin1')
  } finally {
    await machine.close()
  }
}

describe('Multiboot', () => {
  const code = `
bits 32
org 0x${LOAD_ADDRESS.toString(16)}
header:
  dd 0x1badb002, 0x10003, -(0x1badb002 + 0x10003)
  dd header, header, 0, bss_end, start
${HELPERS('esi')}
start:
  cmp eax, 0x2badb002
  jne finish
  mov esi, [ebx + 16]
  call say
  mov edi, [ebx + 24]
  mov edx, [ebx + 20]
.module:
  mov esi, [edi]
  mov ecx, [edi + 4]
  sub ecx, esi
  test esi, 0xfff         ; page-aligned, as the header's flag 0 asks
  jnz finish
  call say_bytes
  mov esi, [edi + 8]
  call say
  add edi, 16
  dec edx
  jnz .module
  mov esi, [ebx + 48]     ; first range of the memory map: ends at the EBDA
  cmp dword [esi + 12], 0x9fc00
  jne finish
  cmp dword [bss_end - 4], 0
  jne finish
  mov eax, cr0
  test eax, 0x80000000
  jnz finish
  mov esi, done
  call say
  jmp finish
done: db 'done', 0
bss_end equ $ + 64
`

  it('gets command line, modules with theirs, and a memory map', async () => {
    const modules = [
      { path: await file('first', Buffer.from('module 1')), commandLine: 'a b' },
      { path: await file('second', Buffer.from('module 2')), commandLine: '' },
    ]
    const said = await boot(assemble(code).bytes, { modules })
    expect(said).toMatch(/kernel one two\|module 1\|a b\|module 2\|\|done\|$/)
  }, 20_000)
})

describe('PVH', () => {
  const CODE_OFFSET = 0x100
  /** ELF32 with one segment for code and one for the note that names the entry. */
  function elf(code: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(CODE_OFFSET + code.length)
    const view = new DataView(bytes.buffer)
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
    view.setUint16(16, 2, true)
    view.setUint16(18, 3, true)
    view.setUint32(20, 1, true)
    view.setUint32(28, 52, true)
    view.setUint16(42, 32, true)
    view.setUint16(44, 2, true)
    const header = (at: number, fields: readonly number[]): void => fields.forEach((field, i) => view.setUint32(at + i * 4, field, true))
    header(52, [1, CODE_OFFSET, LOAD_ADDRESS, LOAD_ADDRESS, code.length, code.length + 64, 7, 4096])
    header(84, [4, 0xc0, 0, 0, 20, 20, 4, 4])
    header(0xc0, [4, 4, 18])
    bytes.set(Buffer.from('Xen\0'), 0xcc)
    view.setUint32(0xd0, LOAD_ADDRESS, true)
    bytes.set(code, CODE_OFFSET)
    return bytes
  }
  const code = `
bits 32
org 0x${LOAD_ADDRESS.toString(16)}
  cmp dword [ebx], 0x336ec578
  jne finish
  mov esi, [ebx + 24]
  call say
  mov edx, [ebx + 12]
  mov edi, [ebx + 16]
.module:
  mov esi, [edi]
  mov ecx, [edi + 8]
  call say_bytes
  add edi, 32
  dec edx
  jnz .module
  mov esi, [ebx + 32]     ; RSDP
  mov ecx, 8
  call say_bytes
  mov esi, [ebx + 40]
  cmp dword [esi + 8], 0x9fc00
  jne finish
  mov esi, done
  call say
  jmp finish
done: db 'done', 0
${HELPERS('esi')}
`

  it('gets command line, initrd and module, ACPI root and memory map', async () => {
    const initrd = await file('initrd', Buffer.from('ramdisk'))
    const modules = [{ path: await file('module', Buffer.from('module')), commandLine: '' }]
    expect(await boot(elf(assemble(code).bytes), { initrd, modules })).toBe('one two|ramdisk|module|RSD PTR |done|')
  }, 20_000)
})

describe('Linux bzImage', () => {
  /** Setup of two sectors with protocol 2.15's header; real-mode code behind the header, the two protected entries in the payload. */
  const image = (version: number, xloadflags: number): Uint8Array => {
    const setup = assemble(`
bits 16
org 0
  times 0x1f1 db 0
  db 1                    ; setup_sects
  times 0x1fe - ($ - $$) db 0
  dw 0xaa55
  jmp short real_mode
  db 'HdrS'
  dw ${version}
  times 0x211 - ($ - $$) db 0
  db 1                    ; loadflags: loaded high
  times 0x22c - ($ - $$) db 0
  dd 0x7fffffff           ; initrd_addr_max
  dd 0x1000
  db 1, 0                 ; relocatable
  dw ${xloadflags}
  dd 255                  ; cmdline_size
  times 0x258 - ($ - $$) db 0
  dq 0x200000             ; pref_address
  dd 0x4000               ; init_size
  times 0x26c - ($ - $$) db 0
real_mode:
  pushf
  pop ax
  test ah, 2              ; the protocol enters with interrupts disabled
  jnz .end
  mov ax, cs
  sub ax, 0x20
  mov bx, ds
  cmp ax, bx
  jne .end
  mov bx, ss
  cmp ax, bx
  jne .end
  mov al, 'R'
  out 0xe9, al
  mov eax, [0x228]
  shr eax, 4
  mov ds, ax
  xor si, si
.next:
  lodsb
  test al, al
  jz .end
  out 0xe9, al
  jmp .next
.end:
  xor al, al
  out 0xf4, al
  hlt
  times 0x400 - ($ - $$) db 0
`).bytes
    const body = (letter: string, register: string): string => `
  mov al, '${letter}'
  out 0xe9, al
  mov ebx, esi
  mov esi, [${register}bx + 0x228]
  call say
  mov ecx, [${register}bx + 0x21c]
  mov esi, [${register}bx + 0x218]
  call say_bytes
  cmp byte [${register}bx + 0x1e8], 5
  jb finish
  mov esi, [${register}bx + 0x70]
  mov ecx, 8
  call say_bytes
  jmp finish`
    const protectedEntry = assemble(`bits 32\norg 0x200000\n${body('P', 'e')}\n${HELPERS('esi')}\ntimes 0x200 - ($ - $$) db 0`).bytes
    const longEntry = assemble(`bits 64\norg 0x200200\n${body('L', 'r')}\n${HELPERS('rsi')}`).bytes
    return Buffer.concat([setup, protectedEntry, longEntry, Buffer.alloc(64)])
  }

  it.each([
    ['64-bit where the header has it', 0x20f, 1, undefined, 'Lone two|ramdisk|RSD PTR |'],
    ['32-bit otherwise', 0x20f, 0, undefined, 'Pone two|ramdisk|RSD PTR |'],
    ['32-bit when asked for', 0x20f, 1, 32, 'Pone two|ramdisk|RSD PTR |'],
    ['16-bit before protocol 2.08', 0x203, 0, undefined, 'Rone two'],
    ['16-bit when asked for', 0x20f, 1, 16, 'Rone two'],
  ] as const)('is entered: %s', async (_what, version, xloadflags, linuxEntry, expected) => {
    const initrd = await file('initrd', Buffer.from('ramdisk'))
    expect(await boot(image(version, xloadflags), { initrd, ...(linuxEntry === undefined ? {} : { linuxEntry }) })).toBe(expected)
  }, 20_000)

  it('is refused a 64-bit entry that it lacks, modules, and an initrd that does not fit', async () => {
    await expect(boot(image(0x20f, 0), { linuxEntry: 64 })).rejects.toThrow('no 64-bit entry')
    await expect(boot(image(0x20f, 1), { modules: [{ path: await file('module', Buffer.from('m')), commandLine: '' }] })).rejects.toThrow('--module')
    await expect(boot(image(0x20f, 1), { initrd: await file('initrd', new Uint8Array(15 << 20)) })).rejects.toThrow('do not fit')
  }, 20_000)
})

describe('what is no kernel', () => {
  it.each([
    ['a text', Buffer.from('hello\n'.repeat(200)), 'not a Linux bzImage'],
    ['an ELF file without an entry for us', Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]), Buffer.alloc(100)]), 'program headers'],
    ['nothing', Buffer.alloc(0), 'empty'],
  ])('is refused: %s', async (_what, bytes, message) => {
    await expect(boot(bytes)).rejects.toThrow(message)
  })
})
