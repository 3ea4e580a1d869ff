/** CPUID, time-stamp counter, performance counters, random numbers, FS/GS base instructions. SDM vol. 2. */
import {
  CODE_MODE,
  CPL,
  MSR_APIC_BASE,
  MSR_TSC_AUX,
  REG_CR4,
  REG_GPR,
  SEG_BASE,
  STATUS_NEXT,
} from '../../layout'
import { APIC_ID, CPUID_ENTRIES_MAX, CPUID_ENTRY_BYTES, CPUID_TABLE, RANDOM_STATE } from '../../layout-system'
import { raise_gp, raise_ud } from '../interrupt/raise'
import { segment } from '../segment/derived'
import { CR4_FSGSBASE, CR4_OSXSAVE, CR4_PCE, CR4_TSD } from './bits'
import { guest_tsc, write_segment_base } from './msr'

const RAX = REG_GPR
const RCX = REG_GPR + 8
const RDX = REG_GPR + 16
const RBX = REG_GPR + 24

const LEAF_1_ECX_OSXSAVE: u32 = 1 << 27
const LEAF_1_EDX_APIC: u32 = 1 << 9

/** Looks the leaf up in CPUID_TABLE (filled by cpu/cpuid.ts); leaves that are not there read zeros, as AMD has it. */
export function cpuid(vcpu: usize): void {
  const leaf = load<u32>(vcpu, RAX)
  const subleaf = load<u32>(vcpu, RCX)
  const table = vcpu + CPUID_TABLE
  const count = min<u32>(load<u32>(table), CPUID_ENTRIES_MAX)
  let eax: u32 = 0
  let ebx: u32 = 0
  let ecx: u32 = 0
  let edx: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const entry = table + 32 + <usize>i * CPUID_ENTRY_BYTES
    if (load<u32>(entry) != leaf || (load<u32>(entry, 8) & 1 && load<u32>(entry, 4) != subleaf)) continue
    eax = load<u32>(entry, 16)
    ebx = load<u32>(entry, 20)
    ecx = load<u32>(entry, 24)
    edx = load<u32>(entry, 28)
    break
  }
  if (leaf == 1) {
    ebx = (ebx & 0x00ffffff) | (load<u32>(vcpu, APIC_ID) << 24)
    if (load<u64>(vcpu, REG_CR4) & CR4_OSXSAVE) ecx |= LEAF_1_ECX_OSXSAVE
    if (!(load<u64>(vcpu, MSR_APIC_BASE) & 0x800)) edx &= ~LEAF_1_EDX_APIC
  } else if (leaf == 0x0b) {
    edx = load<u32>(vcpu, APIC_ID)
  }
  store<u64>(vcpu, eax, RAX)
  store<u64>(vcpu, ebx, RBX)
  store<u64>(vcpu, ecx, RCX)
  store<u64>(vcpu, edx, RDX)
}

/** RDTSC; RDTSCP sets ECX in its meaning. */
export function rdtsc(vcpu: usize): i32 {
  if (load<u64>(vcpu, REG_CR4) & CR4_TSD && load<i32>(vcpu, CPL)) return raise_gp(vcpu, 0)
  const tsc = guest_tsc(vcpu)
  store<u64>(vcpu, tsc & 0xffffffff, RAX)
  store<u64>(vcpu, tsc >> 32, RDX)
  return STATUS_NEXT
}

export function rdtscp(vcpu: usize): i32 {
  const status = rdtsc(vcpu)
  if (status == STATUS_NEXT) store<u64>(vcpu, load<u64>(vcpu, MSR_TSC_AUX) & 0xffffffff, RCX)
  return status
}

/** Four counters that stand still. */
export function rdpmc(vcpu: usize): i32 {
  if (load<i32>(vcpu, CPL) && !(load<u64>(vcpu, REG_CR4) & CR4_PCE)) return raise_gp(vcpu, 0)
  if (load<u32>(vcpu, RCX) >= 4) return raise_gp(vcpu, 0)
  store<u64>(vcpu, 0, RAX)
  store<u64>(vcpu, 0, RDX)
  return STATUS_NEXT
}

/** xorshift64*: deterministic, so that a run can be repeated; seeded when the machine is created. */
export function random_next(vcpu: usize): i64 {
  let x = load<u64>(vcpu, RANDOM_STATE)
  if (x == 0) x = 0x9e3779b97f4a7c15
  x ^= x >> 12
  x ^= x << 25
  x ^= x >> 27
  store<u64>(vcpu, x, RANDOM_STATE)
  return <i64>(x * 0x2545f4914f6cdd1d)
}

/** RDFSBASE, RDGSBASE. Look at EXC_VECTOR. */
export function read_segment_base(vcpu: usize, seg: i32): i64 {
  if (load<i32>(vcpu, CODE_MODE) != 2 || !(load<u64>(vcpu, REG_CR4) & CR4_FSGSBASE)) {
    raise_ud(vcpu)
    return 0
  }
  return load<i64>(segment(vcpu, seg), SEG_BASE)
}

/** WRFSBASE, WRGSBASE. */
export function set_segment_base(vcpu: usize, seg: i32, value: u64): i32 {
  if (load<i32>(vcpu, CODE_MODE) != 2 || !(load<u64>(vcpu, REG_CR4) & CR4_FSGSBASE)) return raise_ud(vcpu)
  return write_segment_base(vcpu, seg, value) ? STATUS_NEXT : raise_gp(vcpu, 0)
}
