/** Instructions on the flags themselves. CLI and STI are privileged business (system/). */
import type { Semantics, SemanticsTable } from '../emitter'
import { REG_EFLAGS } from '../../layout'
import { RAX, num } from '../values'

const EFLAGS_DF = 0x400
/** SF, ZF, AF, PF and CF: what SAHF sets. */
const SAHF_FLAGS = 0xd5

const clc: Semantics = (m) => m.setFlags({ cf: m.i32(0) })
const stc: Semantics = (m) => m.setFlags({ cf: m.i32(1) })
const cmc: Semantics = (m) => m.setFlags({ cf: m.eqz(m.flag('cf')) })
const cld: Semantics = (m) => m.storeState(REG_EFLAGS, m.and(m.loadState('i32', REG_EFLAGS), m.i32(~EFLAGS_DF)))
const std: Semantics = (m) => m.storeState(REG_EFLAGS, m.or(m.loadState('i32', REG_EFLAGS), m.i32(EFLAGS_DF)))

const lahf: Semantics = (m) => {
  const low = m.or(m.and(m.statusFlags(), m.i32(SAHF_FLAGS)), m.i32(2))
  m.setGpr(RAX, 2, m.or(m.shl(low, m.i32(8)), m.gpr(RAX, 1)))
}

const sahf: Semantics = (m) => {
  const flags = m.and(m.shrU(m.gpr(RAX, 2), m.i32(8)), m.i32(SAHF_FLAGS))
  m.setStatusFlags(m.or(flags, m.shl(m.flag('of'), m.i32(11))))
}

const salc: Semantics = (m) => m.setGpr(RAX, 1, m.sub(num(m, 0, 4), m.flag('cf')))

export const flagSemantics: SemanticsTable = { clc, stc, cmc, cld, std, lahf, sahf, salc }
