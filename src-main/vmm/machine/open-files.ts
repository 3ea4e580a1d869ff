/** Everything of the host's that a configuration names, opened and checked; or the first thing that is wrong with it, and nothing left open. */
import { MemoryDisk } from '../backends/block/memory-disk'
import { RawFile } from '../backends/block/raw-file'
import { buildDemoDisk } from '../firmware/demo-guest'
import type { DirectBootRequest, NamedBytes } from '../firmware/direct-boot'
import { isLinuxImage } from '../firmware/direct-boot/linux'
import { unpackPvhKernel } from '../firmware/direct-boot/unpack/unpack-kernel'
import type { OpenDisk } from './boards/drive-bay'
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
    kernel: pvhKernel(config, await readWhole(config.kernel, '--kernel')),
    ...(config.initrd === undefined ? {} : { initrd: await readWhole(config.initrd, '--initrd') }),
    modules,
    commandLine: config.append,
    ...(config.linuxEntry === undefined ? {} : { linuxEntry: config.linuxEntry }),
  }
}

/** A Xen guest is entered by its PVH note; a packed kernel is unpacked for that. With an entry that was asked for, or none of PVH, it boots as on hardware. */
function pvhKernel(config: MachineConfig, kernel: NamedBytes): NamedBytes {
  if (config.paravirt !== 'xen' || config.linuxEntry !== undefined || !isLinuxImage(kernel.bytes)) return kernel
  return unpackPvhKernel(kernel) ?? kernel
}

async function openDrives(config: MachineConfig): Promise<readonly OpenDisk[]> {
  const defaultBus = config.board === 'microvm' ? 'virtio' : 'ide'
  const drives: OpenDisk[] = []
  try {
    if (config.demo) drives.push({ kind: 'disk', bus: 'ide', backend: new MemoryDisk('the demo guest', buildDemoDisk()) })
    for (const { path, readOnly, cache, bus = defaultBus } of config.disks) drives.push({ kind: 'disk', bus, backend: await RawFile.openDisk(path, { readOnly, writeThrough: cache === 'writethrough', option: '--disk' }) })
    for (const { path, bus = config.board === 'microvm' ? 'scsi' : 'ide' } of config.cdroms) drives.push({ kind: 'cdrom', bus, backend: path === undefined ? undefined : await RawFile.openCd(path, '--cdrom') })
  } catch (error) {
    await closeDrives(drives)
    throw error
  }
  return drives
}
