/** Everything of the host's that a configuration names, opened and checked; or the first thing that is wrong with it, and nothing left open. */
import { MemoryDisk } from '../backends/block/memory-disk'
import { RawFile } from '../backends/block/raw-file'
import { buildDemoDisk } from '../firmware/demo-guest'
import type { DirectBootRequest } from '../firmware/direct-boot'
import type { OpenDisk } from './boards/pc-440fx'
import type { MachineConfig } from './config'
import { readFirmware, readOptionRom, readWhole } from './files'

/** A kernel with what goes along with it. */
export type BootImage = Pick<DirectBootRequest, 'kernel' | 'initrd' | 'modules' | 'commandLine' | 'linuxEntry'>

export interface OpenFiles {
  /** undefined: the built-in BIOS. */
  readonly firmware: Uint8Array | undefined
  readonly vgaBios: Uint8Array | undefined
  readonly image: BootImage | undefined
  readonly drives: readonly OpenDisk[]
}

export async function openFiles(config: MachineConfig): Promise<OpenFiles> {
  const firmware = config.firmware === 'builtin' ? undefined : await readFirmware(config.firmware)
  const vgaBios = config.vgaBios === undefined ? undefined : await readOptionRom(config.vgaBios)
  return { firmware, vgaBios, image: await readImage(config), drives: await openDrives(config) }
}

export async function closeDrives(drives: readonly OpenDisk[]): Promise<void> {
  for (const { backend } of drives) await backend?.close()
}

async function readImage(config: MachineConfig): Promise<BootImage | undefined> {
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
    for (const { path, readOnly, cache } of config.disks) drives.push({ kind: 'disk', backend: await RawFile.openDisk(path, { readOnly, writeThrough: cache === 'writethrough', option: '--disk' }) })
    for (const { path } of config.cdroms) drives.push({ kind: 'cdrom', backend: path === undefined ? undefined : await RawFile.openCd(path, '--cdrom') })
  } catch (error) {
    await closeDrives(drives)
    throw error
  }
  return drives
}
