/** Builds a machine from its configuration: files, memory, board, firmware, vCPU. Whatever is wrong is said before anything runs. */
import { NullCharBackend, type CharBackend } from '../backends/chardev/char-backend'
import type { ConsoleBackend } from '../backends/chardev/console-backend'
import { MmioBus } from '../bus/mmio-bus'
import { PioBus } from '../bus/pio-bus'
import { excludedFeatures } from '../cpu/cpuid'
import { createEngine, type EngineOptions, type EngineParts } from '../cpu/engines/create-engine'
import { buildDecoderTables } from '../cpu/isa/decoder-tables'
import { VCPU_BASE } from '../cpu/layout'
import { Vcpu } from '../cpu/vcpu'
import { VirtioBalloon } from '../devices/virtio/balloon/balloon'
import { VmmError } from '../errors/vmm-error'
import { GuestMemoryImpl } from '../memory/guest-memory-impl'
import { vmTime } from '../support/branded'
import { DeadlineQueue } from '../time/deadline-queue'
import { HostClock, hostEpochMs } from '../time/host-clock'
import { SliceWatch } from '../time/slice-watch'
import { assembleMicrovm } from './assembly/assemble-microvm'
import { assemblePc, videoMemoryBytes } from './assembly/assemble-pc'
import { DriveBay } from './boards/drive-bay'
import { pcExtraBytes } from './boards/pc-440fx'
import type { MachineConfig } from './config'
import { DeterministicGate, HostGate } from './host-gate'
import { checkHostMemory } from './host-memory'
import { KeyTypist } from './key-typist'
import { LockstepMemory } from './lockstep-memory'
import { Machine } from './machine'
import { connectHypervisor, createHypervisor, hypervisorBytes, hypervisorLeaves } from './hypervisor'
import { HostMachineClock, InstructionMachineClock, Wakeable } from './machine-clock'
import { MachineIo } from './machine-io'
import { openNetworks } from './virtio/networks'
import { virtioDevices } from './virtio/virtio-devices'
import { threadWaitNs } from './thread-time'
import { closeDrives, openFiles, type OpenFiles } from './open-files'

const MIB = 0x100000
/** What the RTC shows at power-on under InstructionClock: 2026-01-01 00:00 UTC. */
const DETERMINISTIC_EPOCH_MS = 1767225600000

export interface MachineAttachments {
  /** COM1..COM4; missing ones talk to nobody. */
  readonly serial: readonly CharBackend[]
  /** Of the configuration's consoles, in their order; missing ones talk to nobody. */
  readonly consoles?: readonly ConsoleBackend[]
  /** Ports E9h and 402h; what a Xen guest prints before it has a console. */
  readonly debugConsole?: CharBackend
  /** Takes what goes wrong on the host's side while the machine runs, and is not its user's to answer. */
  readonly warn?: (message: string) => void
  /** Folder of the core's WebAssembly, when it is not found by itself. */
  readonly coreDirectory?: string
  /** For tests and tools: how soon the translator translates, and whether in its own time. */
  readonly translator?: EngineOptions
}

export async function createMachine(config: MachineConfig, attachments: MachineAttachments): Promise<Machine> {
  checkHostMemory(config.memoryMiB)
  const files = await openFiles(config)
  try {
    return buildMachine(config, attachments, files)
  } catch (error) {
    await closeDrives(files.drives)
    throw error
  }
}

