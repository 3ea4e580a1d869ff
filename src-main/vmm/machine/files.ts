/** Files that a machine reads whole at power-on, each with a clear error. */
import { readFile, stat } from 'node:fs/promises'
import { fileError } from '../backends/block/raw-file'
import { VmmError } from '../errors/vmm-error'
import type { NamedBytes } from '../firmware/direct-boot'

const MAX_FILE_BYTES = 0x80000000

export async function readWhole(path: string, option: string): Promise<NamedBytes> {
  try {
    const info = await stat(path)
    if (info.isDirectory()) throw new VmmError('file/not-a-file', `${option} ${path}: is a directory; give a file`)
    if (!info.isFile()) throw new VmmError('file/not-a-file', `${option} ${path}: is not a regular file; give a file`)
    if (info.size > MAX_FILE_BYTES) throw new VmmError('memory/too-much', `${option} ${path}: ${info.size} bytes are more than any machine here can load; give another file`)
    return { name: path, bytes: new Uint8Array(await readFile(path)) }
  } catch (error) {
    throw fileError(error, option, path)
  }
}

/** A firmware image: a power of two between 64 KiB and 16 MiB, as flash chips are. */
export async function readFirmware(path: string): Promise<Uint8Array> {
  const { bytes } = await readWhole(path, '--firmware')
  if (bytes.length < 0x10000 || bytes.length > 0x1000000 || bytes.length % 0x10000 !== 0) {
    throw new VmmError('file/wrong-format', `--firmware ${path}: ${bytes.length} bytes is no size of a firmware image (a multiple of 64 KiB up to 16 MiB); give one such as bios-256k.bin`)
  }
  // The reset vector is at the end: an image that holds a jump nowhere near it is no PC firmware.
  if (bytes.subarray(-16).every((byte) => byte === 0) || bytes.subarray(-16).every((byte) => byte === 0xff)) {
    throw new VmmError('file/wrong-format', `--firmware ${path}: has nothing at the reset vector; is it a PC firmware image such as bios-256k.bin?`)
  }
  return bytes
}

/** An option ROM: 55 AAh, length in 512-byte blocks (PCI Firmware Specification 3.0, 5.1). */
export async function readOptionRom(path: string): Promise<Uint8Array> {
  const { bytes } = await readWhole(path, '--vga-bios')
  if (bytes[0] !== 0x55 || bytes[1] !== 0xaa || (bytes[2] ?? 0) * 512 > bytes.length || bytes.length > 0x10000) {
    throw new VmmError('file/wrong-format', `--vga-bios ${path}: is no option ROM (it must start with 55 AA and be whole); give vgabios-stdvga.bin`)
  }
  return bytes
}
