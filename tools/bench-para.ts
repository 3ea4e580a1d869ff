/**
 * What a guest that knows saves, on the same guest and the same machine: disks behind IDE (DMA), virtio-blk and virtio-scsi, and QEMU's translator with
 * virtio-blk as the peer, in turns.
 *   npm run bench:para -- [--only ide,virtio,scsi,qemu] [--rounds 1] [--large MIB] [--small REQUESTS] [--json PATH]
 * Figures are the best of all rounds. Exits a megabyte are those of a run that only reads and writes in large pieces, less those of one that does nothing.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { busyboxGuest, type BusyboxGuest } from '../e2e/guests/images/busybox-guest'
import { vitrine } from './bench/guest/peers'

const MIB = 0x100000
const DISK_MIB = 128
/** Much, so that what differs between two boots does not count. */
const EXITS_MIB = 4096
const LIMIT_MS = 180_000
const MEMORY = '256'
const PEERS = ['ide', 'virtio', 'scsi', 'qemu'] as const
type Peer = (typeof PEERS)[number]

/** Name, unit, whether less is better. */
const FIGURES = [
  ['boot', 's', true], ['sequential-read', 'MiB/s', false], ['sequential-write', 'MiB/s', false], ['random-read', 'requests/s', false], ['random-read-median', 'us', true],
  ['random-read-99', 'us', true], ['random-write', 'requests/s', false], ['random-write-median', 'us', true], ['random-write-99', 'us', true], ['exits', 'exits/MiB', true],
] as const

const text = { type: 'string' } as const
const { values: options } = parseArgs({ options: { only: text, rounds: text, large: text, small: text, json: text } })
const peers = PEERS.filter((peer) => options.only === undefined || options.only.split(',').includes(peer))
const rounds = Number(options.rounds ?? 1)
const large = Number(options.large ?? 512)
const small = Number(options.small ?? 5000)

function compile(folder: string): Buffer {
  const program = join(folder, 'disk-load')
  const { status, stderr } = spawnSync('gcc', ['-O2', '-static', '-o', program, join(import.meta.dirname, 'bench', 'para', 'disk-load.c')], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`gcc could not build the guest's program: ${stderr}`)
  return readFileSync(program)
}

const MODULES = { ide: ['ata_piix', 'sd_mod'], virtio: ['virtio_pci', 'virtio_blk'], scsi: ['virtio_pci', 'sd_mod', 'virtio_scsi'], qemu: ['virtio_pci', 'virtio_blk'] } as const

function guestFor(peer: Peer, program: Buffer): BusyboxGuest {
  const script = `sleep 2; mdev -s
set -- $(sed 's/.*load=\\([0-9]*\\),\\([0-9]*\\).*/\\1 \\2/' /proc/cmdline)
disk=$(ls /dev/vda /dev/sda 2>/dev/null | head -1)
disk-load $disk $1 $2
echo @end 0
poweroff -f`
  return busyboxGuest({ arch: 'amd64', modules: MODULES[peer], files: { '/bin/disk-load': program }, script })
}

function commandOf(peer: Peer, guest: BusyboxGuest, disk: string, load: string, stats: string): readonly string[] {
  const append = `console=ttyS0 quiet mitigations=off nokaslr load=${load}`
  const boot = ['-kernel', guest.kernel, '-initrd', guest.initramfs, '-append', append]
  if (peer === 'qemu') {
    return ['qemu-system-x86_64', '-accel', 'tcg', '-m', MEMORY, '-display', 'none', '-monitor', 'none', '-nic', 'none', '-no-reboot', '-serial', 'stdio', '-drive', `file=${disk},format=raw,if=virtio,cache=writeback`, ...boot]
  }
  return [process.execPath, vitrine, 'run', '--memory', MEMORY, '--disk', `${disk},bus=${peer}`, '--stats', stats, ...boot.map((word) => (/^-(kernel|initrd|append)$/.test(word) ? `-${word}` : word))]
}

interface Outcome {
  readonly figures: Map<string, number>
  readonly exits: number | undefined
}

async function run(peer: Peer, guest: BusyboxGuest, folder: string, load: string): Promise<Outcome> {
  const disk = join(folder, 'disk.img')
  const stats = join(folder, 'stats.json')
  writeFileSync(disk, Buffer.alloc(DISK_MIB * MIB, 0x33))
  const [program = '', ...args] = commandOf(peer, guest, disk, load, stats)
  const start = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const figures = new Map<string, number>()
  let heard = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    heard += part
    if (!figures.has('boot') && heard.includes('user space after')) figures.set('boot', (performance.now() - start) / 1000)
    if (heard.includes('@end')) setTimeout(() => child.kill('SIGINT'), 2000).unref()
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  await new Promise((done) => child.on('close', done))
  clearTimeout(limit)
  for (const [, name = '', value] of heard.matchAll(/^@([a-z0-9-]+) ([\d.]+)/gm)) figures.set(name, Number(value))
  if (!figures.has('end')) process.stderr.write(`${peer}: the guest did not come to its end:\n${heard.slice(-1000)}\n`)
  return { figures, exits: peer === 'qemu' ? undefined : exitsIn(stats) }
}

function exitsIn(path: string): number | undefined {
  try {
    const { exits = {} } = JSON.parse(readFileSync(path, 'utf8')) as { readonly exits?: Readonly<Record<string, number>> }
    return Object.values(exits).reduce((sum, count) => sum + count, 0)
  } catch {
    return undefined
  }
}

const folder = mkdtempSync(join(tmpdir(), 'vitrine-para-'))
const best = new Map<Peer, Map<string, number>>()
try {
  const program = compile(folder)
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      const guest = guestFor(peer, program)
      const { figures } = await run(peer, guest, folder, `${large},${small}`)
      if (peer !== 'qemu' && round === 0) {
        const [idle, busy] = [await run(peer, guest, folder, '0,0'), await run(peer, guest, folder, `${EXITS_MIB},0`)]
        if (idle.exits !== undefined && busy.exits !== undefined) figures.set('exits', (busy.exits - idle.exits) / (2 * EXITS_MIB))
      }
      const known = best.get(peer) ?? new Map<string, number>()
      for (const [name, , less] of FIGURES) {
        const value = figures.get(name)
        const before = known.get(name)
        if (value !== undefined) known.set(name, before === undefined ? value : less ? Math.min(before, value) : Math.max(before, value))
      }
      best.set(peer, known)
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const say = (line: string): void => void process.stdout.write(`${line}\n`)
say(`${''.padEnd(22)}${peers.map((peer) => peer.padStart(12)).join('')}`)
for (const [name, unit] of FIGURES) {
  const cells = peers.map((peer) => best.get(peer)?.get(name))
  say(`${name.padEnd(22)}${cells.map((value) => (value === undefined ? '-' : value.toFixed(value < 10 ? 2 : 0)).padStart(12)).join('')}  ${unit}`)
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(Object.fromEntries([...best].map(([peer, figures]) => [peer, Object.fromEntries(figures)])), null, 2)}\n`)
