/** Builds a machine from its configuration: files, memory, board, firmware, vCPU. Whatever is wrong is said before anything runs. */
import { MemoryDisk } from '../backends/block/memory-disk'
import { RawFile } from '../backends/block/raw-file'
import { NullCharBackend, type CharBackend } from '../backends/chardev/char-backend'
import { MmioBus } from '../bus/mmio-bus'
import { PioBus } from '../bus/pio-bus'
import { excludedFeatures } from '../cpu/cpuid'
import { buildDecoderTables } from '../cpu/isa/decoder-tables'
import { InterpreterEngine } from '../cpu/engines/interpreter'
import { VCPU_BASE } from '../cpu/layout'
import { createMachineCore } from '../cpu/machine-core'
import { Vcpu } from '../cpu/vcpu'
import { Bios } from '../firmware/bios/bios'
import { BIOS_ROM_BYTES } from '../firmware/bios/rom'
import { buildDemoDisk } from '../firmware/demo-guest'
import { checkDirectBoot, loadDirectBoot, type DirectBootRequest } from '../firmware/direct-boot'
import { memoryMap } from '../firmware/memory-map'
import { VmmError } from '../errors/vmm-error'
import { GuestMemoryImpl } from '../memory/guest-memory-impl'
import { gpa, vmTime } from '../support/branded'
import { DeadlineQueue } from '../time/deadline-queue'
import { HostClock, hostEpochMs } from '../time/host-clock'
import { SliceWatch } from '../time/slice-watch'
import { enterImage, findRsdp } from './boot-entry'
import { BlockBiosDisk } from './block-disks'
import { PC_EXTRA_BYTES, Pc440fx, type FirmwareImages, type OpenDisk } from './boards/pc-440fx'
import type { MachineConfig } from './config'
import { readFirmware, readOptionRom, readWhole } from './files'
import { loadFonts } from './fonts'
import { DeterministicGate, HostGate } from './host-gate'
import { KeyTypist } from './key-typist'
import { Machine } from './machine'
import { checkHostMemory } from './host-memory'
import { HostMachineClock, InstructionMachineClock, Wakeable, type MachineClock } from './machine-clock'
import { MachineIo, type ProcessorBus } from './machine-io'
import { MemoryDiskUnit } from './memory-disk-unit'

const MIB = 0x100000
/** What the RTC shows at power-on under InstructionClock: 2026-01-01 00:00 UTC. */
const DETERMINISTIC_EPOCH_MS = 1767225600000

export interface MachineAttachments {
  /** COM1..COM4; missing ones talk to nobody. */
  readonly serial: readonly CharBackend[]
  /** Ports E9h and 402h. */
  readonly debugConsole?: CharBackend
  /** Folder of the core's WebAssembly, when it is not found by itself. */
  readonly coreDirectory?: string
}

export async function createMachine(config: MachineConfig, attachments: MachineAttachments): Promise<Machine> {
  checkHostMemory(config.memoryMiB)
  const firmware = config.firmware === 'builtin' ? undefined : await readFirmware(config.firmware)
  const vgaBios = config.vgaBios === undefined ? undefined : await readOptionRom(config.vgaBios)
  const image = await readImage(config)
  const drives = await openDrives(config)
  try {
    return assemble(config, attachments, { firmware, vgaBios, image, drives })
  } catch (error) {
    for (const { backend } of drives) await backend.close()
    throw error
  }
}

interface OpenFiles {
  readonly firmware: Uint8Array | undefined
  readonly vgaBios: Uint8Array | undefined
  readonly image: Pick<DirectBootRequest, 'kernel' | 'initrd' | 'modules' | 'commandLine' | 'linuxEntry'> | undefined
  readonly drives: readonly OpenDisk[]
}

