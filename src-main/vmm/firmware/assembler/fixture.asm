bits 16
org 0x7c00
start: jmp short go
 nop
go: cli
 xor ax, ax
 mov ds, ax
 mov ss, ax
 mov sp, 0x7c00
 mov si, msg
.l: lodsb
 test al, al
 jz .done
 mov ah, 0x0e
 mov bx, 7
 int 0x10
 jmp .l
.done:
 mov eax, cr0
 or al, 1
 mov cr0, eax
 mov byte [es:di], 5
 mov word [bx+si+4], 0x1234
 mov dword [bp-2], 77
 mov eax, [esp+8]
 mov eax, [ebx*4+edx+0x100]
 lea di, [bx+di]
 add ax, 5
 add ax, 500
 add eax, 0xfffffff0
 and ax, 0xfff0
 sub byte [si], 1
 cmp al, 'a'
 push word 5
 push 5
 push dword 5
 push 0x1234
 pop es
 push fs
 pushad
 popad
 jmp 0x8:pm
 jmp dword 0x8:pm
 jmp far [bx]
 call far [cs:0x10]
 call go
 jc far_label
 shl ax, 1
 shr dx, 4
 sar eax, cl
 imul ax, bx, 3
 imul eax, 1000
 movzx eax, byte [si]
 movzx cx, al
 movsx edx, word [di]
 in al, 0x60
 in ax, dx
 out 0xb4, eax
 out dx, al
 rep movsb
 rep stosd
 repne scasb
 lgdt [gdt]
 lidt [cs:gdt]
 o32 lgdt [gdt]
 xchg ax, bx
 xchg [si], al
 xchg bx, cx
 test bx, 1
 test [si], al
 bts word [bx], 3
 bt eax, edx
 mov al, [0x46c]
 mov [0x46c], ax
 mov bx, [0x46c]
 mov ax, [fs:0x10]
 mov cx, ds
 mov ecx, ds
 mov [bx], ds
 mov ds, [bx]
 retf
 retf 2
 iret
 iretd
 wrmsr
 rdmsr
 cpuid
 setz al
 sete [bx]
 cmovne ax, [bx]
 enter 16, 0
 leave
 les di, [bx]
 shld ax, bx, 4
 bswap ecx
 cmpxchg [bx], cx
 lock xadd [bx], eax
 mov eax, dword [dword 0x12345678]
 dec cx
 inc byte [bx]
 inc dword [bx]
 neg ax
 mul cx
 div dword [si]
 aam
 aad 5
 xlatb
 loop go2
 jcxz go2
 jecxz go2
go2: hlt
 lmsw ax
 smsw eax
 ltr ax
 int3
 mov dr7, eax
 cmp word [bx+0x80], -1
 cmp dword [0x500], 0x80
 mov ax, msg2-msg
 db "hello", 0, 1, 2
 dw 0x1234, msg
 dd msg, -1
 dq 0x00cf9a000000ffff
 align 16
msg: db 'a'
msg2:
 times 200 db 0
far_label:
gdt: dw 1
bits 32
pm: mov ax, 0x10
 mov ds, ax
 mov eax, [0x12345]
 mov [ebp], eax
 mov [esp], eax
 mov [eax+eax*2], ecx
 mov [ecx*4], eax
 mov [ecx*2], eax
 mov ax, [bx+1]
 push 5
 push eax
 push word [eax]
 push dword [eax]
 call pm
 jmp pm
 jnz start
 inc eax
 mov dword [edi], 0x1000
 jmp 0x8:lm
 iret
 insb
 outsd
 pushfd
 call [eax]
 jmp [eax*4+0x100]
 jmp eax
 call far [eax]
 sgdt [eax]
 invlpg [eax]
 mov eax, strict dword 5
bits 64
lm: mov rax, 1
 mov rax, -1
 mov rax, 0x123456789abcdef0
 mov eax, 5
 mov r8, rax
 mov [r12], r13
 mov [r13], al
 mov [rsp+r15*8+16], ebx
 lea rax, [rel msg]
 mov rax, [rel msg]
 mov eax, [0x1000]
 push rax
 push r9
 pop r10
 push 5
 add rax, 0x1000
 add rsp, 8
 call lm
 jmp rax
 jmp [rax]
 call [rel msg]
 syscall
 sysret
 o64 sysret
 iretq
 swapgs
 mov cr3, rax
 mov rcx, cr4
 mov spl, 5
 mov sil, dl
 movzx eax, sil
 movsxd rax, ecx
 rep stosq
 test rax, rax
 xchg rax, rbx
 imul r9, r10, 5
 cmp qword [rax], 5
 and rax, ~0xfff
 lgdt [rax]
 cdqe
 cqo
 bswap r9
 movups xmm1, [rax]
 movdqu [rcx], xmm9
 pxor xmm2, xmm3
 fninit
 fxsave [rax]
 mov rax, cr8
 inc rax
 retn
 shr r11d, 3
 sub rsp, 0x80
 sub rsp, 0x7f
