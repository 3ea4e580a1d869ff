; Demo guest of Vitrine: a small system of our own that shows what the machine can do. It runs in real mode on BIOS services, keeps a console
; on the screen and on COM1 alike, draws in graphics modes, and sleeps with HLT whenever nothing happens.
bits 16
org 0x8000

COM1 equ 0x3f8
SCRATCH_LBA equ 1024       ; sector that the disk command counts in
SECTOR equ 0x6000          ; buffer for it
ROW_BUFFER equ 0x6400      ; one line of pixels
WAVE equ 0x6800            ; 256 bytes of a wave
FIRST_ROW equ 2
LAST_ROW equ 24
TEXT_COLOUR equ 0x07
BAR_COLOUR equ 0x1f

start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x7c00
  cld
  mov [drive], dl
  mov word [0x1c * 4], timer_tick
  mov word [0x1c * 4 + 2], 0
  mov word [0x0c * 4], serial_interrupt
  mov word [0x0c * 4 + 2], 0
  call serial_start
  sti
  call make_wave
  call show_text
  mov si, welcome
  call print

main:
  mov si, prompt
  call print
  call read_line
  call run_command
  jmp main

; ---- interrupts ---------------------------------------------------------------------------------------------------------
timer_tick:
  push ds
  push ax
  xor ax, ax
  mov ds, ax
  inc dword [ticks]
  pop ax
  pop ds
  iret

; COM1 received something: into the ring.
serial_interrupt:
  push ds
  push ax
  push bx
  push dx
  xor ax, ax
  mov ds, ax
.more:
  mov dx, COM1 + 5
  in al, dx
  test al, 1
  jz .done
  mov dx, COM1
  in al, dx
  mov bl, [ring_tail]
  xor bh, bh
  mov [ring + bx], al
  inc bl
  and bl, 63
  cmp bl, [ring_head]
  je .more                ; full: the byte is lost
  mov [ring_tail], bl
  jmp .more
.done:
  mov dx, COM1 + 2
  in al, dx
  mov al, 0x20
  out 0x20, al
  pop dx
  pop bx
  pop ax
  pop ds
  iret

serial_start:
  mov dx, COM1 + 1
  xor al, al
  out dx, al
  mov dx, COM1 + 3
  mov al, 0x80
  out dx, al
  mov dx, COM1
  mov al, 1               ; 115200 baud
  out dx, al
  mov dx, COM1 + 1
  xor al, al
  out dx, al
  mov dx, COM1 + 3
  mov al, 3               ; 8N1
  out dx, al
  mov dx, COM1 + 2
  mov al, 0x07
  out dx, al
  mov dx, COM1 + 4
  mov al, 0x0b            ; DTR, RTS, interrupts through
  out dx, al
  mov dx, COM1 + 1
  mov al, 1               ; interrupt when something arrived
  out dx, al
  in al, 0x21
  and al, 0xef
  out 0x21, al
  ret

; ---- waiting ------------------------------------------------------------------------------------------------------------
; Waits for a key or a byte from COM1. AL: character (0 for keys without), AH: scan code (0 from COM1). Sleeps meanwhile.
wait_input:
  cli
  mov bl, [ring_head]
  cmp bl, [ring_tail]
  jne .serial
  mov bx, [0x41a]
  cmp bx, [0x41c]
  jne .key
  mov eax, [ticks]
  cmp eax, [ticks_seen]
  jne .tick
  sti
  hlt
  jmp wait_input
.tick:
  mov [ticks_seen], eax
  sti
  call on_tick
  jmp wait_input
.serial:
  xor bh, bh
  mov al, [ring + bx]
  inc bl
  and bl, 63
  mov [ring_head], bl
  sti
  xor ah, ah
  ret
.key:
  sti
  mov ah, 0x10
  int 0x16
  cmp al, 0xe0
  jne .plain
  xor al, al
.plain:
  ret

; Every 55 ms: the pictures move, or the status line counts.
on_tick:
  cmp byte [screen], 1
  je near rotate_palette
  cmp byte [screen], 2
  je near move_square
  jmp status_line