function assemble(config: MachineConfig, attachments: MachineAttachments, files: OpenFiles): Machine {
  const ramBytes = config.memoryMiB * MIB
  const pio = new PioBus()
  const mmio = new MmioBus()
  // The core needs its way to the board before there is one: the board's half is filled in below.
  const late: { bus?: ProcessorBus; machine?: Machine; clock?: MachineClock } = {}
  const bus = (): ProcessorBus => late.bus ?? bug('the vCPU ran before the board was there')
  const machine = (): Machine => late.machine ?? bug('the board acted before the machine was there')
  const clockNow = (): number => (late.clock ?? bug('no clock')).now()
  const processorBus: ProcessorBus = {
    acknowledgeInterrupt: () => bus().acknowledgeInterrupt(),
    readTaskPriority: () => bus().readTaskPriority(),
    writeTaskPriority: (value) => bus().writeTaskPriority(value),
    readMsr: (index) => bus().readMsr(index),
    writeMsr: (index, low, high) => bus().writeMsr(index, low, high),
    floatError: () => bus().floatError(),
    readLocal: (address, width) => bus().readLocal(address, width),
    writeLocal: (address, width, value) => bus().writeLocal(address, width, value),
  }
  // One TSC tick a nanosecond.
  const io = new MachineIo(pio, mmio, processorBus, clockNow)
  // A hidden feature's instructions raise #UD: the decoder must not know them.
  const masked = (config.cpu.disabled ?? []).length > 0 ? { decoderTables: buildDecoderTables(excludedFeatures(config.cpu)) } : {}
  const core = createMachineCore({ ramBytes, extraBytes: PC_EXTRA_BYTES, io, ...masked, ...(attachments.coreDirectory === undefined ? {} : { directory: attachments.coreDirectory }) })
  const vcpu = new Vcpu(core, VCPU_BASE)
  vcpu.setModel(config.cpu)
  const retired = (): number => late.machine?.retired ?? 0
  const clock = config.clock === 'host' ? new HostMachineClock() : new InstructionMachineClock(retired)
  late.clock = clock
  const wakeable = new Wakeable()
  // Where slices end decides when scripts act: under the instruction clock the host's time must have no part in it.
  const watch = new SliceWatch(config.clock === 'host' ? new HostClock() : new HostClock(() => 0))
  io.onAccesses = (): void => {
    if (watch.overdue) late.machine?.leaveSlice()
  }
  const deadlines = new DeadlineQueue(clock, () => late.machine?.leaveSlice())
  const gate = config.clock === 'host' ? new HostGate(() => wakeable.wake()) : new DeterministicGate(deadlines, () => wakeable.wake())

  const memory = new GuestMemoryImpl(core.memory.buffer, ramBytes)
  memory.connect({
    onCodeWritten: (address, bytes) => void core.core('invalidate_code_range')(address, bytes),
    onMapChanged: () => void core.core('reset_tlb')(VCPU_BASE),
    onDirtyCleared: () => void core.core('flush_write_tlb')(VCPU_BASE),
  })

  // Whatever is wrong with an image is said now, not when the firmware comes to boot it.
  if (files.image) checkDirectBoot({ ...files.image, memory, memoryMap: memoryMap(memory), rsdp: 0 })

  // The built-in BIOS sees the board through these; its ROM is part of the board.
  const fonts = loadFonts()
  const board: { pc?: Pc440fx } = {}
  const pc = (): Pc440fx => board.pc ?? bug('no board')
  let bootNow = false
  const bios = files.firmware
    ? undefined
    : new Bios({
        memory,
        io: {
          pioRead: (port, width) => pio.read(port, width),
          pioWrite: (port, width, value) => pio.write(port, width, value),
          memoryRead: (address, width) => io.mmioRead(gpa(address), width),
          memoryWrite: (address, width, value) => io.mmioWrite(gpa(address), width, value),
        },
        now: () => clock.now(),
        instruction: retired,
        fonts,
        disks: files.drives.map(({ kind }, position) => new BlockBiosDisk(kind, kind === 'disk' ? 'Vitrine hard disk' : 'Vitrine CD-ROM', () => pc().medium(position), gate)),
        bootOrder: config.boot,
        showMenu: config.bootMenu,
        ...(files.image ? { menuDelayMilliseconds: 0 } : {}),
        cpus: config.cpus,
        // A service that waits for the disk gives the host its turn. Under InstructionClock the wait is a number of instructions.
        ...(config.clock === 'host' ? { onPoll: (): void => machine().leaveSlice() } : {}),
        ...(files.image
          ? {
              directBoot: () => {
                bootNow = true
                machine().leaveSlice()
              },
            }
          : {}),
      })
  const images: FirmwareImages = files.firmware ? { bios: files.firmware, ...(files.vgaBios ? { vgaBios: files.vgaBios } : {}) } : { bios: (bios ?? bug('no firmware')).rom.bytes }
  if (bios && images.bios.length !== BIOS_ROM_BYTES) bug('the built-in BIOS has the wrong size')

  const pc440fx = new Pc440fx({
    pio,
    mmio,
    memory,
    clock,
    deadlines,
    gate,
    processor: {
      setInterruptRequest: (high) => vcpu.setInterruptRequest(high),
      nmi: () => vcpu.raiseNmi(),
      init: () => late.machine?.reset(),
      startup: () => undefined, // there is one processor, and it runs
    },
    setA20: (enabled) => vcpu.setA20(enabled),
    ignoreFloatErrors: () => vcpu.ignoreFloatErrors(),
    tscToTime: (tsc) => vmTime(tsc - Number(BigInt.asIntN(64, vcpu.msr('tscOffset')))),
    requestReset: () => late.machine?.reset(),
    end: (end) => machine().finish(end),
    drives: files.drives,
    serial: attachments.serial,
    debugConsole: attachments.debugConsole ?? new NullCharBackend(),
    debugExit: config.debugExit,
    startEpochMs: config.clock === 'host' ? hostEpochMs() : DETERMINISTIC_EPOCH_MS,
    firmware: images,
    bootOrder: config.boot,
  })
  board.pc = pc440fx
  late.bus = pc440fx.processorBus
  if (bios) pc440fx.add(bios)
  for (const { backend } of files.drives) if (backend instanceof MemoryDisk) pc440fx.add(new MemoryDiskUnit(backend))

  const typist = new KeyTypist(deadlines, (event) => pc440fx.key(event))
  const made = new Machine({
    memory: core.memory,
    engine: new InterpreterEngine(core),
    vcpu,
    vcpuBase: VCPU_BASE,
    io,
    clock,
    deadlines,
    gate,
    wakeable,
    watch,
    board: pc440fx,
    typist,
    boot: () => vcpu.reset(),
    betweenSlices: () => {
      if (!bootNow || !files.image || !bios) return
      bootNow = false
      enterImage(vcpu, memory, loadDirectBoot({ ...files.image, memory, memoryMap: memoryMap(memory), rsdp: findRsdp(memory) }))
    },
  })
  late.machine = made
  pc440fx.reset('power-on')
  vcpu.reset()
  return made
}

