/** What the main process tells every window unasked. */
import { z } from 'zod'
import type { EventName } from './channels'
import { LibraryDto, VmCard, VmId } from './library'
import { HostPath } from './library'
import { LogMessage } from './messages'
import { PowerState } from './power'
import { Preferences } from './preferences'

export const events = {
  /** The list, folders, order, favourites, recent ones. */
  'library.changed': LibraryDto,
  /** One VM: settings, problems, state. */
  'vm.changed': VmCard,
  'vm.power-changed': z.object({ vm: VmId, power: PowerState }),
  /** Devices that were busy since the last one, at most four times a second: "disk-0", "cdrom-0", "serial-0", "screen", "input". */
  'vm.activity': z.object({ vm: VmId, devices: z.array(z.string()) }),
  /** A PNG at most 320 pixels wide, of a VM whose thumbnails this window has asked for. */
  'vm.thumbnail': z.object({ vm: VmId, png: z.instanceof(Uint8Array) }),
  /** The guest has written to a serial port while its screen stayed in text mode without change: the terminal should show itself. */
  'vm.serial-speaks': z.object({ vm: VmId, port: z.number().int() }),
  'app.message': LogMessage,
  'app.preferences-changed': Preferences,
  /** Files were dropped on this window; their paths are known from now on. */
  'files.dropped': z.object({ paths: z.array(HostPath) }),
  /** Another start of the app, the tray or a notification asks this window to show a VM; undefined: to come to the front. */
  'window.show-vm': z.object({ vm: VmId.optional() }),
  'window.full-screen-changed': z.object({ on: z.boolean() }),
  /** The user wants to quit or to close the last window while VMs run: the page asks about `running` and answers with app.quit, or with nothing (cancel). */
  'window.close-asked': z.object({ running: z.array(VmId), quitting: z.boolean() }),
} as const satisfies Record<EventName, z.ZodType>

export type Events = typeof events
export type EventPayload<N extends EventName> = z.infer<Events[N]>
