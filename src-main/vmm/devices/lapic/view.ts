/** A local APIC for people. Intel SDM volume 3, chapter 11: registers and local vector table. */
import { deliveryName } from '../../irq/apic-bus'
import { hexText, vectorsText, type ControllerView } from '../controller-view'
import * as reg from './registers'
import type { LapicStateV1 } from './state'

const LVT_NAMES = ['timer', 'thermal', 'performance', 'LINT0', 'LINT1', 'error'] as const
const TIMER_MODES: Readonly<Record<number, string>> = { [reg.LVT_TIMER_ONESHOT]: 'one-shot', [reg.LVT_TIMER_PERIODIC]: 'periodic', [reg.LVT_TIMER_TSC_DEADLINE]: 'TSC deadline' }

export function lapicView(state: LapicStateV1): ControllerView {
  const lines = [false, false, false, state.lint0, state.lint1, false]
  return {
    name: 'lapic',
    rows: [
      { name: 'ID', value: String(state.id) },
      { name: 'IA32_APIC_BASE', value: `0x${((state.baseHigh >>> 0) * 2 ** 32 + (state.baseLow >>> 0)).toString(16)}` },
      { name: 'enabled', value: (state.baseLow & reg.BASE_ENABLED) === 0 ? 'no' : (state.svr & reg.SVR_ENABLED) === 0 ? 'hardware only' : 'yes' },
      { name: 'TPR', value: hexText(state.tpr, 2) },
      { name: 'IRR', value: vectorsText(state.irr) },
      { name: 'ISR', value: vectorsText(state.isr) },
      { name: 'TMR', value: vectorsText(state.tmr) },
      { name: 'ESR', value: hexText(state.esr, 2) },
      { name: 'LDR, DFR', value: `${hexText(state.ldr, 8)}, ${hexText(state.dfr, 8)}` },
      { name: 'timer count', value: `${state.timer.initial >>> 0}, divide register ${hexText(state.timer.divide, 1)}` },
    ],
    inputs: state.lvt.map((entry, i) => ({
      input: i,
      vector: hexText(entry & reg.LVT_VECTOR, 2),
      masked: (entry & reg.LVT_MASKED) !== 0,
      level: lines[i] ?? false,
      pending: (entry & reg.LVT_REMOTE_IRR) !== 0,
      note: `${LVT_NAMES[i] ?? ''}, ${i === reg.LVT_TIMER ? (TIMER_MODES[entry & reg.LVT_TIMER_MODE] ?? 'reserved mode') : deliveryName((entry >> reg.LVT_MODE_SHIFT) & 7)}`,
    })),
  }
}
