/**
 * One look at a few sections of the bench's guest on Vitrine, without a boot: the machine is saved once where the guest asks what to run.
 *   npm run bench:section -- [--arch i386|amd64] [--engine NAME] [--scale PERCENT] [--timeout SECONDS] [--reboot] PREFIX...
 * Prints each section's seconds, and instructions and MIPS of the whole run; the machine's statistics stay in out/bench-section.json.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cached, cacheFolder, stamp } from '../../e2e/guests/images/cache'
import { installerKernel } from '../../e2e/guests/images/files'
import { bootArguments, vitrine } from './guest/peers'
import { buildGuestProgram, type GuestProgram } from './guest/program'
import { Transcript } from './guest/transcript'

const out = join(import.meta.dirname, '..', '..', 'out')
const STATS = join(out, 'bench-section.json')
const BOOT_TIMEOUT_SECONDS = 600
const BAD_INPUT = 2

const text = { type: 'string' } as const
const { values: options, positionals: prefixes } = parseArgs({
  allowPositionals: true,
  options: { arch: text, engine: text, scale: text, timeout: text, reboot: { type: 'boolean' } },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** A machine that waits for its first line. */
function bootOnce(guest: GuestProgram, again: boolean): string {
  const recipe = [...bootArguments(guest, ['ask']), stamp(installerKernel(guest.architecture))]
  const build = (_scratch: string, target: string): void => {
    say(`booting ${guest.architecture} once, for a saved machine`)
    const boot = ['run', ...bootArguments(guest, ['ask']), '--engine', 'translator', '--serial', 'none', '--until', '@ask', '--timeout', String(BOOT_TIMEOUT_SECONDS)]
    const result = spawnSync(process.execPath, [vitrine, ...boot, '--save-state', target], { stdio: ['ignore', 'ignore', 'inherit'] })
    if (result.status !== 0) throw new Error(`the guest did not come to its question: exit ${result.status}`)
  }
  const path = cached(`bench-${guest.architecture}.machine`, recipe, build)
  if (!again) return path
  rmSync(path)
  return cached(`bench-${guest.architecture}.machine`, recipe, build)
}

function runFrom(state: string, guest: GuestProgram): Promise<number> {
  const script = join(out, 'bench-section.script')
  writeFileSync(script, `send ${options.scale ?? '100'} ${prefixes.join(' ')}\\n\nexpect @ask\n`)
  const engine = options.engine === undefined ? [] : ['--engine', options.engine]
  const args = ['run', ...bootArguments(guest, ['ask']), ...engine, '--load-state', state, '--script', script, '--stats', STATS, '--timeout', options.timeout ?? '120']
  const transcript = new Transcript()
  const told = new Set<string>()
  const start = performance.now()
  const child = spawn(process.execPath, [vitrine, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.setEncoding('utf8').on('data', (heard: string) => {
    transcript.hear(heard, (performance.now() - start) / 1000)
    for (const [name, { seconds, checksum }] of transcript.sections) {
      if (told.has(name)) continue
      told.add(name)
      say(`${name.padEnd(24)} ${seconds.toFixed(3).padStart(9)} s   checksum ${checksum}`)
    }
  })
  return new Promise((done) => child.on('close', (status) => done(status ?? -1)))
}

const guest = buildGuestProgram(options.arch === 'amd64' ? 'amd64' : 'i386')
mkdirSync(out, { recursive: true })
mkdirSync(cacheFolder, { recursive: true })
rmSync(STATS, { force: true })
let status = await runFrom(bootOnce(guest, options.reboot === true), guest)
if (status === BAD_INPUT && options.reboot !== true) {
  say('the saved machine is of another version')
  status = await runFrom(bootOnce(guest, true), guest)
}
if (existsSync(STATS)) {
  const { instructions, mips, wallSeconds } = JSON.parse(readFileSync(STATS, 'utf8')) as Readonly<Record<string, number>>
  say(`${mips?.toFixed(1)} MIPS over ${wallSeconds?.toFixed(2)} s, preparation included; ${((instructions ?? 0) / 1e6).toFixed(0)} million instructions since power-on; more in ${STATS}`)
}
process.exit(status)
