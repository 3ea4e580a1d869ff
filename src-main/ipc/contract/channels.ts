/** The names that cross from the window to the main process and back: plain lists, so that the preload script needs no schema library. */

export const REQUEST_NAMES = [
  'app.describe', 'app.preferences', 'app.set-preferences', 'app.messages', 'app.quit',
  'host.describe',
  'clipboard.read-text',
  'window.memory', 'window.remember', 'window.wanted-vm', 'window.new', 'window.close', 'window.set-input-grabbed', 'window.set-full-screen', 'window.grow-by',
  'files.choose', 'files.describe',
  'library.contents', 'library.create', 'library.check-name', 'library.open', 'library.scan', 'library.create-demo', 'library.remove', 'library.delete', 'library.rename', 'library.set-favourite', 'library.place', 'library.create-folder', 'library.rename-folder', 'library.place-folder', 'library.remove-folder', 'library.thumbnail', 'library.watch-thumbnails', 'library.discard-suspended', 'library.show-folder',
  'vm.power', 'vm.settings', 'vm.check-settings', 'vm.change-settings', 'vm.add-disk', 'vm.expand-disk', 'vm.set-cdrom', 'vm.screenshot', 'vm.picture', 'vm.send-keys', 'vm.type-text', 'vm.screen-text', 'vm.stats', 'vm.inspect', 'vm.device-states', 'vm.regions', 'vm.region', 'vm.log',
  'console.open',
  'serial.open', 'serial.log',
] as const
export type RequestName = (typeof REQUEST_NAMES)[number]

export const EVENT_NAMES = [
  'library.changed',
  'vm.changed', 'vm.power-changed', 'vm.activity', 'vm.thumbnail', 'vm.serial-speaks',
  'app.message', 'app.preferences-changed',
  'files.dropped',
  'window.show-vm', 'window.full-screen-changed', 'window.close-asked',
] as const
export type EventName = (typeof EVENT_NAMES)[number]

/** Streams run over a MessagePort each; a request opens one, and its port arrives by a window message. */
export const STREAM_NAMES = ['console', 'serial'] as const
export type StreamName = (typeof STREAM_NAMES)[number]

/** Electron IPC channel of a request or event. */
export const channelOf = (name: RequestName | EventName): string => `vitrine:${name}`
/** Electron IPC channel on which a stream's port comes. */
export const PORT_CHANNEL = 'vitrine:port'
/** Files dropped on the page: the preload script alone sends there, after events that the page cannot make. */
export const DROP_CHANNEL = 'vitrine:drop'
/** Most files in one drop that are looked at. */
export const MAX_DROPPED = 32
/** Marks the window message that carries a stream's port from the preload script to the page: { kind: PORT_MESSAGE, stream, number }, `number` as the request answers. */
export const PORT_MESSAGE = 'vitrine-port'

/** Longest piece of serial input in one message. */
export const MAX_SERIAL_INPUT = 1 << 12
