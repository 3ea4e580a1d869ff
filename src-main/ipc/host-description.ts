/** What this host and this build have: for markers, limits and lists in the window. */
import { statfs, stat } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { CPU_FEATURES, ENGINES, MAX_CPUS, MAX_DISK_BYTES, MAX_IDE_DRIVES, MAX_MEMORY_MIB, MAX_SERIAL_PORTS, MIN_MEMORY_MIB, VIDEO_MEMORY_MIB } from '../vmm'
import type { HostDescription } from './contract'

const MIB = 0x100000

/** Where distributions put SeaBIOS. */
const FIRMWARE: readonly { readonly name: string; readonly path: string }[] = [
  { name: 'SeaBIOS (256 KiB)', path: '/usr/share/seabios/bios-256k.bin' },
  { name: 'SeaBIOS (128 KiB)', path: '/usr/share/seabios/bios.bin' },
  { name: 'SeaBIOS (QEMU, 256 KiB)', path: '/usr/share/qemu/bios-256k.bin' },
]

export async function describeHost(location: string): Promise<HostDescription> {
  const firmware = await Promise.all(FIRMWARE.map(async (image) => ((await stat(image.path).then((info) => info.isFile(), () => false)) ? [image] : [])))
  const freeDiskBytes = await freeBytes(location)
  return {
    memoryMiB: Math.floor(totalmem() / MIB),
    freeMemoryMiB: Math.floor(freemem() / MIB),
    cpus: cpus().length,
    ...(freeDiskBytes === undefined ? {} : { freeDiskBytes }),
    limits: { minMemoryMiB: MIN_MEMORY_MIB, maxMemoryMiB: MAX_MEMORY_MIB, maxCpus: MAX_CPUS, maxIdeDrives: MAX_IDE_DRIVES, maxSerialPorts: MAX_SERIAL_PORTS, maxDiskBytes: MAX_DISK_BYTES, videoMemoryMiB: [...VIDEO_MEMORY_MIB] },
    cpuFeatures: [...CPU_FEATURES],
    engines: [...ENGINES],
    firmware: firmware.flat(),
  }
}

/** Of the file system on which `path` is, or will be made. */
async function freeBytes(path: string): Promise<number | undefined> {
  const found = await statfs(path).catch(() => undefined)
  if (found) return found.bavail * found.bsize
  const parent = dirname(path)
  return parent === path ? undefined : freeBytes(parent)
}
