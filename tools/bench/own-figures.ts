/** Vitrine's own figures: loops, a kernel of one loop, the demo guest, the installers. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { RAM_BASE } from '../../src-main/vmm/cpu/layout'
import { installerInitrd, installerKernel, type Architecture } from '../../e2e/guests/images/files'
import { INSTRUCTIONS_A_PASS, writeCrcKernel } from './crc-kernel'
import { LOOPS, loopMips } from './loops'
import { hasProc, largestMapping, presentBytes, processorSeconds, residentBytes } from './process-stats'
import { runWithStats, startUntil } from './vitrine-process'

const ROUNDS = 30
const VITRINE_PASSES = 8
const QEMU_PASSES = 100
const IDLE_SECONDS = 10
const DEMO_MIB = 256
const MIB = 0x100000
const BOOTS = 3
const PROMPT = /^vitrine> /m

/** Takes a row: what, the value (undefined: skipped, see the note), its unit, a note. */
export type Sink = (what: string, value: number | undefined, unit: string, note?: string) => void

export async function ownFigures(sink: Sink, folder: string, quick: boolean): Promise<void> {
  for (const loop of LOOPS) sink(`${loop.name} (${loop.mode})`, loopMips(loop, ROUNDS), 'MIPS', `interpreter, best of ${ROUNDS} rounds`)
  crcInQemu(sink, folder, await crcInMachine(sink, folder))
  await demoGuest(sink)
  for (const architecture of ['amd64', 'i386'] as const) await installer(sink, architecture, folder, quick)
}

async function crcInMachine(sink: Sink, folder: string): Promise<number> {
  const kernel = join(folder, 'crc.elf')
  writeCrcKernel(kernel, VITRINE_PASSES)
  const { instructions, wallSeconds } = await runWithStats(['--memory', '64', '--kernel', kernel, '--debug-exit'], join(folder, 'crc.json'), 1)
  const mips = instructions / wallSeconds / 1e6
  sink('CRC-32 loop in a whole machine, firmware included', mips, 'MIPS', `${(instructions / 1e6).toFixed(0)} million instructions`)
  return mips
}

/** The same kernel in QEMU's translator, less the time that it takes to get there. */
function crcInQemu(sink: Sink, folder: string, ours: number): void {
  const what = 'CRC-32 loop in qemu-system-x86_64, TCG'
  const version = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' })
  if (version.status !== 0) return sink(what, undefined, 'MIPS', 'qemu-system-x86_64 is not installed (Debian: qemu-system-x86)')
  const seconds = (passes: number): number | undefined => {
    const kernel = join(folder, `qemu-${passes}.elf`)
    writeCrcKernel(kernel, passes)
    const start = performance.now()
    const args = ['-accel', 'tcg', '-m', '64', '-display', 'none', '-serial', 'none', '-monitor', 'none', '-nic', 'none', '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', kernel]
    const { status } = spawnSync('qemu-system-x86_64', args, { timeout: 120_000 })
    return status === 1 ? (performance.now() - start) / 1000 : undefined
  }
  const [empty, full] = [seconds(0), seconds(QEMU_PASSES)]
  if (empty === undefined || full === undefined) return sink(what, undefined, 'MIPS', 'QEMU did not run the kernel to its end')
  const mips = (QEMU_PASSES * INSTRUCTIONS_A_PASS) / (full - empty) / 1e6
  sink(what, mips, 'MIPS', `${(mips / ours).toFixed(1)} times Vitrine's; ${version.stdout.split('\n')[0] ?? ''}`)
}

async function demoGuest(sink: Sink): Promise<void> {
  let best = Infinity
  for (let i = 0; i < BOOTS; i++) {
    const booted = await startUntil(['--memory', String(DEMO_MIB)], PROMPT)
    best = Math.min(best, booted.seconds)
    await booted.stop()
  }
  sink('demo guest: from the start of the process to its prompt', best, 's', `best of ${BOOTS}`)

  const [idle, memory] = ['demo guest: idle at its prompt, share of one core', `demo guest: resident memory beyond the touched part of its ${DEMO_MIB} MiB`]
  if (!hasProc) {
    for (const what of [idle, memory]) sink(what, undefined, '', 'needs /proc, as on Linux')
    return
  }
  const running = await startUntil(['--memory', String(DEMO_MIB)], PROMPT)
  try {
    await sleep(2)
    const [before, start] = [processorSeconds(running.pid), performance.now()]
    await sleep(IDLE_SECONDS)
    sink(idle, ((processorSeconds(running.pid) - before) / ((performance.now() - start) / 1000)) * 100, '%', `over ${IDLE_SECONDS} s`)
    const linear = largestMapping(running.pid, DEMO_MIB * MIB)
    if (!linear) return sink(memory, undefined, 'MiB', "the machine's linear memory is not among the process's mappings")
    const resident = residentBytes(running.pid)
    const touched = presentBytes(running.pid, linear.start + RAM_BASE, DEMO_MIB * MIB)
    sink(memory, (resident - touched) / MIB, 'MiB', `resident ${(resident / MIB).toFixed(0)} MiB, guest RAM touched ${(touched / MIB).toFixed(1)} MiB`)
  } finally {
    await running.stop()
  }
}

async function installer(sink: Sink, architecture: Architecture, folder: string, quick: boolean): Promise<void> {
  const what = `Debian installer, ${architecture}: direct boot to its first dialog`
  const [kernel, initrd] = [installerKernel(architecture), installerInitrd(architecture)]
  if (quick) return sink(what, undefined, 's', 'left out by --quick')
  if (!existsSync(kernel) || !existsSync(initrd)) return sink(what, undefined, 's', `no installer image: apt-get install debian-installer-12-netboot-${architecture}`)
  const args = ['--memory', '1024', '--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyS0', '--until', 'Select a language', '--timeout', '900']
  const { wallSeconds, mips, instructions } = await runWithStats(args, join(folder, `${architecture}.json`), 0)
  sink(what, wallSeconds, 's', `${(instructions / 1e9).toFixed(1)} billion instructions, ${mips.toFixed(0)} MIPS`)
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
