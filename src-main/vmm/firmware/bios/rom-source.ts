/**
 * The built-in BIOS's guest side: reset vector, interrupt entry points, and the few services that must run in the guest. Everything
 * else is carried out on the host: an entry point saves the registers in a frame on the caller's stack and writes the frame's address (SS:SP)
 * to port B4h; the host reads and changes the frame, and the entry point restores the registers from it. So the host needs nothing from
 * the vCPU but memory and ports, whichever engine runs it.
 *
 * Frame, from SS:SP up: progress (2), ES (2), DS (2), EDI ESI EBP ESP EBX EDX ECX EAX (4 each), service (2), IP CS FLAGS (2 each).
 * A progress other than 0 asks to come back: bit 15 says that it may halt until the next interrupt first.
 *
 * Entry addresses that programs of old jump to are kept (IBM Personal Computer AT Technical Reference, section 5).
 */

/** Services beside the interrupt numbers (0..FFh). */
export const SERVICE_POST = 0x100
export const SERVICE_BOOT_MENU = 0x101
export const SERVICE_KEY = 0x109
export const SERVICE_RTC_INTERRUPT = 0x170

/** The port of the call, four bytes wide. B4h..B7h are free on a PC (ports of the PIIX end at B3h, APM). */
export const BIOS_CALL_PORT = 0xb4

/** Places in the ROM that the host fills in. */
export const ROM_FONT_8X16 = 0xa000
export const ROM_FONT_8X14 = 0xb000
export const ROM_FONT_8X8_HIGH = 0xbe00
export const ROM_FONT_8X8_LOW = 0xfa6e
/** Left free for SMBIOS, MP and ACPI anchors. */
export const ROM_TABLES = 0xc200
export const ROM_TABLES_END = 0xe000

const HOST_INTERRUPTS = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x1a]

const stub = (name: string, service: number): string => `${name}: push word 0x${service.toString(16)}\n  jmp host_call\n`

