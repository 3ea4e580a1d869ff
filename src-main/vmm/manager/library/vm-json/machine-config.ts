/** A VM's hardware as the machine's configuration, and what can be seen before power-on to be impossible. */
import { resolve } from 'node:path'
import { MAX_CPUS, MAX_IDE_DRIVES, type CpuModelOptions, type MachineConfig } from '../../../machine/config'
import { problem, type Problem } from '../problem'
import type { CpuModelJson, HardwareJson, VmJson } from './types'

/** Paths in vm.json are relative to the VM's folder. */
export function machineConfig({ hardware }: Pick<VmJson, 'hardware'>, folder: string): MachineConfig {
  const { firmware, boot, processors } = hardware
  const at = (file: string): string => resolve(folder, file)
  return {
    engine: hardware.engine,
    memoryMiB: hardware.memoryMiB,
    videoMemoryMiB: hardware.display.videoMemoryMiB,
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
    disks: hardware.disks.map(({ file, readOnly, cache }) => ({ path: at(file), readOnly, cache })),
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

/** What a file that the hardware names is to it: the first part of its problems' ids. */
export type FileRole = 'disk' | 'cd' | 'firmware' | 'vga-bios' | 'kernel' | 'initrd' | 'module'

/** A file that the hardware names, and what it must be able to do. */
export interface NamedFile {
  readonly key: string
  readonly what: FileRole
  readonly path: string
  readonly writable: boolean
}

/** What a machine opens at power-on. */
export function namedFiles({ hardware }: Pick<VmJson, 'hardware'>, folder: string): readonly NamedFile[] {
  const { firmware, boot } = hardware
  const file = (key: string, what: FileRole, path: string | undefined, writable: boolean = false): readonly NamedFile[] => (path === undefined ? [] : [{ key: `hardware.${key}`, what, path: resolve(folder, path), writable }])
  return [
    ...hardware.disks.flatMap((disk, i) => file(`disks[${i}].file`, 'disk', disk.file, !disk.readOnly)),
    ...hardware.cdroms.flatMap((cdrom, i) => (cdrom.connected ? file(`cdroms[${i}].file`, 'cd', cdrom.file) : [])),
    ...(firmware.kind === 'file' ? [...file('firmware.file', 'firmware', firmware.file), ...file('firmware.vgaBios', 'vga-bios', firmware.vgaBios)] : []),
    ...(boot.kernel ? [...file('boot.kernel.file', 'kernel', boot.kernel.file), ...file('boot.kernel.initrd', 'initrd', boot.kernel.initrd)] : []),
    ...(boot.kernel?.modules ?? []).flatMap((module, i) => file(`boot.kernel.modules[${i}].file`, 'module', module.file)),
  ]
}

const MIB = 0x100000

/** Settings that contradict each other or this host; they are kept, and said before power-on. */
export function hardwareProblems(config: Pick<VmJson, 'hardware'>, folder: string, hostBytes: number): readonly Problem[] {
  const { hardware } = config
  return [...sizes(hardware, hostBytes), ...booting(hardware), ...twice(hardware, folder), ...ports(hardware)]
}

function* sizes({ memoryMiB, processors, disks, cdroms, demoDisk }: HardwareJson, hostBytes: number): Generator<Problem> {
  if (memoryMiB * MIB > hostBytes) yield problem('memory-more-than-host', { memory: memoryMiB, host: Math.floor(hostBytes / MIB) }, { key: 'hardware.memoryMiB' })
  if (processors.count > MAX_CPUS) yield problem('too-many-processors', { count: processors.count, most: MAX_CPUS }, { key: 'hardware.processors.count' })
  const drives = disks.length + cdroms.length + (demoDisk ? 1 : 0)
  if (drives > MAX_IDE_DRIVES) yield problem('too-many-drives', { count: drives, most: MAX_IDE_DRIVES }, { key: 'hardware.disks' })
}

function* booting({ firmware, boot }: HardwareJson): Generator<Problem> {
  if (new Set(boot.order).size !== boot.order.length) yield problem('boot-order-twice', { device: boot.order[0] ?? '' }, { key: 'hardware.boot.order' })
  if (boot.kernel && firmware.kind === 'file') yield problem('kernel-with-firmware-file', {}, { key: 'hardware.boot.kernel' })
  if (boot.menu && firmware.kind === 'file') yield problem('boot-menu-with-firmware-file', {}, { key: 'hardware.boot.menu' })
  if (boot.menu && boot.kernel) yield problem('boot-menu-with-kernel', {}, { key: 'hardware.boot.menu' })
}

function* twice({ disks }: HardwareJson, folder: string): Generator<Problem> {
  const seen = new Map<string, boolean>()
  for (const [i, { file, readOnly }] of disks.entries()) {
    const path = resolve(folder, file)
    if (seen.has(path) && !(readOnly && seen.get(path) === true)) yield problem('disk-twice', { file }, { key: `hardware.disks[${i}].file` })
    seen.set(path, readOnly && seen.get(path) !== false)
  }
}

function* ports({ serialPorts }: HardwareJson): Generator<Problem> {
  const seen = new Set<number>()
  for (const [i, port] of serialPorts.entries()) {
    if (port.kind !== 'tcp') continue
    if (seen.has(port.port)) yield problem('tcp-port-twice', { port: port.port }, { key: `hardware.serialPorts[${i}].port` })
    seen.add(port.port)
  }
}
