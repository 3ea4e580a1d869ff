/**
 * The processor model: what CPUID says, and which encodings the decoder knows. Only features that work are offered. Leaves: Intel SDM vol. 2 (CPUID),
 * AMD64 APM vol. 3 appendix E.
 */
import { VmmError } from '../errors/vmm-error'
import type { Feature } from './isa/row'
import {
  APIC_ID,
  CPUID_ENTRIES_MAX,
  CPUID_ENTRY_BYTES,
  CPUID_TABLE,
  CPU_SIGNATURE,
  FEATURE_1_ECX,
  FEATURE_1_EDX,
  FEATURE_7_EBX,
  FEATURE_EXT_ECX,
  FEATURE_EXT_EDX,
  VENDOR_AMD,
  XCR0_SUPPORTED,
} from './layout-system'

export interface CpuModel {
  /** 12 characters. */
  readonly vendor?: string
  /** At most 48 characters. */
  readonly brand?: string
  readonly family?: number
  readonly model?: number
  readonly stepping?: number
  /** Names of CPUID features to hide (CPU_FEATURES). */
  readonly disabled?: readonly string[]
  /** Leaves 4000_0000h.. of the hypervisor that the guest finds; none, and no bit that tells of one, when empty. A signature of our own if not said. */
  readonly hypervisorLeaves?: readonly CpuidEntry[]
}

export interface CpuidEntry {
  readonly leaf: number
  /** undefined: the subleaf does not matter. */
  readonly subleaf?: number
  readonly eax: number
  readonly ebx: number
  readonly ecx: number
  readonly edx: number
}

type Word = '1.ecx' | '1.edx' | '7.ebx' | '7.ecx' | 'ext.ecx' | 'ext.edx'

/** Every feature that works, and where CPUID shows it. */
const FEATURE_BITS: readonly (readonly [name: string, word: Word, bit: number])[] = [
  ['FPU', '1.edx', 0], ['DE', '1.edx', 2], ['PSE', '1.edx', 3], ['TSC', '1.edx', 4], ['MSR', '1.edx', 5], ['PAE', '1.edx', 6], ['MCE', '1.edx', 7],
  ['CX8', '1.edx', 8], ['APIC', '1.edx', 9], ['SEP', '1.edx', 11], ['MTRR', '1.edx', 12], ['PGE', '1.edx', 13], ['MCA', '1.edx', 14],
  ['CMOV', '1.edx', 15], ['PAT', '1.edx', 16], ['PSE36', '1.edx', 17], ['CLFSH', '1.edx', 19], ['MMX', '1.edx', 23], ['FXSR', '1.edx', 24],
  ['SSE', '1.edx', 25], ['SSE2', '1.edx', 26],
  ['SSE3', '1.ecx', 0], ['SSSE3', '1.ecx', 9], ['CX16', '1.ecx', 13], ['SSE4.1', '1.ecx', 19], ['SSE4.2', '1.ecx', 20], ['MOVBE', '1.ecx', 22],
  ['POPCNT', '1.ecx', 23], ['TSC-DEADLINE', '1.ecx', 24], ['XSAVE', '1.ecx', 26], ['RDRAND', '1.ecx', 30], ['HYPERVISOR', '1.ecx', 31],
  ['FSGSBASE', '7.ebx', 0], ['SMEP', '7.ebx', 7], ['ERMS', '7.ebx', 9], ['RDSEED', '7.ebx', 18], ['SMAP', '7.ebx', 20],
  ['RDPID', '7.ecx', 22],
  ['LAHF64', 'ext.ecx', 0], ['LZCNT', 'ext.ecx', 5], ['PREFETCHW', 'ext.ecx', 8],
  ['SYSCALL', 'ext.edx', 11], ['NX', 'ext.edx', 20], ['PDPE1GB', 'ext.edx', 26], ['RDTSCP', 'ext.edx', 27], ['LM', 'ext.edx', 29],
]

export const CPU_FEATURES: readonly string[] = FEATURE_BITS.map(([name]) => name)

/** Bits of 1.EDX that AMD repeats in 8000_0001h.EDX. */
const AMD_REPEATED = 0x0183f3ff
const AMD_MMX_EXTENSIONS = 1 << 22

