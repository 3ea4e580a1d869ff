/** What the main process tells the window unasked. */
import { z } from 'zod'
import type { EventName } from './channels'
import { VmId, VmState } from './state'

export const MENU_CHOICES = ['toggle-serial-console', 'toggle-translator', 'toggle-stretch', 'send-ctrl-alt-delete', 'grab-input'] as const

export const events = {
  'vm.state-changed': z.object({ vm: VmId, state: VmState }),
  /** A menu entry that concerns the page. */
  'menu.chosen': z.object({ choice: z.enum(MENU_CHOICES) }),
} as const satisfies Record<EventName, z.ZodType>

export type Events = typeof events
export type EventPayload<N extends EventName> = z.infer<Events[N]>
export type MenuChoice = (typeof MENU_CHOICES)[number]