export function romSource(): string {
  const stubs = HOST_INTERRUPTS.map((n) => stub(`int_${n.toString(16)}`, n)).join('')
  return `
bits 16
org 0

; ---- calls to the host ------------------------------------------------------------------------------------------------
host_call:
  pushad
  push ds
  push es
  push word 0
  mov bp, sp
.call:
  mov ax, ss
  shl eax, 16
  mov ax, sp
  out 0xb4, eax
  cmp word [bp], 0
  jne .wait
  add sp, 2
  pop es
  pop ds
  popad
  add sp, 2
  iret
.wait:
  test word [bp], 0x8000
  jz .poll
  sti
  hlt
  cli
  jmp .call
.poll:
  sti
  nop
  cli
  jmp .call

${stubs}
${stub('call_post', SERVICE_POST)}
${stub('call_boot_menu', SERVICE_BOOT_MENU)}
${stub('call_key', SERVICE_KEY)}
${stub('call_rtc', SERVICE_RTC_INTERRUPT)}
${stub('call_boot', 0x19)}

; ---- power-on ---------------------------------------------------------------------------------------------------------
post:
  cli
  cld
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x7000
  pushf
  push cs
  call call_post          ; the host may send us elsewhere (CMOS shutdown code)
  sti
  pushf
  push cs
  call call_boot_menu
  int 0x19
hang:
  sti
  hlt
  jmp hang

int_19:
  cli
  xor ax, ax
  mov ss, ax
  mov esp, 0x7c00
  pushf
  push cs
  call call_boot          ; on success it returns to the boot sector
  jmp hang

; ---- hardware interrupts ----------------------------------------------------------------------------------------------
int_08:
  push ds
  push eax
  push dx
  xor ax, ax
  mov ds, ax
  inc dword [0x46c]
  cmp dword [0x46c], 0x1800b0
  jb .same_day
  mov dword [0x46c], 0
  inc byte [0x470]
.same_day:
  int 0x1c
  mov al, 0x20
  out 0x20, al
  pop dx
  pop eax
  pop ds
  iret

int_09:
  push ds
  push ax
  in al, 0x64
  test al, 1
  jz .end
  in al, 0x60
  mov ah, 0x4f            ; keyboard intercept: may change or swallow the code
  stc
  int 0x15
  jnc .end
  pushf
  push cs
  call call_key           ; AL: scan code; returns AH: what is left to do
  cmp ah, 1
  jne .not_break
  int 0x1b
.not_break:
  cmp ah, 2
  jne .not_print
  int 0x05
.not_print:
  cmp ah, 3
  jne .end
  mov ah, 0x85            ; SysReq, AL: 0 pressed, 1 released
  int 0x15
.end:
  mov al, 0x20
  out 0x20, al
  pop ax
  pop ds
  iret

irq_master:
  push ax
  mov al, 0x20
  out 0x20, al
  pop ax
  iret

irq_slave:
  push ax
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop ax
  iret

; Disk interrupts: acknowledge, and tell those who wait by BDA 40:8Eh.
int_76:
  push ax
  push ds
  xor ax, ax
  mov ds, ax
  mov byte [0x48e], 0xff
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop ds
  pop ax
  iret

; Coprocessor error: clear the latch and go the way of old, by NMI.
int_75:
  push ax
  xor al, al
  out 0xf0, al
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  pop ax
  int 0x02
  iret

; IRQ 9 stands for the old IRQ 2.
int_71:
  push ax
  mov al, 0x20
  out 0xa0, al
  pop ax
  int 0x0a
  iret

int_70:
  push ax
  pushf
  push cs
  call call_rtc           ; AH: 1 when the alarm went off
  mov al, 0x20
  out 0xa0, al
  out 0x20, al
  cmp ah, 1
  jne .end
  int 0x4a
.end:
  pop ax
  iret

; Far-callable window function of VBE: as INT 10h, AX=4F05h.
vbe_window:
  mov ax, 0x4f05
  int 0x10
  retf

; ---- BIOS32 service directory and the PCI BIOS in 32-bit code -----------------------------------------------------------
align 16, db 0
bios32:
  db '_32_'
  dd 0xf0000 + bios32_entry
  db 0, 1, 0
  times 5 db 0

bits 32
bios32_entry:
  pushfd
  cmp eax, 0x49435024     ; '$PCI'
  jne .unknown
  test bl, bl
  jnz .bad_function
  mov ebx, 0xf0000
  mov ecx, 0x10000
  mov edx, pci32_entry
  xor al, al
  popfd
  retf
.unknown:
  mov al, 0x80
  popfd
  retf
.bad_function:
  mov al, 0x81
  popfd
  retf

; PCI BIOS 2.1, sections 2.3 and 2.6. Runs wherever its pages are mapped: relative branches and registers only.
pci32_entry:
  cmp al, 0x01
  je pci32_present
  cmp al, 0x02
  je near pci32_find_device
  cmp al, 0x03
  je near pci32_find_class
  cmp al, 0x08
  jb .unknown
  cmp al, 0x0d
  jbe near pci32_config
.unknown:
  mov ah, 0x81
  stc
  retf

pci32_present:
  mov edx, 0x20494350     ; 'PCI '
  mov ebx, 0x0210
  xor ecx, ecx
  xor edi, edi
  mov eax, 1
  clc
  retf

; EAX = config dword of function BX at register DI. Changes EAX only.
pci32_read:
  push edx
  movzx eax, bx
  shl eax, 8
  push edi
  and edi, 0xfc
  or eax, edi
  pop edi
  or eax, 0x80000000
  mov dx, 0xcf8
  out dx, eax
  mov dx, 0xcfc
  in eax, dx
  pop edx
  ret

; CX device, DX vendor, SI index -> BX
pci32_find_device:
  push ecx
  push edx
  push esi
  push edi
  shl ecx, 16
  mov cx, dx
  xor ebx, ebx
  xor edi, edi
.next:
  call pci32_read
  cmp eax, ecx
  jne .other
  test si, si
  jz .found
  dec si
.other:
  inc bl
  jnz .next
  pop edi
  pop esi
  pop edx
  pop ecx
  mov ax, 0x8602
  stc
  retf
.found:
  pop edi
  pop esi
  pop edx
  pop ecx
  mov ax, 0x0002
  clc
  retf

; ECX class, SI index -> BX
pci32_find_class:
  push ecx
  push esi
  push edi
  and ecx, 0xffffff
  xor ebx, ebx
.next:
  xor edi, edi
  call pci32_read
  inc eax
  jz .other
  mov edi, 8
  call pci32_read
  shr eax, 8
  cmp eax, ecx
  jne .other
  test si, si
  jz .found
  dec si
.other:
  inc bl
  jnz .next
  pop edi
  pop esi
  pop ecx
  mov ax, 0x8603
  stc
  retf
.found:
  pop edi
  pop esi
  pop ecx
  mov ax, 0x0003
  clc
  retf

; AL 08h..0Ah read byte, word, dword; 0Bh..0Dh write. BX function, DI register, (E)CX value.
pci32_config:
  cmp di, 0x100
  jae near .bad_register
  push edx
  push eax
  call pci32_read         ; leaves the address selected
  pop eax
  mov edx, edi
  and edx, 3
  cmp al, 0x08
  je .read8
  cmp al, 0x0b
  je .write8
  test dl, 1
  jnz near .unaligned
  cmp al, 0x09
  je .read16
  cmp al, 0x0c
  je .write16
  test dl, 3
  jnz near .unaligned
  add edx, 0xcfc
  cmp al, 0x0a
  je .read32
  xchg eax, ecx
  out dx, eax
  xchg eax, ecx
  jmp .done
.read32:
  push eax
  in eax, dx
  mov ecx, eax
  pop eax
  jmp .done
.read8:
  add edx, 0xcfc
  push eax
  in al, dx
  mov cl, al
  pop eax
  jmp .done
.write8:
  add edx, 0xcfc
  xchg eax, ecx
  out dx, al
  xchg eax, ecx
  jmp .done
.read16:
  add edx, 0xcfc
  push eax
  in ax, dx
  mov cx, ax
  pop eax
  jmp .done
.write16:
  add edx, 0xcfc
  xchg eax, ecx
  out dx, ax
  xchg eax, ecx
.done:
  pop edx
  xor ah, ah
  clc
  retf
.unaligned:
  pop edx
.bad_register:
  mov ah, 0x87
  stc
  retf
bits 16

; ---- tables -----------------------------------------------------------------------------------------------------------
; INT 15h AH=C0h: model FC (AT), second 8259, RTC, keyboard intercept; no DMA channel 3 use.
system_configuration:
  dw 8
  db 0xfc, 0, 1, 0x74, 0x40, 0, 0, 0

; Video parameters that INT 1Dh points to (CRTC values of the CGA's modes).
video_parameters:
  times 88 db 0

; INT 1Eh: 1.44 MB diskette.
diskette_parameters:
  db 0xaf, 0x02, 0x25, 2, 18, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08

; What the video save pointer (40:A8h) leads to: nothing is overridden.
video_save_pointers:
  times 28 db 0

; INT 10h AH=1Bh: static functionality: all modes, all scan lines, two character blocks.
video_functionality:
  dd 0x000fe0ff
  db 0, 0, 7, 2, 8, 0xff, 0x0e, 0, 0, 0, 0, 0

oem_string: db 'Vitrine VBE', 0
oem_vendor: db 'Vitrine', 0
oem_product: db 'Bochs display interface', 0
oem_revision: db '1', 0

code_end:
  times ${ROM_FONT_8X16} - ($ - $$) db 0xff

; ---- fixed places -----------------------------------------------------------------------------------------------------
  times 0xe05b - ($ - $$) db 0xff
  jmp post
  times 0xe2c3 - ($ - $$) db 0xff
int_02:
  iret
  times 0xe3fe - ($ - $$) db 0xff
  jmp int_13
  times 0xe6f2 - ($ - $$) db 0xff
  jmp int_19
  times 0xe739 - ($ - $$) db 0xff
  jmp int_14
  times 0xe82e - ($ - $$) db 0xff
  jmp int_16
  times 0xe987 - ($ - $$) db 0xff
  jmp int_09
  times 0xec59 - ($ - $$) db 0xff
  jmp int_13
  times 0xef57 - ($ - $$) db 0xff
  jmp irq_master
  times 0xefd2 - ($ - $$) db 0xff
  jmp int_17
  times 0xf065 - ($ - $$) db 0xff
  jmp int_10
  times 0xf841 - ($ - $$) db 0xff
  jmp int_12
  times 0xf84d - ($ - $$) db 0xff
  jmp int_11
  times 0xf859 - ($ - $$) db 0xff
  jmp int_15
  times 0xfe6e - ($ - $$) db 0xff
  jmp int_1a
  times 0xfea5 - ($ - $$) db 0xff
  jmp int_08
  times 0xff53 - ($ - $$) db 0xff
dummy:
  iret
  times 0xfff0 - ($ - $$) db 0xff
  jmp 0xf000:0xe05b
  db '11/22/26', 0, 0xfc, 0
`
}