; ---- console ------------------------------------------------------------------------------------------------------------
; AL to the screen and to COM1.
putc:
  push ax
  cmp al, 10
  jne .plain
  mov al, 13
  call serial_out
  mov al, 10
.plain:
  call serial_out
  pop ax
  cmp byte [screen], 0
  je near screen_out
  ret

serial_out:
  push dx
  push cx
  push ax
  mov cx, 0xffff
  mov dx, COM1 + 5
.wait:
  in al, dx
  test al, 0x20
  loopz .wait
  pop ax
  mov dx, COM1
  out dx, al
  pop cx
  pop dx
  ret

screen_out:
  pusha
  push es
  cmp al, 10
  je .newline
  cmp al, 13
  je .return
  cmp al, 8
  je .back
  mov dl, al
  call cell_address
  mov al, dl
  mov ah, TEXT_COLOUR
  mov bx, 0xb800
  mov es, bx
  stosw
  inc byte [column]
  cmp byte [column], 80
  jb .cursor
.newline:
  mov byte [column], 0
  inc byte [row]
  cmp byte [row], LAST_ROW
  jbe .cursor
  mov byte [row], LAST_ROW
  mov ax, 0x0601
  mov bh, TEXT_COLOUR
  mov cx, FIRST_ROW * 256
  mov dx, LAST_ROW * 256 + 79
  int 0x10
  jmp .cursor
.return:
  mov byte [column], 0
  jmp .cursor
.back:
  cmp byte [column], 0
  je .cursor
  dec byte [column]
.cursor:
  mov dh, [row]
  mov dl, [column]
  xor bh, bh
  mov ah, 2
  int 0x10
  pop es
  popa
  ret

; DI: offset of the cursor's cell.
cell_address:
  mov al, [row]
  mov ah, 160
  mul ah
  mov di, ax
  mov al, [column]
  xor ah, ah
  add di, ax
  add di, ax
  ret

; SI: zero-terminated text.
print:
  lodsb
  test al, al
  jz .end
  call putc
  jmp print
.end:
  ret

print_newline:
  mov al, 10
  jmp putc

; EAX in decimal.
print_number:
  pushad
  xor cx, cx
  mov ebx, 10
.divide:
  xor edx, edx
  div ebx
  push dx
  inc cx
  test eax, eax
  jnz .divide
.digits:
  pop ax
  add al, '0'
  call putc
  loop .digits
  popad
  ret

; EAX in hexadecimal, CL digits.
print_hex:
  pushad
  movzx ecx, cl
  mov edx, eax
  mov ch, 8
  sub ch, cl
  shl ch, 2
  xchg cl, ch
  shl edx, cl
  xchg cl, ch
  xor ch, ch
.next:
  rol edx, 4
  mov al, dl
  and al, 15
  cmp al, 10
  jb .digit
  add al, 'a' - '0' - 10
.digit:
  add al, '0'
  call putc
  loop .next
  popad
  ret

; AL: a byte in BCD.
print_bcd:
  push ax
  mov ah, al
  shr al, 4
  add al, '0'
  call putc
  mov al, ah
  and al, 15
  add al, '0'
  call putc
  pop ax
  ret

; A line into `line`, zero-terminated, with echo and backspace.
read_line:
  mov di, line
.next:
  call wait_input
  cmp al, 13
  je .end
  cmp al, 10
  je .feed
  mov byte [after_return], 0
  cmp al, 8
  je .back
  cmp al, 127
  je .back
  cmp al, 32
  jb .next
  cmp di, line + 78
  jae .next
  stosb
  call putc
  jmp .next
.back:
  cmp di, line
  je .next
  dec di
  mov al, 8
  call putc
  mov al, ' '
  call putc
  mov al, 8
  call putc
  jmp .next
.feed:
  cmp byte [after_return], 0  ; the second half of CR LF
  mov byte [after_return], 0
  jne .next
  jmp .finish
.end:
  mov byte [after_return], 0
  test ah, ah
  jnz .finish
  mov byte [after_return], 1
.finish:
  xor al, al
  stosb
  jmp print_newline

; ---- commands -----------------------------------------------------------------------------------------------------------
; Looks the first word of `line` up. Handlers get SI: the rest of the line.
run_command:
  mov si, line
  call skip_blanks
  cmp byte [si], 0
  je .none
  mov bx, commands
