/** The names that cross from the window to the main process and back: plain lists, so that the preload script needs no schema library. */

export const REQUEST_NAMES = [
  'vm.describe', 'vm.power-on', 'vm.pause', 'vm.resume', 'vm.reset', 'vm.shut-down-guest', 'vm.power-off', 'vm.stats',
  'vm.regions', 'vm.region',
  'console.open', 'serial.open', 'window.set-input-grabbed',
] as const
export type RequestName = (typeof REQUEST_NAMES)[number]

export const EVENT_NAMES = ['vm.state-changed', 'menu.chosen'] as const
export type EventName = (typeof EVENT_NAMES)[number]

/** Streams run over a MessagePort each; a request opens one, and its port arrives by a window message. */
export const STREAM_NAMES = ['console', 'serial'] as const
export type StreamName = (typeof STREAM_NAMES)[number]

/** Electron IPC channel of a request or event. */
export const channelOf = (name: RequestName | EventName): string => `vitrine:${name}`
/** Electron IPC channel on which a stream's port comes. */
export const PORT_CHANNEL = 'vitrine:port'
/** Marks the window message that carries a stream's port from the preload script to the page. */
export const PORT_MESSAGE = 'vitrine-port'

/** Longest piece of serial input in one message. */
export const MAX_SERIAL_INPUT = 1 << 12
