/** Kernels that boot without a boot loader: by the Linux/x86 boot protocol, Multiboot 1, PVH. And the archives that go with them. */
import { createGunzip } from 'node:zlib'
import { Fields, type MediaFile } from './media-file'
import { shownText, type MediaBits, type Recognised } from './media-facts'
import { architectureOf, systemByKernelVersion } from './systems'

const HEADER_BYTES = 0x280
const XLOADFLAGS_SINCE = 0x20c
const XLF_KERNEL_64 = 1

export interface LinuxKernel {
  readonly bits: MediaBits
  /** As uname shows it, with who built it; undefined: the image does not say. */
  readonly version: string | undefined
  /** Of the boot protocol, such as "2.15". */
  readonly protocol: string
  /** The file is shorter than its header says. */
  readonly truncated: boolean
}

/** `read` answers bytes of the image: it may lie inside of another file. */
export async function readLinuxKernel(read: (offset: number, length: number) => Promise<Uint8Array>, bytes: number): Promise<LinuxKernel | undefined> {
  const header = new Fields(await read(0, HEADER_BYTES))
  if (header.u16(0x1fe) !== 0xaa55 || !header.matches(0x202, 'HdrS')) return undefined
  const protocol = header.u16(0x206)
  const setupBytes = ((header.u8(0x1f1) || 4) + 1) * 512
  const versionAt = header.u16(0x20e)
  const text = versionAt === 0 || versionAt + 0x200 >= setupBytes ? '' : new Fields(await read(versionAt + 0x200, 256)).asciiz(0, 256)
  const version = shownText(text)
  const is64 = protocol >= XLOADFLAGS_SINCE && (header.u16(0x236) & XLF_KERNEL_64) !== 0
  return {
    bits: is64 || (protocol < XLOADFLAGS_SINCE && architectureOf(version).bits === 64) ? 64 : 32,
    version: version === '' ? undefined : version,
    protocol: `${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}`,
    truncated: bytes <= setupBytes || header.u32(0x1f4) * 16 > bytes - setupBytes + 16,
  }
}

export async function recogniseLinux(file: MediaFile): Promise<Recognised | undefined> {
  const kernel = await readLinuxKernel((offset, length) => file.read(offset, length), file.bytes)
  if (!kernel) return undefined
  const { version, bits, protocol, truncated } = kernel
  const known = version === undefined ? undefined : systemByKernelVersion(version)
  return {
    kind: 'linux-kernel',
    system: known?.system ?? 'Linux',
    ...(version === undefined ? {} : { version: /^\d\S*/.exec(version)?.[0] ?? known?.version ?? version }),
    family: known?.family ?? 'linux',
    bits,
    why: [{ sign: 'boot-protocol', value: `Linux/x86 ${protocol}` }, ...(version === undefined ? [] : [{ sign: 'kernel-version' as const, value: version }])],
    suggestion: { name: known?.system.replace(' GNU/Linux', '') ?? 'Linux', memoryMiB: bits === 64 ? 1024 : 512, diskMiB: 0 },
    ...(truncated ? { warning: 'damaged' as const } : {}),
  }
}

const MULTIBOOT_MAGIC = 0x1badb002
const MULTIBOOT_SEARCH = 8192
const MACHINE_386 = 3
const MACHINE_X86_64 = 62
const PT_NOTE = 4
const MAX_SEGMENTS = 256
const MAX_NOTE_BYTES = 1 << 16
const XEN_ELFNOTE_PHYS32_ENTRY = 18

