/**
 * Xen's interface for guests made for Xen (HVM and PVH): the domain's parts put together, its hypercalls by number, its devices. What a classic PV guest needs
 * besides (page tables by hypercall, traps, descriptor tables) has its numbers here and is answered with ENOSYS.
 */
import type { CharBackend } from '../../backends/chardev/char-backend'
import type { CpuidEntry } from '../../cpu/cpuid'
import type { Claim, ResetKind, SavedState } from '../../devices/device'
import { expectSchema } from '../../devices/saved-state'
import { VmmError } from '../../errors/vmm-error'
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'
import type { HypercallAnswer, HypervisorFigures, HypervisorHost, HypervisorInterface } from '../hypervisor-interface'
import type { XenBackend } from './backend'
import { XenConsole } from '../../devices/xen/console/xen-console'
import { BACKEND_DOMAIN, DOMID_SELF } from './domains'
import { ENOSYS, EPERM, XenError } from './errors'
import { EventChannels, type EventChannelsState } from './event-channels'
import { GRANT_FRAMES, GrantTable, type GrantTableState } from './grant-table'
import { GuestFrames, PAGE_BYTES, type FrameMemory, type FramesState } from './guest-frames'
import { HypercallCall } from './hypercall-call'
import { HYPERCALL_NAMES, hypercallPage } from './hypercall-numbers'
import { consoleIo } from './hypercalls/console-io'
import type { Domain, E820Entry, Hypercall } from './hypercalls/domain'
import { eventChannelOp } from './hypercalls/event-channel-op'
import { grantTableOp } from './hypercalls/grant-table-op'
import { hvmOp } from './hypercalls/hvm-op'
import { memoryOp } from './hypercalls/memory-op'
import { multicall } from './hypercalls/multicall'
import { schedOp, SHUTDOWN_REBOOT } from './hypercalls/sched-op'
import { setTimerOp, vcpuOp } from './hypercalls/vcpu-op'
import { xenVersion } from './hypercalls/version'
import { HvmParameters, PARAM_CONSOLE_EVTCHN, PARAM_CONSOLE_PFN, PARAM_STORE_EVTCHN, PARAM_STORE_PFN, type HvmParametersState } from './hvm-parameters'
import { MSR_HYPERCALL_PAGE, XEN_LEAVES } from './leaves'
import { SHARED_INFO_PAGE, SharedInfo, type SharedInfoState } from './shared-info'
import { DOMAIN_HOME, fillStore } from './store-contents'
import { VcpuTime, type VcpuTimeState } from './vcpu-time'
import { StoreConnection, type ConnectionState } from './xenstore/connection'
import { Store, type StoreState } from './xenstore/store'

/** Pages of ours: shared info, rings of store and console, grant table. */
const STORE_PAGE = 1
const CONSOLE_PAGE = 2
const GRANT_PAGE = 3
const PAGES: number = GRANT_PAGE + GRANT_FRAMES
/** What must be free behind guest RAM in the machine's memory. */
export const XEN_BLOCK_BYTES: number = PAGES * PAGE_BYTES
/** Where the toolstack puts the rings: frames below the local APIC's, outside RAM. */
const STORE_FRAME = 0xfeffc
const CONSOLE_FRAME = 0xfeffd
const MSR_TSC = 0x10

export interface XenOptions {
  readonly name: string
  /** 16 bytes. */
  readonly uuid: Uint8Array
  readonly memoryMap: (memory: GuestMemory) => readonly E820Entry[]
  /** hvc0; absent: the domain has no console. */
  readonly console?: CharBackend
  /** What the guest prints before it has a console of its own. */
  readonly debugConsole: CharBackend
  readonly devices: readonly XenBackend[]
}

export interface XenState extends SavedState {
  readonly frames: FramesState
  readonly shared: SharedInfoState
  readonly events: EventChannelsState
  readonly grants: GrantTableState
  readonly parameters: HvmParametersState
  readonly time: VcpuTimeState
  readonly store: StoreState
  readonly connection: ConnectionState
  readonly devices: Readonly<Record<string, SavedState>>
}

interface Parts extends Domain {
  readonly host: HypervisorHost
  readonly store: Store
  readonly connection: StoreConnection
  readonly console: XenConsole | undefined
}

export class XenInterface implements HypervisorInterface<XenState> {
  readonly name = 'xen'
  readonly claims: readonly Claim[] = []
  readonly leaves: readonly CpuidEntry[] = XEN_LEAVES
  private connected: Parts | undefined
  private readonly counters = new Map<string, number>()
  private readonly hypercalls: ReadonlyMap<number, Hypercall>

