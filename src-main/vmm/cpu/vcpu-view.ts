/** A vCPU's registers and mode for people. Nothing changes by looking. Intel SDM volume 1, chapter 3; volume 3, 2.2 (modes of operation). */
import type { ControlName, GprName, SegmentName, Vcpu } from './vcpu'

export interface RegisterView {
  readonly group: 'general' | 'flags' | 'segment' | 'control' | 'debug' | 'table' | 'msr' | 'x87' | 'sse'
  readonly name: string
  /** Hexadecimal. */
  readonly value: string
  /** Bits by name, a segment's base and limit. */
  readonly note?: string
}

/** Size of code at the instruction pointer, as the disassembler takes it: 16, 32 or 64 bits. */
export type CodeBits = 16 | 32 | 64

const GPRS: readonly GprName[] = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15']
const LEGACY_GPRS = 8
const SEGMENTS: readonly SegmentName[] = ['cs', 'ss', 'ds', 'es', 'fs', 'gs', 'tr', 'ldtr']
const CONTROLS: readonly ControlName[] = ['cr0', 'cr2', 'cr3', 'cr4', 'efer', 'xcr0']
const MSRS: Readonly<Record<string, string>> = {
  apicBase: 'IA32_APIC_BASE', star: 'IA32_STAR', lstar: 'IA32_LSTAR', cstar: 'IA32_CSTAR', sfmask: 'IA32_FMASK', kernelGsBase: 'IA32_KERNEL_GS_BASE',
  sysenterCs: 'IA32_SYSENTER_CS', sysenterEsp: 'IA32_SYSENTER_ESP', sysenterEip: 'IA32_SYSENTER_EIP', pat: 'IA32_PAT', miscEnable: 'IA32_MISC_ENABLE',
}

const FLAGS = ['CF', '', 'PF', '', 'AF', '', 'ZF', 'SF', 'TF', 'IF', 'DF', 'OF', '', '', 'NT', '', 'RF', 'VM', 'AC', 'VIF', 'VIP', 'ID']
const IOPL_SHIFT = 12
const CR0_BITS: Readonly<Record<number, string>> = { 0: 'PE', 1: 'MP', 2: 'EM', 3: 'TS', 4: 'ET', 5: 'NE', 16: 'WP', 18: 'AM', 29: 'NW', 30: 'CD', 31: 'PG' }
const CR4_BITS: Readonly<Record<number, string>> = {
  0: 'VME', 1: 'PVI', 2: 'TSD', 3: 'DE', 4: 'PSE', 5: 'PAE', 6: 'MCE', 7: 'PGE', 8: 'PCE', 9: 'OSFXSR', 10: 'OSXMMEXCPT', 11: 'UMIP', 12: 'LA57', 16: 'FSGSBASE', 17: 'PCIDE', 18: 'OSXSAVE', 20: 'SMEP', 21: 'SMAP',
}
const EFER_BITS: Readonly<Record<number, string>> = { 0: 'SCE', 8: 'LME', 10: 'LMA', 11: 'NXE' }

const CR0_PE = 1n
const CR0_PG = 1n << 31n
const CR4_PSE = 1n << 4n
const CR4_PAE = 1n << 5n
const EFER_LMA = 1n << 10n
const FLAG_VM = 0x20000
const ACCESS_LONG = 0x200000
const ACCESS_BIG = 0x400000
const ST_BYTES = 16
const ST_USED = 10

export function codeBits(vcpu: Vcpu): CodeBits {
  const { access } = vcpu.segment('cs')
  if ((vcpu.control('efer') & EFER_LMA) !== 0n && (access & ACCESS_LONG) !== 0) return 64
  return (access & ACCESS_BIG) !== 0 ? 32 : 16
}

/** Such as "64-bit mode, CPL 3, 4-level paging". */
export function modeText(vcpu: Vcpu): string {
  const [cr0, cr4, efer] = [vcpu.control('cr0'), vcpu.control('cr4'), vcpu.control('efer')]
  const long = (efer & EFER_LMA) !== 0n
  if ((cr0 & CR0_PE) === 0n) return 'real-address mode'
  const mode = long ? (codeBits(vcpu) === 64 ? '64-bit mode' : 'compatibility mode') : (vcpu.rflags & FLAG_VM) !== 0 ? 'virtual-8086 mode' : `protected mode, ${codeBits(vcpu)}-bit code`
  const paging = (cr0 & CR0_PG) === 0n ? 'no paging' : long ? '4-level paging' : (cr4 & CR4_PAE) !== 0n ? 'PAE paging' : (cr4 & CR4_PSE) !== 0n ? '32-bit paging with 4 MiB pages' : '32-bit paging'
  return `${mode}, CPL ${vcpu.cpl}, ${paging}`
}

