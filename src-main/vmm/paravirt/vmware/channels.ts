/** Messages between guest and host: up to eight channels, each with one message under way in each direction, in pieces of four bytes or as a string. */
import type { CallingProcessor } from '../hypervisor-interface'
import * as reg from './registers'
import type { ChannelState, VmwareState } from './state'

/** What is above the channels. */
export interface MessageEnd {
  opened(channel: ChannelState): void
  /** A whole message from the guest. */
  received(channel: ChannelState, data: Uint8Array): void
  /** The next message for the guest, if there is one. */
  next(channel: ChannelState): Uint8Array | undefined
}

const high = (value: number): number => value >>> 16

export class Channels {
  constructor(
    private readonly state: VmwareState,
    private readonly end: MessageEnd,
  ) {}

  /** The command MESSAGE: the request's type is in the high half of ECX, where the status goes. */
  request(processor: CallingProcessor): void {
    const type = high(processor.gpr32('rcx'))
    this.state.requests++
    const status = type === reg.MESSAGE_OPEN ? this.open(processor) : this.onChannel(type, processor)
    processor.setGpr32('rcx', (status << 16) | (processor.gpr32('rcx') & 0xffff))
  }

  private open(processor: CallingProcessor): number {
    const wanted = processor.gpr32('rbx')
    const protocol = (wanted & ~reg.OPEN_WITH_COOKIE) >>> 0
    if (protocol !== reg.PROTOCOL_RPCI && protocol !== reg.PROTOCOL_TCLO) return 0
    const { state } = this
    const cookie = (wanted & reg.OPEN_WITH_COOKIE) !== 0
    // Programs end without closing theirs.
    if (state.channels.length >= reg.MAX_CHANNELS) state.channels.splice(state.channels.indexOf(this.longestUnused()), 1)
    const id = Array.from({ length: reg.MAX_CHANNELS }, (_, i) => i).find((number) => !state.channels.some((channel) => channel.id === number)) ?? 0
    // Tells programs of one guest apart, and is the same in every run.
    const [cookieHigh, cookieLow] = cookie ? [Math.imul(++state.opened, 0x9e3779b1) >>> 0, Math.imul(state.requests + 1, 0x85ebca6b) >>> 0] : [0, 0]
    const channel: ChannelState = { id, protocol, cookieHigh, cookieLow, incoming: undefined, outgoing: undefined, usedAt: state.requests }
    state.channels.push(channel)
    this.end.opened(channel)
    processor.setGpr32('rdx', (id << 16) | (processor.gpr32('rdx') & 0xffff))
    if (cookie) {
      processor.setGpr32('rsi', cookieHigh)
      processor.setGpr32('rdi', cookieLow)
    }
    return reg.STATUS_SUCCESS
  }

  private longestUnused(): ChannelState {
    return this.state.channels.reduce((oldest, channel) => (channel.usedAt < oldest.usedAt ? channel : oldest))
  }

  private find(id: number, cookieHigh: number, cookieLow: number): ChannelState | undefined {
    const channel = this.state.channels.find((one) => one.id === id)
    if (channel === undefined) return undefined
    if ((channel.cookieHigh !== 0 || channel.cookieLow !== 0) && (channel.cookieHigh !== cookieHigh || channel.cookieLow !== cookieLow)) return undefined
    channel.usedAt = this.state.requests
    return channel
  }

