// What the project uses of the system: Electron's libraries and a virtual display; guest images and tools for the tests.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { run, say } from './steps.mjs'

export const ELECTRON = ['libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1', 'libxss1', 'libxtst6', 'libatk-bridge2.0-0', 'libdrm2', 'libcups2', 'libxkbcommon0']
const DISPLAY = ['xvfb', 'xauth']
const GUESTS = [
  'debian-installer-12-netboot-amd64', 'debian-installer-12-netboot-i386', 'memtest86+', 'ipxe', 'seabios', 'isolinux', 'syslinux-common',
  'grub-pc-bin', 'grub-common', 'grub2-common', 'xorriso', 'mtools', 'mmdebstrap', 'e2fsprogs', 'fdisk', 'dosfstools', 'kmod',
]
const REFEREES = ['gcc', 'libc6-dev', 'binutils', 'nasm', 'acpica-tools', 'qemu-utils']
const BENCH = ['gcc', 'qemu-system-x86', 'seabios', 'debian-installer-12-netboot-amd64', 'debian-installer-12-netboot-i386']

const NEEDED = {
  start: ELECTRON,
  test: [...ELECTRON, ...DISPLAY, ...GUESTS, ...REFEREES],
  guests: [...GUESTS, ...REFEREES],
  bench: BENCH,
}

/**
 * Installs what is missing when root on a Debian system; otherwise prints the one command that does. Returns what stays missing.
 * @param {'start' | 'test' | 'guests' | 'bench'} purpose
 */
export function ensureDebianPackages(purpose) {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version')) return []
  const missing = NEEDED[purpose].filter((name) => !installed(name))
  if (missing.length === 0) return []
  if (process.getuid?.() !== 0) {
    say(`these packages are missing; install them with:  sudo apt-get install -y ${missing.join(' ')}`)
    return missing
  }
  say(`installing Debian packages: ${missing.join(' ')}`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-q'], { env: environment })
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], { env: environment })
  return []
}

function installed(name) {
  const result = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' })
  return result.status === 0 && result.stdout.includes('install ok installed')
}
