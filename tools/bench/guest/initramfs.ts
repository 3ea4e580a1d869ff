/** An initramfs with one program: the "newc" cpio format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst), not compressed. */

export interface ArchiveEntry {
  readonly path: string
  /** File type and permissions, as in stat's st_mode. */
  readonly mode: number
  readonly data?: Uint8Array
  /** Of a device node: major and minor number. */
  readonly device?: readonly [number, number]
}

const DIRECTORY = 0o40755
const EXECUTABLE = 0o100755
const CHARACTER_DEVICE = 0o20666
const MAGIC = '070701'
const TRAILER = 'TRAILER!!!'

export function initramfs(program: Uint8Array): Buffer {
  const node = (name: string, major: number, minor: number): ArchiveEntry => ({ path: `dev/${name}`, mode: CHARACTER_DEVICE, device: [major, minor] })
  return archive([
    { path: 'dev', mode: DIRECTORY },
    node('console', 5, 1),
    node('null', 1, 3),
    node('zero', 1, 5),
    { path: 'init', mode: EXECUTABLE, data: program },
  ])
}

export function archive(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => entryParts(entry, index + 1))
  return Buffer.concat([...parts, ...entryParts({ path: TRAILER, mode: 0 }, 0)])
}

/** Header and name together, and the data, each padded to 4 bytes. */
function entryParts({ path, mode, data = new Uint8Array(0), device = [0, 0] }: ArchiveEntry, inode: number): Buffer[] {
  const links = (mode & 0o170000) === 0o40000 ? 2 : 1
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, device[0], device[1], path.length + 1, 0]
  const header = MAGIC + fields.map((value) => value.toString(16).padStart(8, '0')).join('')
  return [padded(Buffer.from(`${header}${path}\0`, 'latin1')), padded(Buffer.from(data))]
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}