function buildMachine(config: MachineConfig, attachments: MachineAttachments, files: OpenFiles): Machine {
  const pio = new PioBus()
  const mmio = new MmioBus()
  const io = new MachineIo(pio, mmio)
  const { core, engine, mirror } = createParts(config, attachments, io)
  const leaveSlice = (): void => engine.requestAttention(VCPU_BASE)
  const vcpu = new Vcpu(core, VCPU_BASE)

  const onHostTime = config.clock === 'host'
  const clock = onHostTime ? new HostMachineClock() : new InstructionMachineClock(() => vcpu.retired)
  const deadlines = new DeadlineQueue(clock, leaveSlice)
  const wakeable = new Wakeable()
  const gate = onHostTime ? new HostGate(() => wakeable.wake()) : new DeterministicGate(deadlines, () => wakeable.wake())
  // Where slices end decides when scripts act: under the instruction clock the host's time must have no part in it.
  const watch = new SliceWatch(onHostTime ? new HostClock() : new HostClock(() => 0))
  io.onAccesses = (): void => {
    if (watch.overdue) leaveSlice()
  }
  const ramBytes = config.memoryMiB * MIB
  const memory = mirror ? new LockstepMemory(core.memory.buffer, ramBytes, mirror) : new GuestMemoryImpl(core.memory.buffer, ramBytes)
  memory.connect({
    onCodeWritten: (address, bytes) => void core.core('invalidate_code_range')(address, bytes),
    onMapChanged: () => void core.core('reset_tlb')(VCPU_BASE),
    onDirtyCleared: () => void core.core('flush_write_tlb')(VCPU_BASE),
  })

  // Board and machine know each other; neither calls the other before both are there.
  const made: { machine?: Machine } = {}
  const machine = (): Machine => made.machine ?? bug('the board acted before the machine was there')
  const drives = new DriveBay(files.drives)
  const networks = openNetworks(config, deadlines)
  const debugConsole = attachments.debugConsole ?? new NullCharBackend()
  const hypervisor = createHypervisor(config, { drives, gate, memory, debugConsole, networks, consoles: attachments.consoles ?? [] })
  vcpu.setModel({ ...config.cpu, hypervisorLeaves: hypervisorLeaves(config, hypervisor) })
  const virtio = virtioDevices({ config, drives, gate, networks, consoles: attachments.consoles ?? [], warn: attachments.warn })
  const assemble = config.board === 'microvm' ? assembleMicrovm : assemblePc
  const { board, boot, betweenSlices } = assemble({
    config,
    files,
    drives,
    virtio,
    serial: attachments.serial,
    debugConsole,
    pio,
    mmio,
    io,
    memory,
    vcpu,
    clock,
    deadlines,
    gate,
    startEpochMs: onHostTime ? hostEpochMs() : DETERMINISTIC_EPOCH_MS,
    tscToTime: (tsc) => vmTime(tsc - Number(BigInt.asIntN(64, vcpu.msr('tscOffset')))),
    leaveSlice,
    requestReset: () => machine().reset(),
    end: (end) => machine().finish(end),
  })
  const processorBus = connectHypervisor(hypervisor, {
    board,
    memory,
    vcpu,
    time: deadlines,
    epochMs: () => (onHostTime ? hostEpochMs() : DETERMINISTIC_EPOCH_MS + Math.floor(clock.now() / 1e6)),
    stolenNs: () => (onHostTime ? (threadWaitNs() ?? 0) : 0),
    leaveSlice,
    requestReset: () => machine().reset(),
    end: (end) => machine().finish(end),
  })
  // One TSC tick a nanosecond.
  io.connect(processorBus, () => clock.now())
  made.machine = new Machine({
    memory: core.memory,
    engine,
    vcpu,
    vcpuBase: VCPU_BASE,
    io,
    clock,
    deadlines,
    gate,
    wakeable,
    watch,
    board,
    networks,
    hypervisor,
    balloon: virtio.find((device) => device instanceof VirtioBalloon),
    typist: new KeyTypist(deadlines, (event) => board.key(event)),
    boot,
    betweenSlices,
  })
  board.reset('power-on')
  boot()
  return made.machine
}

function createParts(config: MachineConfig, { coreDirectory, translator }: MachineAttachments, io: MachineIo): EngineParts {
  const hidden = (config.cpu.disabled ?? []).length > 0
  const memory = {
    ramBytes: config.memoryMiB * MIB,
    extraBytes: (config.board === 'microvm' ? 0 : pcExtraBytes(videoMemoryBytes(config))) + hypervisorBytes(config),
    io,
    // A hidden feature's instructions raise #UD: the decoder must not know them.
    ...(hidden ? { decoderTables: buildDecoderTables(excludedFeatures(config.cpu)) } : {}),
    ...(coreDirectory === undefined ? {} : { directory: coreDirectory }),
  }
  return createEngine(config.engine, memory, translator)
}

function bug(what: string): never {
  throw new VmmError('internal/bug', what)
}