export function registerViews(vcpu: Vcpu): readonly RegisterView[] {
  // What a guest outside long mode cannot reach is of no interest.
  const wide = (vcpu.control('efer') & EFER_LMA) !== 0n
  const digits = wide ? 16 : 8
  const general = GPRS.slice(0, wide ? GPRS.length : LEGACY_GPRS).map((name): RegisterView => ({ group: 'general', name: wide ? name : name.replace('r', 'e'), value: hex(vcpu.gpr(name), digits) }))
  return [
    ...general,
    { group: 'general', name: wide ? 'rip' : 'eip', value: hex(vcpu.rip, digits) },
    { group: 'flags', name: wide ? 'rflags' : 'eflags', value: hex(BigInt(vcpu.rflags), 8), note: flagsText(vcpu.rflags) },
    ...SEGMENTS.map((name) => segmentView(vcpu, name)),
    ...(['gdtr', 'idtr'] as const).map((name): RegisterView => {
      const { base, limit } = vcpu.table(name)
      return { group: 'table', name, value: hex(base, digits), note: `limit ${hex(BigInt(limit), 4)}` }
    }),
    ...CONTROLS.map((name): RegisterView => controlView(name, vcpu.control(name))),
    ...[0, 1, 2, 3, 6, 7].map((number): RegisterView => ({ group: 'debug', name: `dr${number}`, value: hex(vcpu.debug(number), digits) })),
    ...Object.entries(MSRS).map(([key, name]): RegisterView => ({ group: 'msr', name, value: hex(vcpu.msr(key), 16) })),
    ...floatViews(vcpu, wide),
  ]
}

function segmentView(vcpu: Vcpu, name: SegmentName): RegisterView {
  const { selector, access, base, limit } = vcpu.segment(name)
  return { group: 'segment', name, value: hex(BigInt(selector), 4), note: `base 0x${base.replace(/^0+(?=.)/, '')}, limit ${hex(BigInt(limit >>> 0), 1)}, access ${hex(BigInt((access >>> 8) & 0xf0ff), 4)}` }
}

function controlView(name: ControlName, value: bigint): RegisterView {
  const bits = name === 'cr0' ? CR0_BITS : name === 'cr4' ? CR4_BITS : name === 'efer' ? EFER_BITS : undefined
  const note = bits && Object.entries(bits).filter(([bit]) => ((value >> BigInt(bit)) & 1n) !== 0n).map(([, word]) => word).join(' ')
  return { group: 'control', name, value: hex(value, name === 'cr2' || name === 'cr3' || value > 0xffffffffn ? 16 : 8), ...(note ? { note } : {}) }
}

function flagsText(flags: number): string {
  const set = FLAGS.filter((name, bit) => name !== '' && ((flags >>> bit) & 1) !== 0)
  return [...set, `IOPL ${(flags >>> IOPL_SHIFT) & 3}`].join(' ')
}

function floatViews(vcpu: Vcpu, wide: boolean): readonly RegisterView[] {
  const fpu = vcpu.fpu()
  const bytes = (of: Uint8Array, at: number, count: number): string => `0x${[...of.subarray(at, at + count)].reverse().map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  const stack = Array.from({ length: 8 }, (_, i): RegisterView => {
    const physical = (fpu.top + i) & 7
    const tag = (fpu.tags >>> physical) & 1
    return { group: 'x87', name: `st(${i})`, value: bytes(fpu.registers, physical * ST_BYTES, ST_USED), ...(tag === 0 ? { note: 'empty' } : {}) }
  })
  const xmm = Array.from({ length: wide ? 16 : 8 }, (_, i): RegisterView => ({ group: 'sse', name: `xmm${i}`, value: bytes(fpu.xmm, i * 16, 16) }))
  return [
    { group: 'x87', name: 'fcw', value: hex(BigInt(fpu.controlWord), 4) },
    { group: 'x87', name: 'fsw', value: hex(BigInt(fpu.statusWord), 4), note: `TOP ${fpu.top}` },
    ...stack,
    { group: 'sse', name: 'mxcsr', value: hex(BigInt(fpu.mxcsr), 8) },
    ...xmm,
  ]
}

function hex(value: bigint, digits: number): string {
  return `0x${BigInt.asUintN(64, value).toString(16).padStart(digits, '0')}`
}
