/** When x87 instructions may run. SDM volume 3, 2.5 (CR0.EM, MP, TS) and volume 1, 8.7. */
import { FPU_SW, REG_CR0 } from '../../layout'
import type { Emitter } from '../emitter'

const CR0_EM_TS = 0xc
const SW_ES = 0x80
const NM = 7

/** #NM, and #MF for waiting instructions. */
export const requireX87 = (m: Emitter, waiting: boolean): void => {
  const off = m.and(m.loadState('i32', REG_CR0), m.i32(CR0_EM_TS))
  if (!waiting) {
    m.if(off, () => {
      m.raise(NM)
    })
    return
  }
  m.if(m.or(off, m.and(m.loadState('i32', FPU_SW), m.i32(SW_ES))), () => {
    m.helper('x87Unavailable')
  })
}