.try:
  mov di, [bx]
  test di, di
  jz .unknown
  push si
.compare:
  mov al, [di]
  test al, al
  jz .ended
  cmp al, [si]
  jne .different
  inc si
  inc di
  jmp .compare
.ended:
  mov al, [si]
  cmp al, ' '
  je .found
  test al, al
  je .found
.different:
  pop si
  add bx, 4
  jmp .try
.found:
  add sp, 2
  call skip_blanks
  jmp [bx + 2]
.unknown:
  push si
  mov si, unknown_text
  call print
  pop si
  call print
  mov si, unknown_end
  jmp print
.none:
  ret

skip_blanks:
  cmp byte [si], ' '
  jne .end
  inc si
  jmp skip_blanks
.end:
  ret

command_help:
  mov si, help_text
  jmp print

command_echo:
  call print
  jmp print_newline

command_time:
  mov si, ticks_text
  call print
  mov eax, [ticks]
  call print_number
  mov si, clock_text
  call print
  mov ah, 4
  int 0x1a
  push dx
  mov al, ch
  call print_bcd
  mov al, cl
  call print_bcd
  mov al, '-'
  call putc
  pop dx
  mov al, dh
  call print_bcd
  mov al, '-'
  call putc
  mov al, dl
  call print_bcd
  mov al, ' '
  call putc
  mov ah, 2
  int 0x1a
  mov al, ch
  call print_bcd
  mov al, ':'
  call putc
  mov al, cl
  call print_bcd
  mov al, ':'
  call putc
  mov al, dh
  call print_bcd
  jmp print_newline

; The BIOS's memory map: start, bytes, type.
command_mem:
  xor ebx, ebx
.next:
  mov eax, 0xe820
  mov edx, 0x534d4150
  mov ecx, 20
  mov di, SECTOR
  int 0x15
  jc .end
  cmp eax, 0x534d4150
  jne .end
  push ebx
  mov eax, [SECTOR + 4]
  mov cl, 8
  call print_hex
  mov eax, [SECTOR]
  call print_hex
  mov al, ' '
  call putc
  mov eax, [SECTOR + 12]
  call print_hex
  mov eax, [SECTOR + 8]
  call print_hex
  mov al, ' '
  call putc
  mov eax, [SECTOR + 16]
  call print_number
  call print_newline
  pop ebx
  test ebx, ebx
  jnz .next
.end:
  mov si, memory_text
  call print
  mov ax, 0xe801
  int 0x15
  movzx eax, cx
  movzx edx, dx
  shl edx, 6
  add eax, edx
  shr eax, 10
  inc eax
  call print_number
  mov si, mebibytes_text
  jmp print

; Counts in a sector of the disk: read, change, write, read again, compare.
command_disk:
  mov ah, 0x42
  call transfer
  jc .failed
  call checksum
  push eax
  mov si, read_text
  call print
  pop eax
  mov cl, 8
  call print_hex
  inc dword [SECTOR]
  mov eax, [ticks]
  mov [SECTOR + 4], eax
  call checksum
  push eax
  mov ax, 0x4300
  call transfer
  pop edx
  jc .failed
  push edx
  mov di, SECTOR
  mov cx, 128
  xor eax, eax
  rep stosd
  mov ah, 0x42
  call transfer
  pop edx
  jc .failed
  call checksum
  cmp eax, edx
  jne .differs
  mov si, written_text
  call print
  mov eax, edx
  mov cl, 8
  call print_hex
  mov si, times_text
  call print
  mov eax, [SECTOR]
  call print_number
  jmp print_newline
.differs:
  mov si, differs_text
  jmp print
.failed:
  mov si, failed_text
  jmp print

; AX: INT 13h function. One sector at SCRATCH_LBA.
transfer:
  mov si, packet
  mov dl, [drive]
  int 0x13
  ret

; EAX: sum of the sector's dwords, rotated so that their order counts.
checksum:
  push si
  push cx
  push edx
  mov si, SECTOR
  mov cx, 128
  xor edx, edx
.next:
  lodsd
  rol edx, 1
  add edx, eax
  loop .next
  mov eax, edx
  pop edx
  pop cx
  pop si
  ret

