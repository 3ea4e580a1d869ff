/** A VM's hardware as the machine's configuration, and what can be seen before power-on to be impossible. */
import { resolve } from 'node:path'
import { MAX_CPUS, MAX_IDE_DRIVES, type CpuModelOptions, type MachineConfig } from '../../../machine/config'
import type { Problem } from '../problem'
import type { CpuModelJson, HardwareJson, VmJson } from './types'

/** Paths in vm.json are relative to the VM's folder. */
export function machineConfig({ hardware }: Pick<VmJson, 'hardware'>, folder: string): MachineConfig {
  const { firmware, boot, processors } = hardware
  const at = (file: string): string => resolve(folder, file)
  return {
    engine: hardware.engine,
    memoryMiB: hardware.memoryMiB,
    cpus: processors.count,
    cpu: cpuModel(processors.model),
    clock: hardware.clock,
    firmware: firmware.kind === 'builtin' ? 'builtin' : at(firmware.file),
    ...(firmware.kind === 'file' && firmware.vgaBios !== undefined ? { vgaBios: at(firmware.vgaBios) } : {}),
    boot: boot.order,
    bootMenu: boot.menu,
    ...(boot.kernel ? { kernel: at(boot.kernel.file) } : {}),
    ...(boot.kernel?.initrd === undefined ? {} : { initrd: at(boot.kernel.initrd) }),
    append: boot.kernel?.commandLine ?? '',
    ...(boot.kernel && boot.kernel.entry !== 'auto' ? { linuxEntry: boot.kernel.entry } : {}),
    // A Multiboot module's command line starts with its name.
    modules: (boot.kernel?.modules ?? []).map(({ file, commandLine }) => ({ path: at(file), commandLine: commandLine === '' ? file : `${file} ${commandLine}` })),
    disks: hardware.disks.map(({ file, readOnly }) => ({ path: at(file), readOnly })),
    cdroms: hardware.cdroms.map(({ file, connected }) => (file === undefined || !connected ? {} : { path: at(file) })),
    demo: hardware.demoDisk,
    debugExit: false,
  }
}

function cpuModel({ vendor, brand, family, model, stepping, disabled }: CpuModelJson): CpuModelOptions {
  return {
    ...(vendor === undefined ? {} : { vendor }),
    ...(brand === undefined ? {} : { brand }),
    ...(family === undefined ? {} : { family }),
    ...(model === undefined ? {} : { model }),
    ...(stepping === undefined ? {} : { stepping }),
    ...(disabled.length === 0 ? {} : { disabled }),
  }
}

/** A file that the hardware names, and what it must be able to do. */
export interface NamedFile {
  readonly key: string
  readonly what: string
  readonly path: string
  readonly writable: boolean
}

/** What a machine opens at power-on. */
export function namedFiles({ hardware }: Pick<VmJson, 'hardware'>, folder: string): readonly NamedFile[] {
  const { firmware, boot } = hardware
  const file = (key: string, what: string, path: string | undefined, writable: boolean = false): readonly NamedFile[] => (path === undefined ? [] : [{ key: `hardware.${key}`, what, path: resolve(folder, path), writable }])
  return [
    ...hardware.disks.flatMap((disk, i) => file(`disks[${i}].file`, 'the disk', disk.file, !disk.readOnly)),
    ...hardware.cdroms.flatMap((cdrom, i) => (cdrom.connected ? file(`cdroms[${i}].file`, 'the CD image', cdrom.file) : [])),
    ...(firmware.kind === 'file' ? [...file('firmware.file', 'the firmware image', firmware.file), ...file('firmware.vgaBios', 'the VGA option ROM', firmware.vgaBios)] : []),
    ...(boot.kernel ? [...file('boot.kernel.file', 'the kernel', boot.kernel.file), ...file('boot.kernel.initrd', 'the initial RAM disk', boot.kernel.initrd)] : []),
    ...(boot.kernel?.modules ?? []).flatMap((module, i) => file(`boot.kernel.modules[${i}].file`, 'the boot module', module.file)),
  ]
}

const MIB = 0x100000

/** Settings that contradict each other or this host; they are kept, and said before power-on. */
export function hardwareProblems(config: Pick<VmJson, 'hardware'>, folder: string, hostBytes: number): readonly Problem[] {
  const { hardware } = config
  const impossible = (key: string, message: string, remedy: string): Problem => ({ code: 'hardware/impossible', message, remedy, key: `hardware.${key}` })
  return [...sizes(hardware, hostBytes, impossible), ...booting(hardware, impossible), ...twice(hardware, folder, impossible), ...ports(hardware, impossible)]
}

type Impossible = (key: string, message: string, remedy: string) => Problem

function* sizes({ memoryMiB, processors, disks, cdroms, demoDisk }: HardwareJson, hostBytes: number, impossible: Impossible): Generator<Problem> {
  if (memoryMiB * MIB > hostBytes) yield impossible('memoryMiB', `the memory of ${memoryMiB} MiB is more than the ${Math.floor(hostBytes / MIB)} MiB that this host has`, 'choose less memory')
  if (processors.count > MAX_CPUS) yield impossible('processors.count', `${processors.count} processors are more than the ${MAX_CPUS} that a machine can have for now`, `choose ${MAX_CPUS}`)
  const drives = disks.length + cdroms.length + (demoDisk ? 1 : 0)
  if (drives > MAX_IDE_DRIVES) yield impossible('disks', `${drives} disks and CD drives are more than the ${MAX_IDE_DRIVES} that the IDE controller takes`, 'remove some')
}

function* booting({ firmware, boot }: HardwareJson, impossible: Impossible): Generator<Problem> {
  if (new Set(boot.order).size !== boot.order.length) yield impossible('boot.order', `the boot order names ${boot.order[0] ?? ''} twice`, 'name each kind of device once')
  if (boot.kernel && firmware.kind === 'file') yield impossible('boot.kernel', 'a kernel is booted directly by the built-in firmware, but a firmware file is set', 'choose the built-in firmware, or remove the kernel')
  if (boot.menu && firmware.kind === 'file') yield impossible('boot.menu', 'the boot menu is the built-in firmware\'s, but a firmware file is set', 'choose the built-in firmware, or switch the menu off')
  if (boot.menu && boot.kernel) yield impossible('boot.menu', 'a kernel that is booted directly comes before any boot menu', 'remove the kernel, or switch the menu off')
}

function* twice({ disks }: HardwareJson, folder: string, impossible: Impossible): Generator<Problem> {
  const seen = new Map<string, boolean>()
  for (const [i, { file, readOnly }] of disks.entries()) {
    const path = resolve(folder, file)
    if (seen.has(path) && !(readOnly && seen.get(path) === true)) yield impossible(`disks[${i}].file`, `${file} is set twice as a disk, and two writers would ruin it`, 'remove one, or make both read-only')
    seen.set(path, readOnly && seen.get(path) !== false)
  }
}

function* ports({ serialPorts }: HardwareJson, impossible: Impossible): Generator<Problem> {
  const seen = new Set<number>()
  for (const [i, port] of serialPorts.entries()) {
    if (port.kind !== 'tcp') continue
    if (seen.has(port.port)) yield impossible(`serialPorts[${i}].port`, `TCP port ${port.port} is set for two serial ports`, 'give each its own')
    seen.add(port.port)
  }
}
