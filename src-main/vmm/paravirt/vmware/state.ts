import type { SavedState } from '../../devices/device'

export interface ChannelState {
  readonly id: number
  readonly protocol: number
  readonly cookieHigh: number
  readonly cookieLow: number
  /** Of a message from the guest: its size, and what has come of it; undefined: none is under way. */
  incoming: { readonly bytes: number; readonly data: readonly number[] } | undefined
  /** A message to the guest, and how much of it has gone. */
  outgoing: { readonly data: Uint8Array; readonly sent: number } | undefined
  /** A number that grows: the channel with the lowest has not been used for longest. */
  usedAt: number
}

export interface VmwareState {
  channels: ChannelState[]
  /** Channels opened, and requests made, since power-on. */
  opened: number
  requests: number
  /** What the tools are to be told, and what they have been told without an answer yet. */
  toTools: string[]
  asked: string | undefined
  /** The name under which tools have reported themselves. */
  tools: string | undefined
  capabilities: string[]
  /** guestinfo.* and what else the guest has told. */
  info: [name: string, value: string][]
  pointer: { enabled: boolean; absolute: boolean; queue: number[]; buttons: number }
}

export interface VmwareStateV1 extends SavedState, Readonly<VmwareState> {
  readonly schema: readonly ['vmware', 1]
}

export function initialState(): VmwareState {
  return { channels: [], opened: 0, requests: 0, toTools: [], asked: undefined, tools: undefined, capabilities: [], info: [], pointer: { enabled: false, absolute: false, queue: [], buttons: 0 } }
}
