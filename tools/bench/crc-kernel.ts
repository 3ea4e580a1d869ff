/** A Multiboot kernel that runs the CRC-32 loop so many times and ends by port F4h: the same file for Vitrine and for QEMU. */
import { writeFileSync } from 'node:fs'
import { assemble } from '../../src-main/vmm/firmware/assembler'
import { elf, multibootHeader, PT_LOAD } from '../../src-main/vmm/firmware/direct-boot/images.fixture'

const AT = 0x100000
const HEADER_BYTES = 16
const BYTES_A_PASS = 1 << 22
const INSTRUCTIONS_A_BYTE = 8
export const INSTRUCTIONS_A_PASS: number = BYTES_A_PASS * INSTRUCTIONS_A_BYTE

export function writeCrcKernel(path: string, passes: number): void {
  const { bytes } = assemble(`bits 32
org ${AT + HEADER_BYTES}
  mov ebx, ${passes}
  mov edi, 0x300000
pass:
  test ebx, ebx
  jz done
  mov esi, 0x400000
  mov ecx, ${BYTES_A_PASS}
turn:
  movzx eax, byte [esi]
  xor eax, edx
  movzx eax, al
  shr edx, 8
  xor edx, [edi + eax * 4]
  inc esi
  dec ecx
  jnz turn
  dec ebx
  jmp pass
done:
  mov al, 0
  out 0xf4, al
.stop:
  hlt
  jmp .stop
`)
  const image = new Uint8Array(HEADER_BYTES + bytes.length)
  image.set(multibootHeader(3))
  image.set(bytes, HEADER_BYTES)
  writeFileSync(path, elf(32, AT + HEADER_BYTES, [{ type: PT_LOAD, address: AT, bytes: image }]))
}