; The first ATA disk's model, read from the controller itself.
command_ide:
  mov dx, 0x1f6
  mov al, 0xa0
  out dx, al
  mov dx, 0x1f7
  mov al, 0xec
  out dx, al
  mov cx, 0xffff
.wait:
  in al, dx
  test al, 0x80
  jnz .again
  test al, 0x01
  jnz .none
  test al, 0x08
  jnz .ready
.again:
  loop .wait
.none:
  mov si, no_disk_text
  jmp print
.ready:
  mov dx, 0x1f0
  mov di, SECTOR
  mov cx, 256
  rep insw
  mov si, SECTOR + 54
  mov cx, 20
.swap:
  mov ax, [si]
  xchg al, ah
  mov [si], ax
  add si, 2
  loop .swap
  mov byte [SECTOR + 94], 0
  mov di, SECTOR + 93
.trim:                    ; the model is filled up with blanks
  cmp byte [di], ' '
  jne .trimmed
  mov byte [di], 0
  dec di
  jmp .trim
.trimmed:
  mov si, model_text
  call print
  mov si, SECTOR + 54
  call print
  mov si, sectors_text
  call print
  mov eax, [SECTOR + 120]
  call print_number
  jmp print_newline

; Shows keys until Esc.
command_keys:
  mov si, keys_text
  call print
.next:
  call wait_input
  push ax
  movzx eax, ah
  mov cl, 2
  call print_hex
  mov al, ':'
  call putc
  pop ax
  push ax
  movzx eax, al
  mov cl, 2
  call print_hex
  mov al, ' '
  call putc
  pop ax
  push ax
  cmp al, 33
  jb .unprintable
  cmp al, 126
  ja .unprintable
  call putc
.unprintable:
  call print_newline
  pop ax
  cmp al, 27
  jne .next
  ret

command_reboot:
  mov si, reboot_text
  call print
  mov al, 0xfe
  out 0x64, al
.wait:
  hlt
  jmp .wait

; Soft-off: PM1 control register of the PIIX4, at the base in its config space + 4. SLP_TYP 0 is S5.
command_off:
  mov ax, 0xb102
  mov cx, 0x7113
  mov dx, 0x8086
  xor si, si
  int 0x1a
  jc .none
  mov ax, 0xb109
  mov di, 0x40
  int 0x1a
  jc .none
  mov si, off_text
  call print
  mov dx, cx
  and dx, 0xffc0
  add dx, 4
  in ax, dx
  and ax, 0xe3ff
  or ax, 0x2000
  out dx, ax
.wait:
  hlt
  jmp .wait
.none:
  mov si, no_power_text
  jmp print

; ---- screens ------------------------------------------------------------------------------------------------------------
command_text:
  cmp byte [screen], 0
  je .already
  call show_text
.already:
  ret

show_text:
  mov ax, 3
  int 0x10
  mov byte [screen], 0
  mov byte [row], FIRST_ROW
  mov byte [column], 0
  push es
  mov ax, 0xb800
  mov es, ax
  xor di, di
  mov cx, 80
  mov ax, BAR_COLOUR * 256 + ' '
  rep stosw
  mov di, 2
  mov si, title
  mov ah, BAR_COLOUR
.title:
  lodsb
  test al, al
  jz .line
  stosw
  jmp .title
.line:
  mov di, 160
  mov cx, 80
  mov ax, 0x09c4
  rep stosw
  pop es
  call status_line
  mov dh, FIRST_ROW
  xor dl, dl
  xor bh, bh
  mov ah, 2
  int 0x10
  ret

; Ticks since the start, right-aligned in the bar.
status_line:
  pushad
  push es
  mov ax, 0xb800
  mov es, ax
  mov di, 156
  mov eax, [ticks]
  mov ebx, 10
  std
.next:
  xor edx, edx
  div ebx
  mov cx, ax
  mov al, dl
  add al, '0'
  mov ah, BAR_COLOUR
  stosw
  movzx eax, cx
  test eax, eax
  jnz .next
  cld
  pop es
  popad
  ret

; A wave of 256 bytes: parabolas instead of a sine.
make_wave:
  xor bx, bx
