/** PUSHF, POPF, CLI, STI, HLT, IN and OUT: what IOPL and CPL govern. */
import type { Semantics, SemanticsTable } from '../emitter'

const input: Semantics = (m) => {
  const port = m.truncate(m.read(1), 2)
  const bytes = m.i32(m.size)
  m.helper('io_check', port, bytes)
  m.write(0, m.helper('io_read', port, bytes))
}

const output: Semantics = (m) => {
  const port = m.truncate(m.read(0), 2)
  const bytes = m.i32(m.size)
  m.helper('io_check', port, bytes)
  m.call('io_write', port, bytes, m.read(1))
}

const pushf: Semantics = (m) => {
  const value = m.helper('pushf_value')
  if (m.size === 8) m.push(8, m.zext(value))
  else m.push(m.size === 4 ? 4 : 2, value)
}

const popf: Semantics = (m) => {
  const bytes = m.size === 1 ? 2 : m.size
  m.helper('popf_check')
  const value = m.wrap(m.top(bytes))
  m.adjustStack(bytes)
  m.call('popf_write', value, m.i32(bytes))
}

export const flagControlSemantics: SemanticsTable = {
  in: input,
  out: output,
  pushf,
  popf,
  cli: (m) => {
    m.helper('cli')
  },
  sti: (m) => {
    m.helper('sti')
  },
  hlt: (m) => {
    m.helper('hlt')
  },
}
