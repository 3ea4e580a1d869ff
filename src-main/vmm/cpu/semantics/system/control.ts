/** Control and debug registers, MSRs, identification, caches, fast system calls. */
import { MSR_TSC_AUX, SEGMENTS, SEG_BYTES, SEG_EFFECTIVE_BASE, SEG_FS, SEG_GS } from '../../layout'
import type { Emitter, Semantics, SemanticsTable, Value } from '../emitter'
import { RAX, RCX, RDX } from '../values'

const EXCEPTION_UD = 6
const HALF = 32

const status =
  (helper: string): Semantics =>
  (m) => {
    m.helper(helper)
  }

const undefinedOpcode: Semantics = (m) => m.raise(EXCEPTION_UD)

/** An i64 as a value of the operand size. */
const narrow = (m: Emitter, value: Value): Value => m.truncate(value, m.size)
const highHalf = (m: Emitter, value: Value): Value => m.wrap(m.shrU(value, m.i64(HALF)))
const joined = (m: Emitter, high: Value, low: Value): Value => m.or(m.shl(m.zext(high), m.i64(HALF)), m.zext(low))

const readRegister =
  (helper: 'read_cr' | 'read_dr'): Semantics =>
  (m) =>
    m.write(0, narrow(m, m.helper(helper, m.registerField(1))))

const writeRegister =
  (helper: 'write_cr' | 'write_dr'): Semantics =>
  (m) => {
    m.helper(helper, m.registerField(0), m.zext(m.read(1)))
  }

/** Only the address counts: no limit is checked. */
const invlpg: Semantics = (m) => {
  const base = m.loadStateAt('i64', m.mul(m.operandSegment(), m.i32(SEG_BYTES)), SEGMENTS + SEG_EFFECTIVE_BASE)
  m.helper('invlpg', m.add(base, m.effectiveAddress()))
}

const random: Semantics = (m) => {
  m.write(0, narrow(m, m.helper('random_next')))
  // CF: there is a value; the other status flags are cleared.
  m.setStatusFlags(m.i32(1))
}

const readBase =
  (segment: number): Semantics =>
  (m) =>
    m.write(0, narrow(m, m.helper('read_segment_base', m.i32(segment))))

const writeBase =
  (segment: number): Semantics =>
  (m) => {
    m.helper('set_segment_base', m.i32(segment), m.zext(m.read(0)))
  }

export const controlSemantics: SemanticsTable = {
  mov_from_cr: readRegister('read_cr'),
  mov_to_cr: writeRegister('write_cr'),
  mov_from_dr: readRegister('read_dr'),
  mov_to_dr: writeRegister('write_dr'),
  clts: status('clts'),
  lmsw: (m) => {
    m.helper('privileged')
    m.helper('lmsw', m.read(0))
  },
  smsw: (m) => {
    const value = m.helper('smsw')
    m.write(0, m.isMemory(0) ? m.truncate(value, 2) : narrow(m, value))
  },
  invlpg,
  invd: status('privileged'),
  wbinvd: status('privileged'),
  rdmsr: status('rdmsr'),
  wrmsr: status('wrmsr'),
  rdtsc: status('rdtsc'),
  rdtscp: status('rdtscp'),
  rdpmc: status('rdpmc'),
  cpuid: (m) => m.call('cpuid'),
  xgetbv: (m) => {
    const value = m.helper('xgetbv', m.gpr(RCX, 4))
    m.setGpr(RAX, 4, m.wrap(value))
    m.setGpr(RDX, 4, highHalf(m, value))
  },
  xsetbv: (m) => {
    m.helper('xsetbv', m.gpr(RCX, 4), joined(m, m.gpr(RDX, 4), m.gpr(RAX, 4)))
  },
  stac: (m) => {
    m.helper('set_ac', m.i32(1))
  },
  clac: (m) => {
    m.helper('set_ac', m.i32(0))
  },
  rdrand: random,
  rdseed: random,
  rdfsbase: readBase(SEG_FS),
  rdgsbase: readBase(SEG_GS),
  wrfsbase: writeBase(SEG_FS),
  wrgsbase: writeBase(SEG_GS),
  rdpid: (m) => m.write(0, narrow(m, m.loadState('i64', MSR_TSC_AUX))),
  syscall: status('syscall'),
  sysenter: status('sysenter'),
  sysret: (m) => {
    m.helper('sysret', m.i32(m.size))
  },
  sysexit: (m) => {
    m.helper('sysexit', m.i32(m.size))
  },
  swapgs: status('swapgs'),
  vmcall: status('hypercall'),
  vmmcall: status('hypercall'),
  // Not offered by CPUID: #UD.
  monitor: undefinedOpcode,
  mwait: undefinedOpcode,
  invpcid: undefinedOpcode,
  rsm: undefinedOpcode,
  vmlaunch: undefinedOpcode,
  vmresume: undefinedOpcode,
  vmxoff: undefinedOpcode,
  vmrun: undefinedOpcode,
}
