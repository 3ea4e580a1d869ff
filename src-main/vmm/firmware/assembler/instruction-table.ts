/**
 * What the assembler can encode: one line for each form, `mnemonic operands | encoding`. Intel SDM volume 2.
 *
 * Operands: r8 r16 r32 r64, rv (16, 32 or 64 bits), rm8..rm64, rmv, m (any memory), m8..m128, mfar; al cl dx ax eax rax, av (AL's wider brothers);
 * i8 (either sign), i16, i32, i64, iv (as wide as the operand, at most 32 bits sign-extended), s8 (fits sign-extended); one; sreg cr dr; moffs;
 * rel8, rel (16 or 32 bits by mode), ptr, xmm, xm.
 * Encoding: bytes in hex; +r (register in the opcode); /r, /0../7 (ModRM); ib iw id iq iv; rel8 rel; ptr.
 * o16 o32 o64: fixed operand size; d64: 64-bit by default in long mode; no64: not in long mode; only64: only there;
 * w: REX.W with 64-bit operands as usual (implied); a16 a32 a64: address size prefix. f2/f3/66 in front are mandatory prefixes.
 */
const ALU = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp']
const SHIFTS: readonly (readonly [string, number])[] = [
  ['rol', 0], ['ror', 1], ['rcl', 2], ['rcr', 3], ['shl', 4], ['sal', 4], ['shr', 5], ['sar', 7],
]
/** Condition codes and their synonyms. */
export const CONDITIONS: Readonly<Record<string, number>> = {
  o: 0, no: 1, b: 2, c: 2, nae: 2, ae: 3, nb: 3, nc: 3, e: 4, z: 4, ne: 5, nz: 5, be: 6, na: 6, a: 7, nbe: 7,
  s: 8, ns: 9, p: 10, pe: 10, np: 11, po: 11, l: 12, nge: 12, ge: 13, nl: 13, le: 14, ng: 14, g: 15, nle: 15,
}
const hex = (n: number): string => n.toString(16).padStart(2, '0')

function aluRows(): string[] {
  return ALU.flatMap((name, i) => [
    `${name} rm8,r8 | ${hex(i * 8)} /r`,
    `${name} rmv,rv | ${hex(i * 8 + 1)} /r`,
    `${name} r8,rm8 | ${hex(i * 8 + 2)} /r`,
    `${name} rv,rmv | ${hex(i * 8 + 3)} /r`,
    `${name} al,i8 | ${hex(i * 8 + 4)} ib`,
    `${name} rmv,s8 | 83 /${i} ib`,
    `${name} av,iv | ${hex(i * 8 + 5)} iv`,
    `${name} rm8,i8 | 80 /${i} ib`,
    `${name} rmv,iv | 81 /${i} iv`,
  ])
}
function shiftRows(): string[] {
  return SHIFTS.flatMap(([name, n]) => [
    `${name} rm8,one | d0 /${n}`,
    `${name} rm8,cl | d2 /${n}`,
    `${name} rm8,i8 | c0 /${n} ib`,
    `${name} rmv,one | d1 /${n}`,
    `${name} rmv,cl | d3 /${n}`,
    `${name} rmv,i8 | c1 /${n} ib`,
  ])
}
function conditionRows(): string[] {
  return Object.entries(CONDITIONS).flatMap(([name, n]) => [
    `j${name} rel8 | ${hex(0x70 + n)} rel8`,
    `j${name} rel | 0f ${hex(0x80 + n)} rel`,
    `set${name} rm8 | 0f ${hex(0x90 + n)} /0`,
    `cmov${name} rv,rmv | 0f ${hex(0x40 + n)} /r`,
  ])
}
function stringRows(): string[] {
  const families: readonly (readonly [string, number])[] = [['movs', 0xa4], ['cmps', 0xa6], ['stos', 0xaa], ['lods', 0xac], ['scas', 0xae]]
  const rows = families.flatMap(([name, opcode]) => [
    `${name}b | ${hex(opcode)}`,
    `${name}w | o16 ${hex(opcode + 1)}`,
    `${name}d | o32 ${hex(opcode + 1)}`,
    `${name}q | o64 ${hex(opcode + 1)}`,
  ])
  return [...rows, 'insb | 6c', 'insw | o16 6d', 'insd | o32 6d', 'outsb | 6e', 'outsw | o16 6f', 'outsd | o32 6f']
}
function bitRows(): string[] {
  const bits: readonly (readonly [string, number])[] = [['bt', 4], ['bts', 5], ['btr', 6], ['btc', 7]]
  return bits.flatMap(([name, n]) => [`${name} rmv,rv | 0f ${hex(0x83 + n * 8)} /r`, `${name} rmv,i8 | 0f ba /${n} ib`])
}