/** What the decoder must not know unless offered: the instruction table's names that are also features here, and what is never offered. */
const DECODER_FEATURES: readonly Feature[] = [
  'CMOV', 'CX8', 'CX16', 'MMX', 'SSE', 'SSE2', 'SSE3', 'SSSE3', 'SSE4.1', 'SSE4.2', 'POPCNT', 'LZCNT', 'MOVBE', 'FXSR', 'XSAVE', 'RDRAND', 'RDSEED',
  'SMAP', 'FSGSBASE', 'CLFSH', 'RDTSCP', 'RDPID', 'SEP', 'SYSCALL', 'MSR', 'TSC', 'PREFETCHW',
]
const NEVER_OFFERED: readonly Feature[] = ['BMI1']

const DEFAULT_VENDOR = 'AuthenticAMD'
const DEFAULT_BRAND = 'Vitrine virtual processor'
/** As the 64-bit processors that every system since 2005 knows (AMD family 15). */
const DEFAULT_FAMILY = 15
const DEFAULT_MODEL = 107
const DEFAULT_STEPPING = 1
/** Bit 31 of leaf 1's ECX. */
const HYPERVISOR_BIT = 0x80000000
const HYPERVISOR_SIGNATURE = 'VitrineVitri'
const VENDOR_BYTES = 12
const BRAND_BYTES = 48

const PHYSICAL_AND_LINEAR_BITS = 40 | (48 << 8)
const INVARIANT_TSC = 1 << 8
/** The local APIC timer runs in every power state. */
const ARAT = 1 << 2
const CLFLUSH_LINE = 8 << 8
const ONE_LOGICAL_PROCESSOR = 1 << 16
/** Bytes of the XSAVE area for x87 and SSE: legacy area and header. */
const XSAVE_BYTES = 576
const XCR0_X87_SSE = 3

const word = (text: string, at: number): number =>
  (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24)) >>> 0

/** A signature, and nothing behind it. */
const OWN_LEAVES: readonly CpuidEntry[] = [
  { leaf: 0x40000000, eax: 0x40000000, ebx: word(HYPERVISOR_SIGNATURE, 0), ecx: word(HYPERVISOR_SIGNATURE, 4), edx: word(HYPERVISOR_SIGNATURE, 8) },
]

/** EAX of leaf 1: stepping, model, family with their extensions. */
export function cpuSignature(model: CpuModel = {}): number {
  const family = model.family ?? DEFAULT_FAMILY
  const number = model.model ?? DEFAULT_MODEL
  const baseFamily = Math.min(family, 15)
  return (
    (((model.stepping ?? DEFAULT_STEPPING) & 15) | ((number & 15) << 4) | (baseFamily << 8) | (((number >> 4) & 15) << 16) | (((family - baseFamily) & 0xff) << 20)) >>>
    0
  )
}

const vendorOf = (model: CpuModel): string => (model.vendor ?? DEFAULT_VENDOR).padEnd(VENDOR_BYTES, ' ').slice(0, VENDOR_BYTES)
const isAmd = (model: CpuModel): boolean => vendorOf(model) !== 'GenuineIntel'

export function featureWords(model: CpuModel = {}): Readonly<Record<Word, number>> {
  const disabled = new Set((model.disabled ?? []).map((name) => name.toUpperCase()))
  const words = { '1.ecx': 0, '1.edx': 0, '7.ebx': 0, '7.ecx': 0, 'ext.ecx': 0, 'ext.edx': 0 }
  for (const [name, at, bit] of FEATURE_BITS) {
    if (!disabled.has(name.toUpperCase())) words[at] = (words[at] | (1 << bit)) >>> 0
  }
  if (model.hypervisorLeaves?.length === 0) words['1.ecx'] = (words['1.ecx'] & ~HYPERVISOR_BIT) >>> 0
  if (isAmd(model)) {
    const extensions = (words['1.edx'] & (1 << 25)) !== 0 ? AMD_MMX_EXTENSIONS : 0
    words['ext.edx'] = (words['ext.edx'] | (words['1.edx'] & AMD_REPEATED) | extensions) >>> 0
  }
  return words
}

/** Features of the instruction table that this processor lacks, for the decoder's tables. */
export function excludedFeatures(model: CpuModel = {}): readonly Feature[] {
  const disabled = new Set((model.disabled ?? []).map((name) => name.toUpperCase()))
  return [...NEVER_OFFERED, ...DECODER_FEATURES.filter((name) => disabled.has(name.toUpperCase()))]
}

