/** Guests of a few instructions, assembled by our own assembler: boot sectors and kernels that prove one thing each. */
import { writeFileSync } from 'node:fs'
import { assemble } from '../../../src-main/vmm/firmware/assembler'
import { elf, multibootHeader, PT_LOAD, PT_NOTE, pvhNote } from '../../../src-main/vmm/firmware/direct-boot/images.fixture'

/** A raw disk of one cylinder whose master boot record is this code. */
export function bootSector(path: string, code: string): string {
  const { bytes } = assemble(`bits 16\norg 0x7c00\n${code}\ntimes 510 - ($ - $$) db 0\ndw 0xaa55\n`)
  const disk = new Uint8Array(63 * 16 * 512)
  disk.set(bytes)
  writeFileSync(path, disk)
  return path
}

/** Prints the zero-terminated string at ESI to COM1, byte by byte as it takes them. */
const PRINT = `
print:
  lodsb
  test al, al
  jz .done
  mov ah, al
  mov dx, 0x3fd
.busy:
  in al, dx
  test al, 0x20
  jz .busy
  mov al, ah
  mov dx, 0x3f8
  out dx, al
  jmp print
.done:
  ret
`

/** Soft-off: the PIIX4's PM base from its config space (device 1, function 3, register 40h), SLP_EN with type 0 (S5) into PM1 control. */
export const POWER_OFF = `
power_off:
  mov eax, 0x80000b40
  mov dx, 0xcf8
  out dx, eax
  mov dx, 0xcfc
  in eax, dx
  mov edx, eax
  and edx, 0xffc0
  add edx, 4
  mov ax, 0x2000
  out dx, ax
.stop:
  hlt
  jmp .stop
`

const AT = 0x100000
const MULTIBOOT_HEADER_BYTES = 16

/** A Multiboot 1 ELF: tells its command line and the text of its modules, then switches off. */
export function multibootKernel(path: string): string {
  const { bytes, symbols } = assemble(`bits 32
org ${AT + MULTIBOOT_HEADER_BYTES}
start:
  mov esp, stack
  cmp eax, 0x2badb002
  jne power_off
  mov ebp, ebx
  mov esi, hello
  call print
  mov esi, [ebp + 16]
  call print
  mov ecx, [ebp + 20]
  mov ebx, [ebp + 24]
modules:
  test ecx, ecx
  jz power_off
  mov esi, newline
  call print
  mov esi, [ebx + 8]
  call print
  mov esi, colon
  call print
  mov esi, [ebx]
  mov edi, [ebx + 4]
text:
  cmp esi, edi
  jae next
  lodsb
  mov [one], al
  push esi
  mov esi, one
  call print
  pop esi
  jmp text
next:
  add ebx, 16
  dec ecx
  jmp modules
${PRINT}${POWER_OFF}
hello: db 'multiboot: ', 0
newline: db 10, 0
colon: db ' = ', 0
one: db 0, 0
align 16, db 0
times 256 db 0
stack:
`)
  const image = new Uint8Array(MULTIBOOT_HEADER_BYTES + bytes.length)
  image.set(multibootHeader(3))
  image.set(bytes, MULTIBOOT_HEADER_BYTES)
  writeFileSync(path, elf(32, symbols.get('start') ?? 0, [{ type: PT_LOAD, address: AT, bytes: image, memoryBytes: image.length + 4096 }]))
  return path
}

/** A Multiboot 1 ELF: tells its command line on COM1, then every byte that comes in with its number, until q, which switches off. */
export function echoKernel(path: string): string {
  const { bytes, symbols } = assemble(`bits 32
org ${AT + MULTIBOOT_HEADER_BYTES}
start:
  mov esp, stack
  mov ebp, ebx
  mov esi, hello
  call print
  mov esi, [ebp + 16]
  call print
  mov esi, newline
  call print
again:
  mov dx, 0x3fd
  in al, dx
  test al, 1
  jz again
  mov dx, 0x3f8
  in al, dx
  cmp al, 'q'
  je power_off
  inc byte [number]
  mov [one], al
  mov esi, number
  call print
  jmp again
${PRINT}${POWER_OFF}
hello: db 'echo kernel: ', 0
number: db '0 '
one: db 0
newline: db 13, 10, 0
align 16, db 0
times 256 db 0
stack:
`)
  const image = new Uint8Array(MULTIBOOT_HEADER_BYTES + bytes.length)
  image.set(multibootHeader(3))
  image.set(bytes, MULTIBOOT_HEADER_BYTES)
  writeFileSync(path, elf(32, symbols.get('start') ?? 0, [{ type: PT_LOAD, address: AT, bytes: image, memoryBytes: image.length + 4096 }]))
  return path
}

/** A PVH ELF64: tells its command line and its first module's, then ends by the debug exit port with 21h. */
export function pvhKernel(path: string): string {
  const { bytes, symbols } = assemble(`bits 32
org ${AT}
start:
  mov esp, stack
  cmp dword [ebx], 0x336ec578
  jne failed
  mov ebp, ebx
  mov esi, hello
  call print
  mov esi, [ebp + 24]
  call print
  cmp dword [ebp + 12], 1
  jne failed
  mov esi, newline
  call print
  mov ebx, [ebp + 16]
  mov esi, [ebx + 16]
  call print
  mov al, 0x21
  out 0xf4, al
failed:
  mov al, 0x7f
  out 0xf4, al
.stop:
  hlt
  jmp .stop
${PRINT}
hello: db 'pvh: ', 0
newline: db 10, 0
align 16, db 0
times 256 db 0
stack:
`)
  const entry = symbols.get('start') ?? 0
  writeFileSync(path, elf(64, 0, [{ type: PT_LOAD, address: AT, bytes }, { type: PT_NOTE, address: 0, bytes: pvhNote(entry) }]))
  return path
}
