/**
 * What VMware's tools in the guest and the host tell each other. RPCI: the guest says "command arguments" and hears "1 result" or "0 error". TCLO: the guest
 * asks again and again what the host wants, and answers "OK result" or "ERROR reason". Source: open-vm-tools (guest_msg_def.h, rpcin, powerops, guestinfo,
 * resolution set).
 */
import type { MessageEnd } from './channels'
import * as reg from './registers'
import type { ChannelState, VmwareState } from './state'

const MAX_INFO = 128
const MAX_NAME = 128
const MAX_VALUE = 4096
const MAX_CAPABILITIES = 64
/** What waits for tools that do not come is of no use later. */
const MAX_WAITING = 16
const RESET = 'reset'
/** After the tools have reported themselves: they say what they can, and tell the guest's address. */
const GREETING: readonly string[] = ['Capabilities_Register', 'Set_Option broadcastIP 1']
const CAPABILITY = 'tools.capability.'

const text = new TextDecoder('utf-8')
const bytesOf = (message: string): Uint8Array => new TextEncoder().encode(message)
/** Without what cannot be shown: it goes to logs, terminals and windows. */
const printable = (value: string): string => [...value].filter((char) => char >= ' ' && char !== '\x7f').join('').trim()

export interface ToolsCounters {
  asked: number
  refused: number
  told: number
}

export class Tools implements MessageEnd {
  readonly counters: ToolsCounters = { asked: 0, refused: 0, told: 0 }

  constructor(private readonly state: VmwareState) {}

  get running(): boolean {
    return this.state.tools !== undefined && this.state.channels.some(({ protocol }) => protocol === reg.PROTOCOL_TCLO)
  }

  /** Shuts down or restarts by the guest's own doing. false: no tools are there to do it. */
  ask(what: 'OS_Halt' | 'OS_Reboot'): boolean {
    return this.running && this.tell(what)
  }

  /** false: the guest's tools do not do that. */
  setResolution(width: number, height: number): boolean {
    return this.running && this.state.capabilities.includes('resolution_set') && this.tell(`Resolution_Set ${width} ${height}`)
  }

  private tell(message: string): boolean {
    if (this.state.toTools.length >= MAX_WAITING) return false
    this.state.toTools.push(message)
    return true
  }

  // ---- channels ----------------------------------------------------------------------------------------------------------------------------

  opened(channel: ChannelState): void {
    if (channel.protocol !== reg.PROTOCOL_TCLO) return
    const { state } = this
    // Another start of the tools: those of before are gone.
    state.channels = state.channels.filter((other) => other === channel || other.protocol !== reg.PROTOCOL_TCLO)
    state.tools = undefined
    state.asked = undefined
    state.toTools = [RESET]
  }

  received(channel: ChannelState, data: Uint8Array): void {
    if (channel.protocol === reg.PROTOCOL_TCLO) this.toolsAnswered(text.decode(data))
    else channel.outgoing = { data: this.answer(data), sent: 0 }
  }

  next(channel: ChannelState): Uint8Array | undefined {
    const { state } = this
    if (channel.protocol !== reg.PROTOCOL_TCLO || state.asked !== undefined) return undefined
    const message = state.toTools.shift()
    if (message === undefined) return undefined
    state.asked = message
    this.counters.told++
    return bytesOf(message)
  }

  /** Nothing is sent when nothing was asked. */
  private toolsAnswered(answer: string): void {
    const { state } = this
    const asked = state.asked
    if (asked === undefined || answer === '') return
    state.asked = undefined
    if (asked !== RESET || !answer.startsWith('OK')) return
    // "OK ATR name"
    state.tools = printable(answer.split(' ')[2] ?? '').slice(0, MAX_NAME)
    state.capabilities = []
    for (const message of GREETING) this.tell(message)
  }

  // ---- what the guest asks -----------------------------------------------------------------------------------------------------------------

  private answer(data: Uint8Array): Uint8Array {
    const message = text.decode(data).replace(/\0+$/, '')
    this.counters.asked++
    const result = this.obey(message)
    if (result === undefined) this.counters.refused++
    return bytesOf(result === undefined ? '0 Unknown command' : result)
  }

  /** undefined: no such command. */
  private obey(message: string): string | undefined {
    const [, command = '', rest = ''] = /^(\S+) ?([^]*)$/.exec(message) ?? []
    if (command.startsWith(CAPABILITY)) return this.capability(command.slice(CAPABILITY.length), rest)
    switch (command) {
      case 'info-get': {
        const found = this.state.info.find(([name]) => name === rest.trim())
        return found === undefined ? '0 No value found' : `1 ${found[1]}`
      }
      case 'info-set': {
        const [, name = '', value = ''] = /^(\S+) ?([^]*)$/.exec(rest) ?? []
        return name.startsWith('guestinfo.') && this.note(name, value) ? '1 ' : '0 Permission denied'
      }
      case 'SetGuestInfo': {
        const [, kind = '', value = ''] = /^ *(\d+) ?([^]*)$/.exec(rest) ?? []
        return this.guestInfo(Number(kind), value)
      }
      case 'tools.set.version':
      case 'tools.set.versiontype':
        return this.note('toolsVersion', rest.trim().split(' ', 1)[0] ?? '') ? '1 ' : '0 '
      case 'tools.os.statechange.status':
      case 'log':
      case 'vmx.set_option':
        return '1 '
      case 'machine.id.get':
        return '0 No machine id'
      default:
        return undefined
    }
  }

  private guestInfo(kind: number, value: string): string {
    const name = { [reg.INFO_HOST_NAME]: 'hostName', [reg.INFO_IP_ADDRESS]: 'address', [reg.INFO_BUILD]: 'toolsBuild', [reg.INFO_SYSTEM_FULL]: 'system' }[kind]
    // Others are of no use here, and welcome.
    return name === undefined || this.note(name, value) ? '1 ' : '0 '
  }

  private capability(name: string, value: string): string {
    const { state } = this
    const [first = ''] = value.trim().split(' ')
    const others = state.capabilities.filter((capability) => capability !== name)
    state.capabilities = first === '' || first === '0' || others.length >= MAX_CAPABILITIES ? others : [...others, printable(name).slice(0, MAX_NAME)]
    return '1 '
  }

  private note(name: string, value: string): boolean {
    const { state } = this
    const others = state.info.filter(([other]) => other !== name)
    if (name.length > MAX_NAME || value.length > MAX_VALUE || others.length >= MAX_INFO) return false
    state.info = [...others, [name, printable(value)]]
    return true
  }

  /** What the guest has told, for people. */
  told(): Readonly<Record<string, string>> {
    const found = new Map(this.state.info)
    const address = found.get('guestinfo.ip') ?? found.get('address')
    const facts: readonly (readonly [name: string, value: string | undefined])[] = [
      ['address', address], ['hostName', found.get('hostName')], ['system', found.get('system')], ['toolsVersion', found.get('toolsVersion')], ['tools', this.state.tools],
    ]
    return Object.fromEntries(facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== ''))
  }
}
