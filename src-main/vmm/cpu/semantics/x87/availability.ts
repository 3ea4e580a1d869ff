/** When x87 instructions may run. SDM volume 3, 2.5 (CR0.EM, MP, TS) and volume 1, 8.7. */
import { REG_CR0 } from '../../layout'
import type { Emitter } from '../emitter'

const CR0_EM_TS = 0xc
const NM = 7

/** #NM, and #MF for waiting instructions. */
export const requireX87 = (m: Emitter, waiting: boolean): void => {
  if (waiting) {
    m.if(m.invariant('x87-blocked'), () => {
      m.helper('x87Unavailable')
    })
  } else {
    m.if(m.and(m.loadState('i32', REG_CR0), m.i32(CR0_EM_TS)), () => {
      m.raise(NM)
    })
  }
}

/** After a change of the control word or of pending exceptions. */
export const x87ControlChanged = (m: Emitter): void => {
  m.changed('x87-blocked')
  m.changed('x87-special')
}
