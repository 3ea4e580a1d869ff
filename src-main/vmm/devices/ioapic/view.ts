/** The I/O APIC for people. Intel 82093AA data sheet (290566), 3.2.4: redirection table. */
import { deliveryName } from '../../irq/apic-bus'
import { hexText, type ControllerView } from '../controller-view'
import * as reg from './registers'
import type { IoApicStateV1 } from './state'

export function ioApicView(state: IoApicStateV1): ControllerView {
  return {
    name: 'ioapic',
    rows: [{ name: 'ID', value: String(state.id) }],
    inputs: state.low.map((low, pin) => {
      const destination = (state.high[pin] ?? 0) >>> reg.RED_DESTINATION_SHIFT
      const level = (low & reg.RED_LEVEL) !== 0
      return {
        input: pin,
        vector: hexText(low & reg.RED_VECTOR, 2),
        masked: (low & reg.RED_MASKED) !== 0,
        level: (state.lines & (1 << pin)) !== 0,
        pending: (low & reg.RED_REMOTE_IRR) !== 0,
        note: `${level ? 'level' : 'edge'}, ${deliveryName((low >> reg.RED_MODE_SHIFT) & 7)}, to ${(low & reg.RED_LOGICAL) !== 0 ? 'logical' : 'APIC'} ${destination}`,
      }
    }),
  }
}
