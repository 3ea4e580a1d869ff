/** VMware's interface: registers.ts has its sources. */
import type { CpuidEntry } from '../../cpu/cpuid'
import { BAD_WIDTH, NO_REGISTER, type Claim, type IoFault, type PioHandler, type Width } from '../../devices/device'
import { TIMER_TICK_NS } from '../../devices/lapic/registers'
import { expectSchema } from '../../devices/saved-state'
import { VmmError } from '../../errors/vmm-error'
import { featuresLeft } from '../features'
import type { CallingProcessor, HypercallAnswer, HypervisorFigures, HypervisorHost, HypervisorInterface } from '../hypervisor-interface'
import { signatureLeaf, timingLeaf, TIMING_LEAF } from '../signature-leaf'
import { Channels } from './channels'
import { Pointer } from './pointer'
import * as reg from './registers'
import { initialState, type VmwareState, type VmwareStateV1 } from './state'
import { Tools } from './tools'

export const VMWARE_FEATURES = ['time', 'tools', 'pointer'] as const
export type VmwareFeature = (typeof VMWARE_FEATURES)[number]

const MIB = 0x100000
const HZ = 1_000_000_000
const TWO_TO_32 = 0x100000000

export class Vmware implements HypervisorInterface<VmwareStateV1>, PioHandler {
  readonly name = 'vmware'
  readonly claims: readonly Claim[] = [{ kind: 'pio', name: 'backdoor', first: reg.PORT, last: reg.PORT_LAST, handler: this }]
  readonly leaves: readonly CpuidEntry[] = [signatureLeaf(reg.SIGNATURE, TIMING_LEAF), timingLeaf(TIMER_TICK_NS)]
  private readonly features: ReadonlySet<VmwareFeature>
  private readonly state: VmwareState = initialState()
  private readonly counters = { calls: 0, unknownCalls: 0, timeReads: 0, pointerReads: 0 }
  private readonly tools = new Tools(this.state)
  private readonly channels = new Channels(this.state, this.tools)
  private readonly pointerQueue = new Pointer(this.state)
  private made: HypervisorHost | undefined

  /** `disabled`: names of VMWARE_FEATURES. */
  constructor(disabled: readonly string[] = []) {
    this.features = featuresLeft('vmware', VMWARE_FEATURES, disabled)
  }

  connect(host: HypervisorHost): void {
    this.made = host
    host.processor(0).openPorts(reg.PORT, reg.PORT_LAST)
  }

  private get host(): HypervisorHost {
    if (this.made === undefined) throw new VmmError('internal/bug', 'vmware: used before it was connected')
    return this.made
  }

  // ---- the backdoor ------------------------------------------------------------------------------------------------------------------------

  pioRead(port: number, width: Width): number | IoFault {
    const processor = this.host.processor(0)
    if (port === reg.PORT_HIGH_BANDWIDTH) return width === 1 && this.features.has('tools') ? this.channels.stringIn(processor) : NO_REGISTER
    if (port !== reg.PORT) return NO_REGISTER
    if (width !== 4) return BAD_WIDTH
    // Another IN from this port: nothing is there.
    return processor.gpr32('rax') === reg.MAGIC ? this.call(processor) : reg.UNKNOWN
  }

  pioWrite(port: number, width: Width, value: number): IoFault | undefined {
    const processor = this.host.processor(0)
    if (port === reg.PORT_HIGH_BANDWIDTH && width === 1 && this.features.has('tools')) this.channels.stringOut(value, processor)
    else if (port !== reg.PORT || width !== 4) return port === reg.PORT ? BAD_WIDTH : NO_REGISTER
    // OUT is a call like IN, but for EAX, which it leaves alone.
    else if (value === reg.MAGIC) this.call(processor)
    return undefined
  }

  /** Carries out the command in CX. What comes back is for EAX. */
  private call(processor: CallingProcessor): number {
    this.counters.calls++
    const command = processor.gpr32('rcx') & 0xffff
    switch (command) {
      case reg.CMD_GET_MHZ:
        return HZ / 1e6
      case reg.CMD_GET_VERSION:
        processor.setGpr32('rbx', reg.MAGIC)
        processor.setGpr32('rcx', reg.PRODUCT_WORKSTATION)
        return reg.VERSION
      case reg.CMD_GET_HARDWARE_VERSION:
        return reg.HARDWARE_VERSION
      case reg.CMD_GET_MEMORY_SIZE:
        return Math.floor(this.host.memory.ramBytes / MIB)
      case reg.CMD_GET_HZ:
        processor.setGpr32('rbx', 0)
        processor.setGpr32('rcx', Math.round(HZ / TIMER_TICK_NS))
        return HZ
    }
    return this.feature(command, processor) ?? this.unknown()
  }