.next:
  mov al, bl
  and al, 127
  mov ah, 128
  sub ah, al
  mul ah                  ; x * (128 - x): 0..4096
  shr ax, 5
  cmp ax, 127
  jbe .fits
  mov ax, 127
.fits:
  test bl, 128
  jz .upper
  neg ax
.upper:
  add ax, 128
  mov [WAVE + bx], al
  inc bl
  jnz .next
  ret

; Mode 13h: a field of waves, whose colours move with the timer.
command_gfx:
  mov ax, 0x13
  int 0x10
  mov byte [screen], 1
  push es
  mov ax, 0xa000
  mov es, ax
  xor di, di
  xor dx, dx              ; y
.row:
  push di
  mov di, ROW_BUFFER
  xor cx, cx              ; x
.pixel:
  mov bx, cx
  and bx, 255
  mov al, [WAVE + bx]
  mov bx, dx
  shl bx, 1
  and bx, 255
  add al, [WAVE + bx]
  mov bx, cx
  add bx, dx
  and bx, 255
  add al, [WAVE + bx]
  mov [di], al
  inc di
  inc cx
  cmp cx, 320
  jb .pixel
  pop di
  mov si, ROW_BUFFER
  mov cx, 80
  rep movsd
  inc dx
  cmp dx, 200
  jb .row
  pop es
  call rotate_palette
  mov si, gfx_text
  jmp print

rotate_palette:
  pusha
  add byte [phase], 3
  mov dx, 0x3c8
  xor al, al
  out dx, al
  inc dx
  xor cx, cx
.next:
  mov bl, cl
  add bl, [phase]
  xor bh, bh
  mov al, [WAVE + bx]
  shr al, 2
  out dx, al
  add bl, 85
  mov al, [WAVE + bx]
  shr al, 2
  out dx, al
  add bl, 85
  mov al, [WAVE + bx]
  shr al, 2
  out dx, al
  inc cx
  cmp cx, 256
  jb .next
  popa
  ret

; VBE 640x480 in 32-bit colour, through the linear frame buffer: FS gets a 4 GiB limit from protected mode and keeps it.
command_vbe:
  mov ax, 0x4f01
  mov cx, 0x142
  mov di, SECTOR
  int 0x10
  cmp ax, 0x004f
  jne .none
  mov eax, [SECTOR + 40]
  test eax, eax
  jz .none
  mov [frame_buffer], eax
  movzx eax, word [SECTOR + 16]
  mov [pitch], eax
  mov ax, 0x4f02
  mov bx, 0x4142
  int 0x10
  cmp ax, 0x004f
  jne .none
  mov byte [screen], 2
  call flat_fs
  mov edi, [frame_buffer]
  xor edx, edx            ; y
.row:
  push edi
  xor ecx, ecx            ; x
.pixel:
  mov eax, edx
  shr eax, 1
  shl eax, 16
  mov ah, cl
  mov ebx, ecx
  shr ebx, 2
  mov al, bl
  mov [fs:edi], eax
  add edi, 4
  inc ecx
  cmp ecx, 640
  jb .pixel
  pop edi
  add edi, [pitch]
  inc edx
  cmp edx, 480
  jb .row
  mov si, vbe_text
  jmp print
.none:
  mov si, no_vbe_text
  jmp print

flat_fs:
  cli
  lgdt [gdt_pointer]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  mov bx, 8
  mov fs, bx
  and al, 0xfe
  mov cr0, eax
  xor bx, bx
  jmp .real
.real:
  sti
  ret

; A white square of 32 pixels wanders; what it covered is computed anew.
move_square:
  pushad
  call flat_fs
  mov ebx, [square]
  xor esi, esi            ; old place: background
  call fill_square
  inc dword [square]
  mov ebx, [square]
  mov esi, 0xffffff
  call fill_square
  popad
  ret

; EBX: step (0..), ESI: colour, 0 for the background.
fill_square:
  mov eax, ebx
  shl eax, 2
  xor edx, edx
  mov ecx, 608
  div ecx
  mov [square_x], edx
  movzx edx, bl
  movzx eax, byte [WAVE + edx]
  mov [square_y], eax
  xor ebp, ebp
