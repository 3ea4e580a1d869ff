/** What the guest runs on: Vitrine, the peers that it is compared with, and the host itself. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installerKernel, type Architecture } from '../../../e2e/guests/images/files'
import type { GuestProgram } from './program'

export const PEERS = ['ours', 'translator', 'interpreter', 'v86', 'qemu', 'native'] as const
/** Those that are Vitrine, by its default engine or a named one. */
export const OWN: readonly PeerName[] = ['ours', 'translator', 'interpreter']
export type PeerName = (typeof PEERS)[number]

export interface Job {
  readonly guest: GuestProgram
  /** Per cent of each section's work. */
  readonly scale: number
  /** Only sections whose names start so; none: all. */
  readonly prefixes: readonly string[]
}

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** Vitrine writes its statistics there when the guest has switched off. */
  readonly stats?: string
}

export interface Peer {
  readonly label: string
  readonly architectures: readonly Architecture[]
  /** Why it cannot run here. */
  missing(architecture: Architecture): string | undefined
  command(job: Job, folder: string): Command
}

const MEMORY_MIB = 256
const BOTH = ['i386', 'amd64'] as const
export const vitrine: string = join(import.meta.dirname, '..', '..', '..', 'out', 'cli', 'vitrine.mjs')
const v86Guest = join(import.meta.dirname, '..', 'v86-guest.mjs')
const V86_BIOS = '/usr/share/seabios/bios.bin'
const V86_VGA_BIOS = '/usr/share/seabios/vgabios-stdvga.bin'

/**
 * `earlyprintk` lets the kernel's decompressor speak: that is where its time starts. `mitigations=off` and `nokaslr`, so that processors of
 * different CPUID run the same kernel code.
 */
function kernelCommandLine(words: readonly string[]): string {
  return ['console=ttyS0,115200', 'earlyprintk=ttyS0,115200', 'quiet', 'mitigations=off', 'nokaslr', 'panic=-1', '--', ...words].join(' ')
}

/** What a job asks of the program (resources/bench-guest/main.c). */
function words({ scale, prefixes }: Job): string[] {
  return ['run', String(scale), ...prefixes]
}

/** Vitrine's options for a machine whose program is given these words. */
export function bootArguments({ architecture, initrd }: GuestProgram, program: readonly string[]): string[] {
  return ['--memory', String(MEMORY_MIB), '--kernel', installerKernel(architecture), '--initrd', initrd, '--append', kernelCommandLine(program)]
}

function noKernel(architecture: Architecture): string | undefined {
  return existsSync(installerKernel(architecture)) ? undefined : `no kernel: apt-get install debian-installer-12-netboot-${architecture}`
}

/** Vitrine by one engine, or by its default one. */
function ours(engine?: string): Peer {
  return {
    label: engine ?? 'Vitrine',
    architectures: BOTH,
    missing: noKernel,
    command: (job, folder) => {
      const stats = join(folder, 'stats.json')
      const choice = engine === undefined ? [] : ['--engine', engine]
      return { program: process.execPath, args: [vitrine, 'run', ...choice, ...bootArguments(job.guest, words(job)), '--stats', stats], stats }
    },
  }
}

const v86: Peer = {
  label: 'v86',
  architectures: ['i386'],
  missing: (architecture) => {
    try {
      if (!existsSync(fileURLToPath(import.meta.resolve('v86')))) return 'the npm package v86 is not installed: npm run setup'
    } catch {
      return 'the npm package v86 is not installed: npm run setup'
    }
    return existsSync(V86_BIOS) && existsSync(V86_VGA_BIOS) ? noKernel(architecture) : 'no BIOS for v86: apt-get install seabios'
  },
  command: (job) => {
    const { architecture, initrd } = job.guest
    return { program: process.execPath, args: [v86Guest, installerKernel(architecture), initrd, kernelCommandLine(words(job)), String(MEMORY_MIB), V86_BIOS, V86_VGA_BIOS] }
  },
}

const qemu: Peer = {
  label: 'QEMU TCG',
  architectures: BOTH,
  missing: (architecture) => (spawnSync('qemu-system-x86_64', ['--version']).status === 0 ? noKernel(architecture) : 'qemu-system-x86_64 is not installed (Debian: qemu-system-x86)'),
  command: (job) => {
    const { architecture, initrd } = job.guest
    const machine = ['-M', 'pc', '-accel', 'tcg', '-m', String(MEMORY_MIB), '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-nic', 'none', '-no-reboot']
    return { program: 'qemu-system-x86_64', args: [...machine, '-kernel', installerKernel(architecture), '-initrd', initrd, '-append', kernelCommandLine(words(job))] }
  },
}

const native: Peer = {
  label: 'native',
  architectures: BOTH,
  missing: () => undefined,
  command: (job) => ({ program: job.guest.program, args: words(job) }),
}

export const peers: Readonly<Record<PeerName, Peer>> = { ours: ours(), translator: ours('translator'), interpreter: ours('interpreter'), v86, qemu, native }