  constructor(
    private readonly options: XenOptions,
    /** In which frames can be moved about. */
    private readonly memory: FrameMemory,
  ) {
    const handlers: Readonly<Record<string, Hypercall>> = {
      memory_op: memoryOp, xen_version: xenVersion, console_io: consoleIo, grant_table_op: grantTableOp, vcpu_op: vcpuOp, set_timer_op: setTimerOp,
      sched_op: schedOp, event_channel_op: eventChannelOp, hvm_op: hvmOp(() => this.upcall()), multicall: multicall((number, call) => this.dispatch(number, call)),
    }
    this.hypercalls = new Map(Object.entries(handlers).map(([name, handler]) => [HYPERCALL_NAMES.indexOf(name), handler]))
  }

  private get parts(): Parts {
    if (!this.connected) throw new VmmError('internal/bug', 'xen: used before it was connected')
    return this.connected
  }

  connect(host: HypervisorHost): void {
    const { memory } = this
    const frames = new GuestFrames(memory, PAGES)
    const shared = new SharedInfo(frames, memory)
    const events = new EventChannels(shared, () => this.upcall())
    const grants = new GrantTable(frames, memory, GRANT_PAGE)
    const store = new Store()
    const { console: terminal, debugConsole } = this.options
    this.connected = {
      host, memory, frames, shared, events, grants, store,
      time: new VcpuTime(host.time, memory, shared, events),
      parameters: new HvmParameters(),
      connection: new StoreConnection(frames, STORE_PAGE, store),
      console: terminal && new XenConsole(frames, CONSOLE_PAGE, terminal),
      memoryMap: this.options.memoryMap(memory),
      uuid: this.options.uuid,
      shutdown: (reason) => this.shutdown(reason),
      leaveSlice: () => host.leaveSlice(),
      print: (text) => text.forEach((byte) => debugConsole.write(byte)),
    }
    for (const device of this.options.devices) device.connect({ memory, time: host.time, store, events, grants })
    host.setDirectInterrupt(0, () => (shared.upcallPending ? this.parts.parameters.callbackVector : 0))
  }

  // ---- power-on, reset ---------------------------------------------------------------------------------------------------------------

  reset(_kind: ResetKind): void {
    const { host, frames, shared, events, grants, time, parameters, store, connection, console } = this.parts
    connection.reset()
    store.clear()
    events.reset()
    grants.reset()
    frames.reset()
    shared.reset()
    time.reset()
    parameters.reset()

    frames.show(STORE_PAGE, STORE_FRAME)
    parameters.give(PARAM_STORE_PFN, STORE_FRAME)
    const storePort = events.allocateUnbound(DOMID_SELF, BACKEND_DOMAIN)
    parameters.give(PARAM_STORE_EVTCHN, storePort)
    connection.channel = events.bindBackend(storePort, () => connection.heard())
    let port = 0
    if (console) {
      frames.show(CONSOLE_PAGE, CONSOLE_FRAME)
      parameters.give(PARAM_CONSOLE_PFN, CONSOLE_FRAME)
      port = events.allocateUnbound(DOMID_SELF, BACKEND_DOMAIN)
      parameters.give(PARAM_CONSOLE_EVTCHN, port)
      console.channel = events.bindBackend(port, () => console.work())
    }
    fillStore(store, {
      name: this.options.name, uuid: uuidText(this.options.uuid), memoryKiB: this.parts.memory.ramBytes / 1024, storeFrame: STORE_FRAME, storePort,
      ...(console ? { console: { frame: CONSOLE_FRAME, port } } : {}),
    })
    for (const device of this.options.devices) device.start()
    this.writeClocks(host)
  }

  private writeClocks(host: HypervisorHost): void {
    const { shared, time } = this.parts
    shared.writeWallClock(BigInt(Math.floor(host.epochMs())) * 1_000_000n - BigInt(time.now()))
    time.update(host.processor(0).tscOffset)
  }

  private shutdown(reason: number): void {
    const { host } = this.parts
    if (reason === SHUTDOWN_REBOOT) host.requestReset()
    else host.powerOff()
  }

  /** An event waits: by vector through the local APIC, or as the callback says. */
  private upcall(): void {
    const { host, parameters } = this.parts
    if (parameters.upcallVector !== 0) host.interrupt(0, parameters.upcallVector)
    else host.directInterruptChanged(0)
  }

  // ---- what the guest's instructions do ----------------------------------------------------------------------------------------------

  readMsr(_processor: number, index: number): readonly [low: number, high: number] | undefined {
    return index === MSR_HYPERCALL_PAGE ? [0, 0] : undefined
  }