.row:
  mov eax, [square_y]
  add eax, ebp
  mul dword [pitch]
  add eax, [frame_buffer]
  mov edi, [square_x]
  lea edi, [eax + edi * 4]
  xor ecx, ecx
.pixel:
  mov eax, esi
  test esi, esi
  jnz .set
  mov eax, [square_y]
  add eax, ebp
  shr eax, 1
  shl eax, 16
  mov edx, [square_x]
  add edx, ecx
  mov ah, dl
  shr edx, 2
  mov al, dl
.set:
  mov [fs:edi], eax
  add edi, 4
  inc ecx
  cmp ecx, 32
  jb .pixel
  inc ebp
  cmp ebp, 32
  jb .row
  ret

; ---- data ---------------------------------------------------------------------------------------------------------------
commands:
  dw name_help, command_help
  dw name_time, command_time
  dw name_mem, command_mem
  dw name_disk, command_disk
  dw name_ide, command_ide
  dw name_keys, command_keys
  dw name_gfx, command_gfx
  dw name_vbe, command_vbe
  dw name_text, command_text
  dw name_echo, command_echo
  dw name_reboot, command_reboot
  dw name_off, command_off
  dw 0

name_help: db 'help', 0
name_time: db 'time', 0
name_mem: db 'mem', 0
name_disk: db 'disk', 0
name_ide: db 'ide', 0
name_keys: db 'keys', 0
name_gfx: db 'gfx', 0
name_vbe: db 'vbe', 0
name_text: db 'text', 0
name_echo: db 'echo', 0
name_reboot: db 'reboot', 0
name_off: db 'off', 0

title: db 'Vitrine demo guest', 0
welcome: db 'This machine is running in Vitrine. Type help for what it can show.', 10, 0
prompt: db 'vitrine> ', 0
help_text:
  db 'help          this text', 10
  db 'time          timer ticks since the start, and the clock', 10
  db 'mem           memory map', 10
  db 'disk          reads, changes and writes a sector, with checksums', 10
  db 'ide           asks the disk controller for the model', 10
  db 'keys          shows what is typed, until Esc', 10
  db 'gfx           picture in mode 13h', 10
  db 'vbe           picture in 640x480 with 32-bit colour', 10
  db 'text          back to the text screen', 10
  db 'echo TEXT     says it again', 10
  db 'reboot        restarts the machine', 10
  db 'off           turns the power off', 10, 0
unknown_text: db 'There is no command ', 0
unknown_end: db '; type help.', 10, 0
ticks_text: db 'ticks ', 0
clock_text: db ', clock ', 0
memory_text: db 'memory ', 0
mebibytes_text: db ' MiB', 10, 0
read_text: db 'read: checksum ', 0
written_text: db ', written and read again: checksum ', 0
times_text: db ', times ', 0
differs_text: db ', but it reads back different!', 10, 0
failed_text: db 'The disk reports an error.', 10, 0
no_disk_text: db 'No disk answers on the first IDE channel.', 10, 0
model_text: db 'model ', 0
sectors_text: db ', sectors ', 0
keys_text: db 'Type; Esc ends.', 10, 0
reboot_text: db 'Restarting.', 10, 0
off_text: db 'Good night.', 10, 0
no_power_text: db 'No power management here.', 10, 0
gfx_text: db 'Mode 13h, 320x200 in 256 colours; text goes back.', 10, 0
vbe_text: db '640x480 in 32-bit colour; text goes back.', 10, 0
no_vbe_text: db 'No such VBE mode here.', 10, 0

align 8, db 0
gdt:
  dq 0
  dq 0x00cf92000000ffff
gdt_pointer:
  dw 15
  dd gdt

align 4, db 0
packet:
  db 16, 0
  dw 1
  dw SECTOR, 0
  dq SCRATCH_LBA

ticks: dd 0
ticks_seen: dd 0
frame_buffer: dd 0
pitch: dd 0
square: dd 0
square_x: dd 0
square_y: dd 0
drive: db 0
screen: db 0               ; 0 text, 1 mode 13h, 2 VBE
row: db 0
column: db 0
phase: db 0
after_return: db 0
ring_head: db 0
ring_tail: db 0
ring: times 64 db 0
line: times 80 db 0
