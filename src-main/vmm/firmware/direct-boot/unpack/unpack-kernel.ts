/**
 * The ELF image inside a Linux bzImage: what a hypervisor's loader enters by its PVH note, without the kernel's own unpacking. Linux, Documentation/arch/x86/boot.rst
 * (payload_offset, payload_length), scripts/Makefile.lib (the unpacked size follows the packed data).
 */
import { VmmError } from '../../../errors/vmm-error'
import { dataView, type NamedBytes } from '../boot-image'
import { isElf, parseElf } from '../elf'
import { pvhEntry } from '../pvh'
import { isLz4, unpackLz4, Lz4Error } from './lz4'
import { LzmaError } from './lzma-decoder'
import { isXz, unpackXz } from './xz'

const SETUP_SECTORS = 0x1f1
const PROTOCOL = 0x206
const PAYLOAD_OFFSET = 0x248
const PAYLOAD_LENGTH = 0x24c
const FIRST_WITH_PAYLOAD = 0x208
const MAX_UNPACKED = 256 << 20

/** undefined: packed in a way that is not known, or without a PVH entry; the kernel can only unpack itself. */
export function unpackPvhKernel({ name, bytes }: NamedBytes): NamedBytes | undefined {
  const view = dataView(bytes)
  if (bytes.length < 0x250 || view.getUint16(PROTOCOL, true) < FIRST_WITH_PAYLOAD) return undefined
  const start = ((view.getUint8(SETUP_SECTORS) || 4) + 1) * 512 + view.getUint32(PAYLOAD_OFFSET, true)
  const length = view.getUint32(PAYLOAD_LENGTH, true)
  if (length < 16 || start + length > bytes.length) throw new VmmError('file/wrong-format', `kernel ${name}: its packed part lies outside the file; is it complete?`)
  const payload = bytes.subarray(start, start + length)
  const size = dataView(payload).getUint32(length - 4, true)
  const unpack = isXz(payload) ? unpackXz : isLz4(payload) ? unpackLz4 : undefined
  if (!unpack || size > MAX_UNPACKED) return undefined
  try {
    const image = unpack(payload.subarray(0, length - 4), size)
    return isElf(image) && pvhEntry(parseElf(image, name)) !== undefined ? { name, bytes: image } : undefined
  } catch (error) {
    if (error instanceof LzmaError || error instanceof Lz4Error) throw new VmmError('file/wrong-format', `kernel ${name}: cannot be unpacked (${error.message}); is the file complete?`)
    throw error
  }
}