const PLAIN = `
mov rm8,r8 | 88 /r
mov al,moffs | a0 moffs
mov av,moffs | a1 moffs
mov moffs,al | a2 moffs
mov moffs,av | a3 moffs
mov rmv,rv | 89 /r
mov r8,rm8 | 8a /r
mov rv,rmv | 8b /r
mov m,sreg | o16x 8c /r
mov rv,sreg | 8c /r
mov sreg,rm16 | o16x 8e /r
mov sreg,r32 | o16x 8e /r
mov r8,i8 | b0 +r ib
mov r16,i16 | o16 b8 +r iw
mov r32,i32 | o32 b8 +r id
mov r64,u32 | o32 b8 +r id
mov r64,s32 | o64 c7 /0 id
mov r64,i64 | o64 b8 +r iq
mov rm8,i8 | c6 /0 ib
mov rmv,iv | c7 /0 iv
mov r32,cr | no64 0f 20 /r
mov r64,cr | only64 0f 20 /r
mov cr,r32 | no64 0f 22 /r
mov cr,r64 | only64 0f 22 /r
mov r32,dr | no64 0f 21 /r
mov r64,dr | only64 0f 21 /r
mov dr,r32 | no64 0f 23 /r
mov dr,r64 | only64 0f 23 /r
movzx rv,rm8 | 0f b6 /r
movzx rv,rm16 | 0f b7 /r
movsx rv,rm8 | 0f be /r
movsx rv,rm16 | 0f bf /r
movsxd r64,rm32 | o64 63 /r
movbe rv,m | 0f 38 f0 /r
movbe m,rv | 0f 38 f1 /r
lea rv,m | 8d /r
xchg av,rv | 90 +r
xchg rv,av | 90 +r
xchg r8,rm8 | 86 /r
xchg rm8,r8 | 86 /r
xchg rv,rmv | 87 /r
xchg rmv,rv | 87 /r
push r16 | o16 50 +r
push r32 | no64 o32 50 +r
push r64 | d64 50 +r
push es | no64 06
push cs | no64 0e
push ss | no64 16
push ds | no64 1e
push fs | 0f a0
push gs | 0f a8
push s8 | d64 6a ib
push iv | d64 68 iv
push rmv | d64 ff /6
pop r16 | o16 58 +r
pop r32 | no64 o32 58 +r
pop r64 | d64 58 +r
pop es | no64 07
pop ss | no64 17
pop ds | no64 1f
pop fs | 0f a1
pop gs | 0f a9
pop rmv | d64 8f /0
test rm8,r8 | 84 /r
test rmv,rv | 85 /r
test r8,m | 84 /r
test rv,m | 85 /r
test al,i8 | a8 ib
test av,iv | a9 iv
test rm8,i8 | f6 /0 ib
test rmv,iv | f7 /0 iv
not rm8 | f6 /2
not rmv | f7 /2
neg rm8 | f6 /3
neg rmv | f7 /3
mul rm8 | f6 /4
mul rmv | f7 /4
imul rm8 | f6 /5
imul rmv | f7 /5
imul rv,rmv | 0f af /r
imul rv,rmv,s8 | 6b /r ib
imul rv,rmv,iv | 69 /r iv
imul rv,s8 | 6b /rr ib
imul rv,iv | 69 /rr iv
div rm8 | f6 /6
div rmv | f7 /6
idiv rm8 | f6 /7
idiv rmv | f7 /7
inc r16 | no64 o16 40 +r
inc r32 | no64 o32 40 +r
inc rm8 | fe /0
inc rmv | ff /0
dec r16 | no64 o16 48 +r
dec r32 | no64 o32 48 +r
dec rm8 | fe /1
dec rmv | ff /1
shld rmv,rv,i8 | 0f a4 /r ib
shld rmv,rv,cl | 0f a5 /r
shrd rmv,rv,i8 | 0f ac /r ib
shrd rmv,rv,cl | 0f ad /r
bsf rv,rmv | 0f bc /r
bsr rv,rmv | 0f bd /r
popcnt rv,rmv | f3 0f b8 /r
tzcnt rv,rmv | f3 0f bc /r
lzcnt rv,rmv | f3 0f bd /r
bswap r32 | o32 0f c8 +r
bswap r64 | o64 0f c8 +r
xadd rm8,r8 | 0f c0 /r
xadd rmv,rv | 0f c1 /r
cmpxchg rm8,r8 | 0f b0 /r
cmpxchg rmv,rv | 0f b1 /r
cmpxchg8b m | 0f c7 /1
cmpxchg16b m | o64 0f c7 /1
call rel | d64 e8 rel
call mfar | ff /3
call rmv | d64 ff /2
call ptr | no64 9a ptr
jmp rel8 | eb rel8
jmp rel | e9 rel
jmp mfar | ff /5
jmp rmv | d64 ff /4
jmp ptr | no64 ea ptr
ret | c3
ret i16 | c2 iw
retn | c3
retn i16 | c2 iw
retf | cb
retf i16 | ca iw
iret | cf
iretw | o16 cf
iretd | o32 cf
iretq | o64 cf
int i8 | cd ib
int3 | cc
int1 | f1
into | no64 ce
loop rel8 | e2 rel8
loope rel8 | e1 rel8
loopz rel8 | e1 rel8
loopne rel8 | e0 rel8
loopnz rel8 | e0 rel8
jcxz rel8 | a16 e3 rel8
jecxz rel8 | a32 e3 rel8
jrcxz rel8 | a64 e3 rel8
enter i16,i8 | c8 iw ib
leave | c9
in al,i8 | e4 ib
in ax,i8 | o16 e5 ib
in eax,i8 | o32 e5 ib
in al,dx | ec
in ax,dx | o16 ed
in eax,dx | o32 ed
out i8,al | e6 ib
out i8,ax | o16 e7 ib
out i8,eax | o32 e7 ib
out dx,al | ee
out dx,ax | o16 ef
out dx,eax | o32 ef
pusha | no64 60
pushaw | no64 o16 60
pushad | no64 o32 60
popa | no64 61
popaw | no64 o16 61
popad | no64 o32 61
pushf | 9c
pushfw | o16 9c
pushfd | no64 o32 9c
pushfq | only64 9c
popf | 9d
popfw | o16 9d
popfd | no64 o32 9d
popfq | only64 9d
lahf | 9f
sahf | 9e
cbw | o16 98
cwde | o32 98
cdqe | o64 98
cwd | o16 99
cdq | o32 99
cqo | o64 99
nop | 90
nop rmv | 0f 1f /0
pause | f3 90
xlatb | d7
xlat | d7
daa | no64 27
das | no64 2f
aaa | no64 37
aas | no64 3f
aam | no64 d4 0a
aam i8 | no64 d4 ib
aad | no64 d5 0a
aad i8 | no64 d5 ib
clc | f8
stc | f9
cli | fa
sti | fb
cld | fc
std | fd
cmc | f5
hlt | f4
wait | 9b
fwait | 9b
bound rv,m | no64 62 /r
arpl rm16,r16 | o16x no64 63 /r
les rv,m | no64 c4 /r
lds rv,m | no64 c5 /r
lss rv,m | 0f b2 /r
lfs rv,m | 0f b4 /r
lgs rv,m | 0f b5 /r
lgdt m | 0f 01 /2
lidt m | 0f 01 /3
sgdt m | 0f 01 /0
sidt m | 0f 01 /1
lldt rm16 | o16x 0f 00 /2
ltr rm16 | o16x 0f 00 /3
sldt rv | 0f 00 /0
sldt m | o16x 0f 00 /0
str rv | 0f 00 /1
str m | o16x 0f 00 /1
verr rm16 | o16x 0f 00 /4
verw rm16 | o16x 0f 00 /5
smsw rv | 0f 01 /4
smsw m | o16x 0f 01 /4
lmsw rm16 | o16x 0f 01 /6
lar rv,rmv | 0f 02 /r
lar rv,rm16 | 0f 02 /r
lsl rv,rmv | 0f 03 /r
lsl rv,rm16 | 0f 03 /r
invlpg m | 0f 01 /7
invd | 0f 08
wbinvd | 0f 09
clts | 0f 06
cpuid | 0f a2
rdmsr | 0f 32
wrmsr | 0f 30
rdtsc | 0f 31
rdtscp | 0f 01 f9
rdpmc | 0f 33
rsm | 0f aa
syscall | 0f 05
sysret | 0f 07
sysretq | o64 0f 07
sysenter | 0f 34
sysexit | 0f 35
sysexitq | o64 0f 35
swapgs | only64 0f 01 f8
stac | 0f 01 cb
clac | 0f 01 ca
monitor | 0f 01 c8
mwait | 0f 01 c9
xgetbv | 0f 01 d0
xsetbv | 0f 01 d1
ud2 | 0f 0b
lfence | 0f ae e8
mfence | 0f ae f0
sfence | 0f ae f8
clflush m | 0f ae /7
fxsave m | 0f ae /0
fxrstor m | 0f ae /1
fxsave64 m | o64 0f ae /0
fxrstor64 m | o64 0f ae /1
ldmxcsr m | 0f ae /2
stmxcsr m | 0f ae /3
xsave m | 0f ae /4
xrstor m | 0f ae /5
rdrand rv | 0f c7 /6
rdseed rv | 0f c7 /7
emms | 0f 77
fninit | db e3
finit | 9b db e3
fnclex | db e2
fnstcw m | d9 /7
fldcw m | d9 /5
fnstsw ax | df e0
fld1 | d9 e8
fldpi | d9 eb
fldz | d9 ee
fild m16 | df /0
fild m32 | db /0
fild m64 | df /5
fistp m16 | df /3
fistp m32 | db /3
fistp m64 | df /7
fld m32 | d9 /0
fld m64 | dd /0
fstp m32 | d9 /3
fstp m64 | dd /3
movups xmm,xm | 0f 10 /r
movups m,xmm | 0f 11 /r
movaps xmm,xm | 0f 28 /r
movaps m,xmm | 0f 29 /r
movdqu xmm,xm | f3 0f 6f /r
movdqu m,xmm | f3 0f 7f /r
pxor xmm,xm | 66 0f ef /r
salc | no64 d6
icebp | f1
`