  private unknown(): number {
    this.counters.unknownCalls++
    return reg.UNKNOWN
  }

  /** undefined: not a command of a feature that is on. */
  private feature(command: number, processor: CallingProcessor): number | undefined {
    switch (command) {
      case reg.CMD_GET_TIME:
      case reg.CMD_GET_TIME_FULL:
      case reg.CMD_GET_TIME_FULL_WITH_LAG:
        return this.features.has('time') ? this.time(command, processor) : undefined
      case reg.CMD_MESSAGE:
        if (!this.features.has('tools')) return undefined
        this.channels.request(processor)
        return processor.gpr32('rax')
      case reg.CMD_POINTER_COMMAND:
        if (!this.features.has('pointer')) return undefined
        this.pointerQueue.command(processor.gpr32('rbx'))
        return processor.gpr32('rax')
      case reg.CMD_POINTER_STATUS:
        return this.features.has('pointer') ? this.pointerQueue.status() : undefined
      case reg.CMD_POINTER_DATA:
        if (!this.features.has('pointer')) return undefined
        this.counters.pointerReads++
        return this.pointerQueue.take(processor.gpr32('rbx') & 0xffff, processor)
      default:
        return undefined
    }
  }

  /** The host's wall clock, in UTC: seconds, microseconds, and how far behind virtual time may be (it never is). */
  private time(command: number, processor: CallingProcessor): number {
    this.counters.timeReads++
    const ms = this.host.epochMs()
    const seconds = Math.floor(ms / 1000)
    processor.setGpr32('rbx', Math.floor(ms % 1000) * 1000)
    processor.setGpr32('rcx', 0)
    if (command === reg.CMD_GET_TIME) {
      processor.setGpr32('rdx', 0)
      return seconds >>> 0
    }
    processor.setGpr32('rsi', Math.floor(seconds / TWO_TO_32))
    processor.setGpr32('rdx', seconds)
    if (command === reg.CMD_GET_TIME_FULL_WITH_LAG) processor.setGpr32('rdi', 0)
    return reg.MAGIC
  }

  // ---- instructions -------------------------------------------------------------------------------------------------------------------------

  readMsr(): undefined {
    return undefined
  }

  writeMsr(): undefined {
    return undefined
  }

  /** VMware's newer way into the backdoor, which no leaf offers. */
  hypercall(): HypercallAnswer {
    return 'undefined'
  }

  // ---- what the host asks -------------------------------------------------------------------------------------------------------------------

  askGuest(what: 'shutdown' | 'restart'): boolean {
    return this.tools.ask(what === 'shutdown' ? 'OS_Halt' : 'OS_Reboot')
  }

  setResolution(width: number, height: number): boolean {
    return this.tools.setResolution(width, height)
  }

  get followsPointer(): boolean {
    return this.pointerQueue.absolute
  }

  pointer(x: number, y: number, wheel: number, buttons: number): void {
    this.pointerQueue.move(x, y, wheel, buttons)
  }

  // ---- device -----------------------------------------------------------------------------------------------------------------------------

  figures(): HypervisorFigures {
    const { counters, tools, state } = this
    const inUse: VmwareFeature[] = []
    if (counters.timeReads > 0) inUse.push('time')
    if (tools.running) inUse.push('tools')
    if (state.pointer.enabled) inUse.push('pointer')
    return {
      name: 'VMware',
      inUse,
      counters: { ...counters, guestAsked: tools.counters.asked, guestRefused: tools.counters.refused, toolsTold: tools.counters.told, capabilities: state.capabilities.length },
      guest: tools.told(),
    }
  }

  reset(): void {
    Object.assign(this.state, initialState())
  }

  save(): VmwareStateV1 {
    const { channels, info, pointer, toTools, capabilities, ...rest } = this.state
    return {
      schema: ['vmware', 1],
      ...rest,
      toTools: [...toTools],
      capabilities: [...capabilities],
      channels: channels.map((channel) => ({ ...channel, incoming: channel.incoming && { ...channel.incoming, data: [...channel.incoming.data] } })),
      info: info.map(([name, value]) => [name, value]),
      pointer: { ...pointer, queue: [...pointer.queue] },
    }
  }

  load(saved: VmwareStateV1): void {
    expectSchema(this.name, saved, ['vmware', 1])
    const { schema: _schema, ...state } = structuredClone(saved)
    Object.assign(this.state, state)
  }
}
