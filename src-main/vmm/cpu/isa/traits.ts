/**
 * What holds for an operation whatever its encoding: flags, block ends, LOCK, REP, address-size dependence. Flags are written as letters
 * of O S Z A P C (status), D I (DF, IF), in 'reads', 'writes' (defined result) and 'undefined'. An operation not named here touches no
 * flags, does not end a block, takes no LOCK or REP, and can fault only by its memory operand.
 */

export interface Traits {
  readonly reads: string
  readonly writes: string
  readonly undefined: string
  /** Ends the block: control transfer, or state that decoding or the run loop depends on. */
  readonly endsBlock: boolean
  /** LOCK is allowed when the destination (operand 0) is memory. */
  readonly lockable: boolean
  /** 'rep': F3 and F2 repeat; 'repe': F3 repeats while ZF, F2 while not ZF. */
  readonly repeat: 'none' | 'rep' | 'repe'
  /** The meaning depends on the address size beyond its memory operand. */
  readonly addressSize: boolean
  /** Can fault even without a memory operand. */
  readonly faults: boolean
}

const NOTHING: Traits = { reads: '', writes: '', undefined: '', endsBlock: false, lockable: false, repeat: 'none', addressSize: false, faults: false }

const ALL = 'OSZAPC'
const LOGIC = { writes: 'OSZPC', undefined: 'A' }
const ENDS = { endsBlock: true }
const FAULTS = { faults: true }
const LOCK = { lockable: true }

/** [operations separated by spaces, what they have]. An operation may stand in several lines. */
const DECLARED: readonly (readonly [operations: string, traits: Partial<Traits>])[] = [
  ['add sub xadd cmpxchg neg', { writes: ALL, ...LOCK }],
  ['cmp', { writes: ALL }],
  ['adc sbb', { reads: 'C', writes: ALL, ...LOCK }],
  ['inc dec', { writes: 'OSZAP', ...LOCK }],
  ['and or xor', { ...LOGIC, ...LOCK }],
  ['test', LOGIC],
  ['not xchg', LOCK],
  ['mul imul1 imul2 imul3', { writes: 'OC', undefined: 'SZAP' }],
  ['div idiv', { undefined: ALL, ...FAULTS }],
  ['shl shr sar', { writes: 'OSZPC', undefined: 'OA' }],
  ['shld shrd', { writes: 'OSZPC', undefined: 'OA' }],
  ['rol ror', { writes: 'OC', undefined: 'O' }],
  ['rcl rcr', { reads: 'C', writes: 'OC', undefined: 'O' }],
  ['bt', { writes: 'C', undefined: 'OSAP' }],
  ['bts btr btc', { writes: 'C', undefined: 'OSAP', ...LOCK }],
  ['bsf bsr', { writes: 'Z', undefined: 'OSAPC' }],
  ['tzcnt lzcnt', { writes: 'ZC', undefined: 'OSAP' }],
  ['popcnt', { writes: ALL }],
  ['cmpxchg8b cmpxchg16b', { writes: 'Z', ...LOCK, ...FAULTS }],
  ['cmovcc setcc jcc fcmovcc', { reads: 'OSZPC' }],
  ['jcc', ENDS],
  ['daa das', { reads: 'AC', writes: 'SZAPC', undefined: 'O' }],
  ['aaa aas', { reads: 'A', writes: 'AC', undefined: 'OSZP' }],
  ['aam', { writes: 'SZP', undefined: 'OAC', ...FAULTS }],
  ['aad', { writes: 'SZP', undefined: 'OAC' }],
  ['salc', { reads: 'C' }],
  ['lahf', { reads: 'SZAPC' }],
  ['sahf', { writes: 'SZAPC' }],
  ['cmc', { reads: 'C', writes: 'C' }],
  ['clc stc', { writes: 'C' }],
  ['cld std', { writes: 'D' }],
  ['pushf', { reads: `${ALL}DI`, ...FAULTS }],
  ['popf', { writes: `${ALL}DI`, ...FAULTS, ...ENDS }],
  ['push pop push_sreg pusha popa enter leave', FAULTS],
  ['pop_sreg mov_to_sreg les lds lss lfs lgs', FAULTS],
  // loading SS delays interrupts by one instruction and changes the stack size
  ['pop_sreg mov_to_sreg lss', ENDS],

  ['loope loopne', { reads: 'Z' }],
  ['loop loope loopne jcxz', { ...ENDS, addressSize: true, ...FAULTS }],
  ['jmp_rel jmp_near call_rel call_near ret ret_imm', { ...ENDS, ...FAULTS }],
  ['jmp_far call_far retf retf_imm int3 int int1 ud', { ...ENDS, ...FAULTS }],
  ['iret', { writes: `${ALL}DI`, ...ENDS, ...FAULTS }],
  ['into', { reads: 'O', ...ENDS, ...FAULTS }],
  ['bound', FAULTS],

  ['movs ins outs', { reads: 'D', repeat: 'rep', addressSize: true, ...FAULTS }],
  ['stos lods', { reads: 'D', repeat: 'rep', addressSize: true, ...FAULTS }],
  ['cmps scas', { reads: 'D', writes: ALL, repeat: 'repe', addressSize: true, ...FAULTS }],
  ['xlat', { addressSize: true, ...FAULTS }],
  ['maskmovq maskmovdqu monitor', { addressSize: true, ...FAULTS }],

  ['in out', FAULTS],
  ['ins outs in out', ENDS],
  ['cli', { writes: 'I', ...FAULTS }],
  ['sti', { writes: 'I', ...FAULTS, ...ENDS }],
  ['hlt', { ...FAULTS, ...ENDS }],
  ['clts lmsw mov_to_cr mov_to_dr wrmsr invlpg invpcid xsetbv swapgs', { ...FAULTS, ...ENDS }],
  ['mov_from_cr mov_from_dr rdmsr rdtsc rdtscp rdpmc smsw sldt str sgdt sidt', FAULTS],
  ['lgdt lidt lldt ltr', FAULTS],
  ['invd wbinvd cpuid xgetbv', FAULTS],
  ['cpuid mwait', ENDS],
  ['mwait', FAULTS],
  ['arpl lar lsl verr verw', { writes: 'Z', ...FAULTS }],
  ['clac stac', { ...FAULTS, ...ENDS }],
  ['syscall sysret sysenter sysexit rsm', { writes: `${ALL}DI`, ...ENDS, ...FAULTS }],
  ['vmcall vmlaunch vmresume vmxoff vmrun vmmcall', { ...ENDS, ...FAULTS }],
  ['rdfsbase rdgsbase wrfsbase wrgsbase rdpid', FAULTS],
  ['rdrand rdseed', { writes: ALL }],

  ['fcomi fcomip fucomi fucomip', { writes: ALL }],
  ['comiss comisd ucomiss ucomisd ptest', { writes: ALL }],
  ['pcmpestri pcmpestrm pcmpistri pcmpistrm', { writes: ALL }],
]

const traits = new Map<string, Traits>()
for (const [operations, some] of DECLARED) {
  for (const operation of operations.split(' ')) traits.set(operation, { ...(traits.get(operation) ?? NOTHING), ...some })
}

export const traitsOf = (operation: string): Traits => traits.get(operation) ?? NOTHING
export const OPERATIONS_WITH_TRAITS: readonly string[] = [...traits.keys()]