  private onChannel(type: number, processor: CallingProcessor): number {
    const channel = this.find(high(processor.gpr32('rdx')), processor.gpr32('rsi'), processor.gpr32('rdi'))
    if (channel === undefined) return 0
    const answerType = (kind: number): void => processor.setGpr32('rdx', (kind << 16) | (processor.gpr32('rdx') & 0xffff))
    switch (type) {
      case reg.MESSAGE_SEND_SIZE:
        return this.begin(channel, processor.gpr32('rbx')) ? reg.STATUS_SUCCESS | reg.STATUS_HIGH_BANDWIDTH : 0
      case reg.MESSAGE_SEND_PAYLOAD: {
        const piece = processor.gpr32('rbx')
        return this.put(channel, [piece & 0xff, (piece >> 8) & 0xff, (piece >> 16) & 0xff, piece >>> 24]) ? reg.STATUS_SUCCESS : 0
      }
      case reg.MESSAGE_RECEIVE_SIZE: {
        const data = channel.outgoing?.data ?? this.end.next(channel)
        if (data === undefined) return reg.STATUS_SUCCESS
        channel.outgoing = { data, sent: 0 }
        answerType(reg.MESSAGE_SEND_SIZE)
        processor.setGpr32('rbx', data.length)
        return reg.STATUS_SUCCESS | reg.STATUS_DO_RECEIVE | reg.STATUS_HIGH_BANDWIDTH
      }
      case reg.MESSAGE_RECEIVE_PAYLOAD: {
        if (channel.outgoing === undefined) return 0
        const bytes = this.take(channel, 4)
        answerType(reg.MESSAGE_SEND_PAYLOAD)
        processor.setGpr32('rbx', bytes.reduce((all, byte, i) => (all | (byte << (8 * i))) >>> 0, 0))
        return reg.STATUS_SUCCESS
      }
      case reg.MESSAGE_RECEIVE_STATUS:
        channel.outgoing = undefined
        return reg.STATUS_SUCCESS
      case reg.MESSAGE_CLOSE:
        this.state.channels.splice(this.state.channels.indexOf(channel), 1)
        return reg.STATUS_SUCCESS
      default:
        return 0
    }
  }

  private begin(channel: ChannelState, bytes: number): boolean {
    if (bytes > reg.MAX_MESSAGE_BYTES) return false
    channel.incoming = { bytes, data: [] }
    if (bytes === 0) this.complete(channel)
    return true
  }

  private put(channel: ChannelState, bytes: readonly number[]): boolean {
    const { incoming } = channel
    if (incoming === undefined) return false
    // The message is this machine's own until it is whole: grown in place.
    const data = incoming.data as number[]
    for (const byte of bytes) if (data.length < incoming.bytes) data.push(byte)
    if (data.length === incoming.bytes) this.complete(channel)
    return true
  }

  private complete(channel: ChannelState): void {
    const data = Uint8Array.from(channel.incoming?.data ?? [])
    channel.incoming = undefined
    this.end.received(channel, data)
  }

  private take(channel: ChannelState, bytes: number): Uint8Array {
    const { outgoing } = channel
    if (outgoing === undefined) return new Uint8Array(0)
    channel.outgoing = { data: outgoing.data, sent: Math.min(outgoing.data.length, outgoing.sent + bytes) }
    return outgoing.data.subarray(outgoing.sent, outgoing.sent + bytes)
  }

  // ---- strings -----------------------------------------------------------------------------------------------------------------------------

  /** A byte of REP OUTSB: the channel's cookie is in EBP and EDI, which that leaves alone. */
  stringOut(byte: number, processor: CallingProcessor): void {
    const channel = this.ofString(processor, 'rbp', 'rdi')
    stringStatus(processor, channel !== undefined && this.put(channel, [byte]))
  }

  /** A byte of REP INSB: the cookie is in ESI and EBP. */
  stringIn(processor: CallingProcessor): number {
    const channel = this.ofString(processor, 'rsi', 'rbp')
    const [byte = 0] = channel === undefined ? [] : this.take(channel, 1)
    stringStatus(processor, channel?.outgoing !== undefined)
    return byte
  }

  private ofString(processor: CallingProcessor, cookieHigh: 'rbp' | 'rsi', cookieLow: 'rdi' | 'rbp'): ChannelState | undefined {
    if ((processor.gpr32('rbx') & 0xffff) !== reg.HIGH_BANDWIDTH_MESSAGE) return undefined
    return this.find(high(processor.gpr32('rdx')), processor.gpr32(cookieHigh), processor.gpr32(cookieLow))
  }
}

/** In the high half of EBX. */
function stringStatus(processor: CallingProcessor, success: boolean): void {
  processor.setGpr32('rbx', ((success ? reg.STATUS_SUCCESS : 0) << 16) | (processor.gpr32('rbx') & 0xffff))
}