export async function recogniseMultiboot(file: MediaFile): Promise<Recognised | undefined> {
  const head = new Fields(await file.read(0, MULTIBOOT_SEARCH))
  const elf = head.matches(0, [0x7f, 0x45, 0x4c, 0x46]) && head.u8(5) === 1
  const machine = head.u16(18)
  // GRUB has a Multiboot header too, behind the boot sector of the disks that it is installed on.
  const multiboot = hasMultiboot(head) && (elf || head.u16(510) !== 0xaa55)
  const pvh = elf && (await hasPvhNote(file, head))
  if (!multiboot && !pvh) return undefined
  return {
    kind: 'multiboot-kernel',
    bits: elf && machine === MACHINE_X86_64 ? 64 : 32,
    family: 'other',
    why: [{ sign: 'boot-protocol', value: multiboot ? 'Multiboot 1' : 'PVH' }, ...(elf ? [{ sign: 'format' as const, value: head.u8(4) === 2 ? 'ELF64' : 'ELF32' }] : [])],
    suggestion: { name: 'Kernel', memoryMiB: 256, diskMiB: 0 },
    ...(elf && machine !== MACHINE_386 && machine !== MACHINE_X86_64 ? { warning: 'not-x86' as const } : {}),
  }
}

function hasMultiboot(head: Fields): boolean {
  for (let at = 0; at + 12 <= head.bytes.length; at += 4) {
    if (head.u32(at) === MULTIBOOT_MAGIC && ((MULTIBOOT_MAGIC + head.u32(at + 4) + head.u32(at + 8)) & 0xffffffff) === 0) return true
  }
  return false
}

async function hasPvhNote(file: MediaFile, head: Fields): Promise<boolean> {
  const wide = head.u8(4) === 2
  const table = wide ? head.u64(32) : head.u32(28)
  const row = head.u16(wide ? 54 : 42)
  const count = Math.min(head.u16(wide ? 56 : 44), MAX_SEGMENTS)
  if (row < (wide ? 56 : 32)) return false
  const rows = new Fields(await file.read(table, row * count))
  for (let i = 0; i < count; i++) {
    if (rows.u32(i * row) !== PT_NOTE) continue
    const offset = wide ? rows.u64(i * row + 8) : rows.u32(i * row + 4)
    const length = wide ? rows.u64(i * row + 32) : rows.u32(i * row + 16)
    const notes = new Fields(await file.read(offset, Math.min(length, MAX_NOTE_BYTES)))
    for (let at = 0; at + 12 <= notes.bytes.length; ) {
      const name = notes.u32(at)
      const type = notes.u32(at + 8)
      if (name === 4 && notes.matches(at + 12, 'Xen\0') && type === XEN_ELFNOTE_PHYS32_ENTRY) return true
      at += 12 + Math.ceil(name / 4) * 4 + Math.ceil(notes.u32(at + 4) / 4) * 4
    }
  }
  return false
}

const CPIO = /^07070[127]/
const EXT2_MAGIC_AT = 1080
const UNPACKED = 4096
/** Compressions that Node cannot undo: an archive is believed to be one. */
const OTHERS: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'lz4', magic: [0x02, 0x21, 0x4c, 0x18] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'lzma', magic: [0x5d, 0, 0] },
  { name: 'lzo', magic: [0x89, 0x4c, 0x5a, 0x4f] },
]

export async function recogniseInitrd(file: MediaFile): Promise<Recognised | undefined> {
  const head = new Fields(await file.read(0, UNPACKED))
  const found = (format: string): Recognised => ({ kind: 'initrd', family: 'linux', why: [{ sign: 'format', value: format }] })
  if (CPIO.test(head.text(0, 6))) return found('cpio')
  if (head.matches(0, [0x1f, 0x8b])) {
    const inner = new Fields(await firstUnpacked(head.bytes))
    if (CPIO.test(inner.text(0, 6))) return found('gzip, cpio')
    return inner.u16(EXT2_MAGIC_AT) === 0xef53 ? found('gzip, ext2') : undefined
  }
  const other = OTHERS.find(({ magic }) => head.matches(0, magic))
  return other && found(other.name)
}

/** What the beginning of a gzip file unpacks to: the first piece, so that it does not matter what the rest would grow to. */
async function firstUnpacked(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const gunzip = createGunzip({ chunkSize: UNPACKED })
    const done = (chunk: Uint8Array): void => {
      resolve(chunk)
      gunzip.destroy()
    }
    gunzip.once('data', done)
    gunzip.once('error', () => done(new Uint8Array(0)))
    gunzip.once('end', () => done(new Uint8Array(0)))
    gunzip.end(bytes)
  })
}