export interface InstructionForm {
  readonly mnemonic: string
  readonly operands: readonly string[]
  readonly steps: readonly string[]
}

function parseRow(row: string): InstructionForm {
  const [head = '', encoding = ''] = row.split('|')
  const [mnemonic = '', operands = ''] = head.trim().split(' ')
  return { mnemonic, operands: operands === '' ? [] : operands.split(','), steps: encoding.trim().split(/\s+/) }
}

/** Forms by mnemonic, in the order in which they are tried: the first that fits is taken. */
export const INSTRUCTIONS: ReadonlyMap<string, readonly InstructionForm[]> = (() => {
  const table = new Map<string, InstructionForm[]>()
  const plain = PLAIN.trim().split('\n')
  for (const row of [...plain, ...aluRows(), ...shiftRows(), ...conditionRows(), ...stringRows(), ...bitRows()]) {
    const form = parseRow(row)
    const forms = table.get(form.mnemonic)
    if (forms === undefined) table.set(form.mnemonic, [form])
    else forms.push(form)
  }
  return table
})()

/** Prefixes that may stand in front of an instruction, and their bytes (0: handled by the encoder). */
export const PREFIXES: Readonly<Record<string, number>> = {
  lock: 0xf0, rep: 0xf3, repe: 0xf3, repz: 0xf3, repne: 0xf2, repnz: 0xf2, o16: 0, o32: 0, o64: 0, a16: 0, a32: 0, a64: 0,
}
