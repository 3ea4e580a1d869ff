; Demo guest: master boot record. Loads the guest from the sectors behind it by INT 13h and goes there.
; STAGE_SECTORS (from the image builder): how many.
bits 16
org 0x7c00

STAGE equ 0x8000

start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  sti
  cld
  mov [drive], dl
  mov ah, 0x41            ; disk extensions there?
  mov bx, 0x55aa
  int 0x13
  jc failed
  cmp bx, 0xaa55
  jne failed
  mov si, packet
  mov ah, 0x42
  mov dl, [drive]
  int 0x13
  jc failed
  mov dl, [drive]
  jmp 0x0000:STAGE

failed:
  mov si, message
.next:
  lodsb
  test al, al
  jz .stop
  mov ah, 0x0e
  mov bx, 7
  int 0x10
  jmp .next
.stop:
  hlt
  jmp .stop

message: db 'The demo guest cannot be read from this disk.', 13, 10, 0
drive: db 0
align 4, db 0
packet:
  db 16, 0
  dw STAGE_SECTORS
  dw STAGE, 0
  dq 1

  times 440 - ($ - $$) db 0
  dd 0x56545231           ; disk signature
  dw 0
; One partition over the guest, of type DAh (no file system).
  db 0x80, 0, 2, 0, 0xda, 0x20, 0x20, 0
  dd 1, 2047
  times 510 - ($ - $$) db 0
  dw 0xaa55
