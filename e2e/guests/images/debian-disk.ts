/**
 * A Debian 12 amd64 disk image with GRUB on an MBR-partitioned raw disk: kernel, initramfs, SysV init, a login on the first serial port and on the
 * console, acpid for the power button, LuaJIT as a guest's just-in-time compiler. Built without mounting anything: mmdebstrap makes the tree, mke2fs fills the file system from it, GRUB's
 * core image goes between MBR and partition.
 */
import { copyFileSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { cached, sourceOf, tool } from './cache'

const MIB = 0x100000
const DISK_MIB = 1400
const PARTITION_START = MIB
const SECTOR = 512
const GRUB = '/usr/lib/grub/i386-pc'
const ROOT_PASSWORD = 'vitrine'
/** Lines of a script that logs in as root, once the guest has started. */
export const LOGIN: readonly string[] = ['expect vitrine login:', 'send root\\n', 'expect Password:', `send ${ROOT_PASSWORD}\\n`, 'expect root@vitrine:~#']

const PACKAGES = ['linux-image-amd64', 'initramfs-tools', 'sysvinit-core', 'sysv-rc', 'acpid', 'udev', 'kmod', 'login', 'e2fsprogs', 'procps', 'mount', 'luajit']

export function debianDisk(): string {
  return cached('debian-12-amd64.raw', [sourceOf(import.meta.url)], (scratch, target) => {
    const tree = join(scratch, 'tree')
    // A .tar rather than a folder: mmdebstrap keeps owners and devices whatever the mode it runs in.
    tool('mmdebstrap', ['--mode=root', '--variant=minbase', `--include=${PACKAGES.join(',')}`, '--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*', `--customize-hook=echo root:${ROOT_PASSWORD} | chroot "$1" chpasswd`, 'bookworm', tree])
    configure(tree)
    truncate(target, DISK_MIB * MIB)
    const fileSystem = join(scratch, 'root.ext4')
    truncate(fileSystem, DISK_MIB * MIB - PARTITION_START)
    tool('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', 'root', '-d', tree, fileSystem])
    tool('sfdisk', ['--quiet', target], { input: `label: dos\nstart=${PARTITION_START / SECTOR}, type=83, bootable\n` })
    tool('dd', [`if=${fileSystem}`, `of=${target}`, 'bs=1M', `seek=${PARTITION_START / MIB}`, 'conv=notrunc,sparse', 'status=none'])
    rmSync(fileSystem)
    installGrub(scratch, target)
  })
}

function configure(tree: string): void {
  writeFileSync(join(tree, 'etc', 'fstab'), 'LABEL=root / ext4 errors=remount-ro 0 1\n')
  writeFileSync(join(tree, 'etc', 'hostname'), 'vitrine\n')
  const inittab = join(tree, 'etc', 'inittab')
  const lines = readFileSync(inittab, 'utf8').split('\n').filter((line) => !/^[2-6]:/.test(line))
  writeFileSync(inittab, `${lines.join('\n')}\nT0:23:respawn:/sbin/getty -L ttyS0 115200 vt100\n`)
  mkdirSync(join(tree, 'etc', 'acpi', 'events'), { recursive: true })
  writeFileSync(join(tree, 'etc', 'acpi', 'events', 'powerbtn'), 'event=button[ /]power\naction=/sbin/poweroff\n')
  mkdirSync(join(tree, 'boot', 'grub'), { recursive: true })
  writeFileSync(
    join(tree, 'boot', 'grub', 'grub.cfg'),
    'set timeout=1\nset default=0\nmenuentry "Debian" {\n  search --no-floppy --label root --set=root\n  linux /vmlinuz root=LABEL=root ro console=tty0 console=ttyS0\n  initrd /initrd.img\n}\n',
  )
}

function installGrub(scratch: string, disk: string): void {
  const core = join(scratch, 'core.img')
  tool('grub-mkimage', ['-d', GRUB, '-O', 'i386-pc', '-o', core, '-p', '(hd0,msdos1)/boot/grub', 'biosdisk', 'part_msdos', 'ext2', 'normal', 'linux', 'search', 'search_label', 'configfile', 'echo', 'minicmd', 'ls', 'cat'])
  const coreBytes = readFileSync(core)
  if (coreBytes.length > PARTITION_START - SECTOR) throw new Error(`GRUB's core image of ${coreBytes.length} bytes does not fit before the partition`)
  const boot = readFileSync(join(GRUB, 'boot.img'))
  const file = openSync(disk, 'r+')
  try {
    writeSync(file, boot, 0, 440, 0) // leaves disk signature and partition table alone; boot.img loads sector 1
    writeSync(file, coreBytes, 0, coreBytes.length, SECTOR)
  } finally {
    closeSync(file)
  }
}

/** A private copy to write to. */
export function copyOf(image: string, target: string): string {
  copyFileSync(image, target)
  return target
}

function truncate(path: string, bytes: number): void {
  closeSync(openSync(path, 'w'))
  truncateSync(path, bytes)
}
