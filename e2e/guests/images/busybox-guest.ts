/**
 * Debian 12's stock kernels with an initramfs of our own: busybox, the kernel modules and programs that a test names, and a shell on the console. For
 * devices that need no disk to boot from. Nothing is installed: packages are unpacked.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { archive, type ArchiveEntry } from '../../../tools/bench/guest/initramfs'
import { cached, sourceOf, tool } from './cache'

export interface BusyboxGuest {
  readonly kernel: string
  readonly initramfs: string
}

export interface BusyboxGuestOptions {
  readonly arch: 'amd64' | 'i386'
  /** cloud: Debian's kernel for virtual machines (amd64 only), LZ4-compressed, with fewer drivers. Default: generic. */
  readonly flavour?: 'generic' | 'cloud'
  /** By name, loaded in this order with what they depend on. */
  readonly modules?: readonly string[]
  /** Copied but not loaded: for modprobe in the guest. */
  readonly modulesAtHand?: readonly string[]
  /** Absolute paths of programs in Debian's packages, copied with their libraries. To be called by these paths: busybox's shell prefers busybox's own. */
  readonly programs?: readonly string[]
  /** Files of the test's own: path in the guest, and contents. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>
  /** Run by busybox's shell after the modules are loaded; what it prints goes to the console. Then the shell prompts. */
  readonly script?: string
}

/** What the shell prompts with. */
export const PROMPT = 'guest# '
/** As a pattern of a script's `expect`: busybox asks the terminal where its cursor is. */
export const PROMPT_PATTERN: string = 'guest# (\\x1b\\[6n)?$'

const PACKAGES = { amd64: ['linux-image-amd64', 'linux-image-cloud-amd64'], i386: ['linux-image-686-pae'] } as const
const PROGRAM_PACKAGES = ['busybox-static', 'e2fsprogs', 'evtest', 'rng-tools5'] as const
/** Big, and of no use to any test. */
const UNWANTED = ['sound', 'drivers/media', 'drivers/net/wireless', 'drivers/net/ethernet', 'drivers/infiniband', 'drivers/iio', 'drivers/staging', 'drivers/gpu/drm/amd', 'drivers/gpu/drm/i915', 'drivers/gpu/drm/nouveau', 'drivers/gpu/drm/radeon', 'drivers/usb', 'drivers/hwmon', 'drivers/isdn', 'fs/btrfs', 'fs/ocfs2', 'fs/xfs', 'net/bluetooth', 'net/mac80211']

/** Kernels, modules and programs, unpacked. */
function tree(arch: 'amd64' | 'i386'): string {
  return cached(`debian-kernels-${arch}.tree`, [arch, ...PACKAGES[arch], ...PROGRAM_PACKAGES, ...UNWANTED], (_scratch, target) => {
    const packages = [...PACKAGES[arch], ...PROGRAM_PACKAGES]
    tool('mmdebstrap', ['--mode=root', '--variant=extract', `--architectures=${arch}`, `--include=${packages.join(',')}`, '--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*', 'bookworm', target, mirror()])
    for (const version of readdirSync(join(target, 'lib', 'modules'))) {
      for (const folder of UNWANTED) rmSync(join(target, 'lib', 'modules', version, 'kernel', folder), { recursive: true, force: true })
      tool('depmod', ['-b', target, version])
    }
  })
}

/** Of the release proper, wherever this system gets it from: updates and security come and go, and may lack an architecture for a day. */
function mirror(): string {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Codename: bookworm', 'Component: main'], { encoding: 'utf8' })
  const [site] = stdout.split('\n')
  if (!site) throw new Error('apt knows no archive of Debian 12 (bookworm); add one to its sources')
  return site
}

export function busyboxGuest(options: BusyboxGuestOptions): BusyboxGuest {
  const root = tree(options.arch)
  const cloud = options.flavour === 'cloud'
  const version = readdirSync(join(root, 'lib', 'modules')).find((name) => name.includes('cloud') === cloud)
  if (version === undefined) throw new Error(`Debian has no ${options.flavour ?? 'generic'} kernel for ${options.arch}`)
  const initramfs = cached(`busybox-${options.arch}.cpio`, [sourceOf(import.meta.url), version, recipeOf(options)], (_scratch, target) => {
    writeFileSync(target, archive(entries(root, version, options)))
  })
  return { kernel: join(root, 'boot', `vmlinuz-${version}`), initramfs }
}

function recipeOf(options: BusyboxGuestOptions): string {
  const files = Object.entries(options.files ?? {}).map(([path, contents]) => [path, Buffer.from(contents).toString('base64')])
  return JSON.stringify({ ...options, files })
}