export function cpuidEntries(model: CpuModel = {}): readonly CpuidEntry[] {
  const words = featureWords(model)
  const vendor = vendorOf(model)
  const brand = (model.brand ?? DEFAULT_BRAND).padEnd(BRAND_BYTES, '\0').slice(0, BRAND_BYTES)
  const signature = cpuSignature(model)
  const names = { ebx: word(vendor, 0), edx: word(vendor, 4), ecx: word(vendor, 8) }
  const hasXsave = (words['1.ecx'] & (1 << 26)) !== 0
  const zero = { eax: 0, ebx: 0, ecx: 0, edx: 0 }
  const entries: CpuidEntry[] = [
    { leaf: 0, eax: 0xd, ...names },
    { leaf: 1, eax: signature, ebx: CLFLUSH_LINE | ONE_LOGICAL_PROCESSOR, ecx: words['1.ecx'], edx: words['1.edx'] },
    { leaf: 6, ...zero, eax: ARAT },
    { leaf: 7, subleaf: 0, ...zero, ebx: words['7.ebx'], ecx: words['7.ecx'] },
    { leaf: 0x80000000, eax: 0x80000008, ...(isAmd(model) ? names : { ebx: 0, ecx: 0, edx: 0 }) },
    { leaf: 0x80000001, eax: isAmd(model) ? signature : 0, ebx: 0, ecx: words['ext.ecx'], edx: words['ext.edx'] },
    { leaf: 0x80000007, ...zero, edx: INVARIANT_TSC },
    { leaf: 0x80000008, ...zero, eax: PHYSICAL_AND_LINEAR_BITS },
    ...(model.hypervisorLeaves ?? OWN_LEAVES),
  ]
  if (hasXsave) entries.push({ leaf: 0xd, subleaf: 0, eax: XCR0_X87_SSE, ebx: XSAVE_BYTES, ecx: XSAVE_BYTES, edx: 0 })
  for (let i = 0; i < 3; i++) {
    const at = i * 16
    entries.push({ leaf: 0x80000002 + i, eax: word(brand, at), ebx: word(brand, at + 4), ecx: word(brand, at + 8), edx: word(brand, at + 12) })
  }
  if (isAmd(model)) {
    // 64 KiB L1 each (2-way, 64-byte lines), 512 KiB L2 (16-way), as the family has.
    entries.push({ leaf: 0x80000005, eax: 0x01ff01ff, ebx: 0x01ff01ff, ecx: 0x40020140, edx: 0x40020140 })
    entries.push({ leaf: 0x80000006, eax: 0, ebx: 0x42004200, ecx: 0x02008140, edx: 0 })
  } else {
    entries.push({ leaf: 0x80000006, ...zero, ecx: 0x02008040 })
  }
  return entries
}

/** Writes the model into a vCPU: the CPUID table and what the core itself obeys. */
export function writeCpuModel(view: DataView, vcpu: number, model: CpuModel = {}, apicId = 0): void {
  const entries = cpuidEntries(model)
  if (entries.length > CPUID_ENTRIES_MAX) throw new VmmError('internal/bug', `${entries.length} CPUID leaves do not fit`)
  const table = vcpu + CPUID_TABLE
  view.setUint32(table, entries.length, true)
  entries.forEach((entry, i) => {
    const at = table + 32 + i * CPUID_ENTRY_BYTES
    const words = [entry.leaf, entry.subleaf ?? 0, entry.subleaf === undefined ? 0 : 1, 0, entry.eax, entry.ebx, entry.ecx, entry.edx]
    words.forEach((value, n) => view.setUint32(at + n * 4, value, true))
  })
  const words = featureWords(model)
  view.setUint32(vcpu + FEATURE_1_ECX, words['1.ecx'], true)
  view.setUint32(vcpu + FEATURE_1_EDX, words['1.edx'], true)
  view.setUint32(vcpu + FEATURE_7_EBX, words['7.ebx'], true)
  view.setUint32(vcpu + FEATURE_EXT_ECX, words['ext.ecx'], true)
  view.setUint32(vcpu + FEATURE_EXT_EDX, words['ext.edx'], true)
  view.setUint32(vcpu + VENDOR_AMD, isAmd(model) ? 1 : 0, true)
  view.setUint32(vcpu + CPU_SIGNATURE, cpuSignature(model), true)
  view.setUint32(vcpu + APIC_ID, apicId, true)
  view.setUint32(vcpu + XCR0_SUPPORTED, (words['1.ecx'] & (1 << 26)) !== 0 ? XCR0_X87_SSE : 1, true)
}