function bug(what: string): never {
  throw new VmmError('internal/bug', what)
}

async function readImage(config: MachineConfig): Promise<OpenFiles['image']> {
  if (config.kernel === undefined) return undefined
  const modules = []
  for (const { path, commandLine } of config.modules) modules.push({ ...(await readWhole(path, '--module')), commandLine })
  return {
    kernel: await readWhole(config.kernel, '--kernel'),
    ...(config.initrd === undefined ? {} : { initrd: await readWhole(config.initrd, '--initrd') }),
    modules,
    commandLine: config.append,
    ...(config.linuxEntry === undefined ? {} : { linuxEntry: config.linuxEntry }),
  }
}

async function openDrives(config: MachineConfig): Promise<readonly OpenDisk[]> {
  const drives: OpenDisk[] = []
  try {
    if (config.demo) drives.push({ kind: 'disk', backend: new MemoryDisk('the demo guest', buildDemoDisk()) })
    for (const { path, readOnly } of config.disks) drives.push({ kind: 'disk', backend: await RawFile.openDisk(path, { readOnly, option: '--disk' }) })
    for (const { path } of config.cdroms) drives.push({ kind: 'cdrom', backend: await RawFile.openCd(path, '--cdrom') })
  } catch (error) {
    for (const { backend } of drives) await backend.close()
    throw error
  }
  return drives
}