function entries(root: string, version: string, options: BusyboxGuestOptions): readonly ArchiveEntry[] {
  const { modules = [], modulesAtHand = [], programs = [], files = {} } = options
  const contents = new Map<string, ArchiveEntry>()
  const add = (path: string, data: Uint8Array, mode: number = 0o100755): void => {
    for (let folder = dirname(path); folder !== '.' && !contents.has(folder); folder = dirname(folder)) contents.set(folder, { path: folder, mode: 0o40755 })
    contents.set(path, { path, mode, data })
  }
  for (const folder of ['proc', 'sys', 'dev', 'tmp', 'mnt', 'run', 'etc']) contents.set(folder, { path: folder, mode: 0o40755 })
  contents.set('dev/console', { path: 'dev/console', mode: 0o20600, device: [5, 1] })
  contents.set('dev/null', { path: 'dev/null', mode: 0o20666, device: [1, 3] })
  add('bin/busybox', readFileSync(join(root, 'bin', 'busybox')))
  for (const file of moduleFiles(root, version, [...modules, ...modulesAtHand])) add(join('lib/modules', version, file), readFileSync(join(root, 'lib/modules', version, file)), 0o100644)
  for (const index of ['modules.dep', 'modules.alias', 'modules.builtin']) add(join('lib/modules', version, index), readFileSync(join(root, 'lib/modules', version, index)), 0o100644)
  for (const program of programs) for (const file of [program, ...librariesOf(root, program)]) add(file.slice(1), readFileSync(real(root, file)))
  for (const [path, data] of Object.entries(files)) add(path.replace(/^\//, ''), Buffer.from(data))
  add('init', Buffer.from(initScript(modules, options.script ?? '')))
  // Folders before what is in them.
  return [...contents.values()].sort((a, b) => a.path.split('/').length - b.path.split('/').length)
}

function initScript(modules: readonly string[], script: string): string {
  return `#!/bin/busybox sh
/bin/busybox mkdir -p /busybox
/bin/busybox --install -s /busybox
/busybox/ln -s busybox /bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/busybox HOME=/ TERM=linux
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
echo "user space after $(cut -d' ' -f1 /proc/uptime) s"
for module in ${modules.join(' ')}; do modprobe $module || echo "no module $module"; done
mdev -s
${script}
export PS1='${PROMPT}'
while :; do setsid -c sh </dev/console >/dev/console 2>&1; done
`
}

/** Files of modules and of all that they depend on, by modules.dep. */
function moduleFiles(root: string, version: string, names: readonly string[]): readonly string[] {
  const folder = join(root, 'lib', 'modules', version)
  const lines = readFileSync(join(folder, 'modules.dep'), 'utf8').split('\n')
  const builtin = readFileSync(join(folder, 'modules.builtin'), 'utf8').split('\n')
  const nameOf = (file: string): string => basename(file).replace(/\.ko.*$/, '').replaceAll('-', '_')
  const isBuiltin = (wanted: string): boolean => builtin.some((file) => nameOf(file) === wanted)
  return names.flatMap((name) => {
    const wanted = name.replaceAll('-', '_')
    const line = lines.find((candidate) => nameOf(candidate.split(':')[0] ?? '') === wanted)
    if (line === undefined && !isBuiltin(wanted)) throw new Error(`Debian's kernel ${version} has no module ${name}`)
    const [file, dependencies = ''] = line?.split(':') ?? []
    return file === undefined ? [] : [file, ...dependencies.split(' ').filter((dependency) => dependency !== '')]
  })
}

const LIBRARY_FOLDERS = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib/i386-linux-gnu', 'usr/lib/i386-linux-gnu', 'lib64', 'lib', 'usr/lib64', 'usr/lib']

/** Shared libraries of a program and theirs, and its loader, as absolute paths in the guest. */
export function librariesOf(root: string, program: string, found: Set<string> = new Set()): readonly string[] {
  const listing = join(root, 'tmp', 'needed')
  mkdirSync(dirname(listing), { recursive: true })
  tool('sh', ['-c', `readelf -dl "$1" > "$2"`, 'sh', real(root, program), listing])
  const text = readFileSync(listing, 'utf8')
  rmSync(listing)
  const loader = /program interpreter: ([^\]]+)\]/.exec(text)?.[1]
  if (loader !== undefined) found.add(loader)
  for (const [, name = ''] of text.matchAll(/\(NEEDED\)[^[]*\[([^\]]+)\]/g)) {
    const folder = LIBRARY_FOLDERS.find((candidate) => existsSync(join(root, candidate, name)))
    if (folder === undefined) throw new Error(`${program} wants ${name}, which no package has`)
    const path = `/${folder}/${name}`
    if (found.has(path)) continue
    found.add(path)
    librariesOf(root, path, found)
  }
  return [...found]
}

/** A file of the tree, whose links may be absolute. */
export function real(root: string, path: string): string {
  const whole = join(root, path)
  if (lstatSync(whole).isSymbolicLink()) return realpathSync(whole)
  return whole
}