  writeMsr(processor: number, index: number, low: number, high: number): boolean | undefined {
    const { host, memory, shared, time } = this.parts
    if (index === MSR_TSC) time.update(host.processor(processor).tscOffset)
    if (index !== MSR_HYPERCALL_PAGE) return undefined
    // The low bits are the number of one of the pages: there is one.
    if ((low & (PAGE_BYTES - 1)) !== 0) return false
    const address = high * 0x100000000 + (low >>> 0)
    if (!memory.views(gpa(address), PAGE_BYTES)) return false
    shared.setWord(host.processor(processor).codeBits === 64 ? 8 : 4)
    this.writeClocks(host)
    memory.write(gpa(address), hypercallPage())
    return true
  }

  hypercall(processor: number): HypercallAnswer {
    const { host, memory } = this.parts
    const caller = host.processor(processor)
    const number = caller.gpr32('rax')
    const result = caller.cpl === 0 ? this.dispatch(number, new HypercallCall(caller, memory)) : -EPERM
    const value = result === 'block' ? 0n : BigInt(result)
    if (caller.codeBits === 64) caller.setGpr('rax', BigInt.asUintN(64, value))
    else caller.setGpr32('rax', Number(BigInt.asUintN(32, value)))
    return result === 'block' ? 'halt' : 'done'
  }

  private dispatch(number: number, call: HypercallCall): bigint | number | 'block' {
    const name = HYPERCALL_NAMES[number] ?? 'unknown'
    this.counters.set(name, (this.counters.get(name) ?? 0) + 1)
    const handler = this.hypercalls.get(number)
    if (!handler) return -ENOSYS
    try {
      return handler(call, this.parts)
    } catch (error) {
      if (error instanceof XenError) return -error.errno
      throw error
    }
  }

  // ---- from outside ------------------------------------------------------------------------------------------------------------------

  /** Asks the guest to do so itself; it need not. */
  requestShutdown(how: 'poweroff' | 'reboot' | 'suspend'): void {
    this.parts.store.put(`${DOMAIN_HOME}/control/shutdown`, how)
  }

  pressPowerButton(): boolean {
    if (!this.parts.connection.watchesPath('control/shutdown')) return false
    this.requestShutdown('poweroff')
    return true
  }

  setMemoryTarget(bytes: number): void {
    this.parts.store.put(`${DOMAIN_HOME}/memory/target`, Math.max(0, Math.floor(bytes / 1024)))
  }

  beforeSlice(): void {
    this.parts.time.stolen(this.parts.host.stolenNs())
  }

  figures(): HypervisorFigures {
    const { events, grants, frames, connection, console, parameters } = this.parts
    const counters: Record<string, number> = Object.fromEntries(this.counters)
    for (const [name, count] of connection.requests) counters[`store ${name}`] = count
    for (const device of this.options.devices) for (const [name, count] of Object.entries(device.figures())) counters[`${device.name} ${name}`] = count
    if (console) Object.assign(counters, { 'console written': console.counts.written, 'console read': console.counts.read })
    const inUse = [
      ...(frames.frameOf(SHARED_INFO_PAGE) >= 0 ? ['shared info'] : []),
      ...(parameters.upcallVector !== 0 ? ['upcall vector'] : parameters.callbackVector !== 0 ? ['callback vector'] : []),
    ]
    return { name: 'Xen', inUse, counters, guest: { 'event channels': String(events.inUse), 'grants in use': String(grants.mapped), 'memory KiB': String(frames.present * 4) } }
  }

  // ---- saved state -------------------------------------------------------------------------------------------------------------------

  save(): XenState {
    const { frames, shared, events, grants, parameters, time, store, connection } = this.parts
    return {
      schema: SCHEMA,
      frames: frames.save(), shared: shared.save(), events: events.save(), grants: grants.save(), parameters: parameters.save(), time: time.save(),
      store: store.save(), connection: connection.save(),
      devices: Object.fromEntries(this.options.devices.map((device) => [device.name, device.save()])),
    }
  }

  load(state: XenState): void {
    expectSchema('xen', state, SCHEMA)
    const { frames, shared, events, grants, parameters, time, store, connection, console } = this.parts
    connection.reset()
    frames.load(state.frames)
    shared.load(state.shared)
    events.load(state.events)
    grants.load(state.grants)
    parameters.load(state.parameters)
    time.load(state.time)
    store.load(state.store)
    connection.load(state.connection)
    connection.channel = events.rebindBackend(Number(parameters.get(PARAM_STORE_EVTCHN)), () => connection.heard())
    if (console) console.channel = events.rebindBackend(Number(parameters.get(PARAM_CONSOLE_EVTCHN)), () => console.work())
    for (const device of this.options.devices) {
      const saved = state.devices[device.name]
      if (!saved) throw new VmmError('state/mismatch', `xen: the saved state has no device ${device.name}; start with the devices that it was saved with`)
      device.load(saved)
    }
  }
}

const SCHEMA: SavedState['schema'] = ['xen', 1]

function uuidText(uuid: Uint8Array): string {
  const hex = [...uuid].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}
