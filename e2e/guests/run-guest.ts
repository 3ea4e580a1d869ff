/** Runs the command line as a user would, with a script, and gathers what it left behind. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..')
const program = join(root, 'out', 'cli', 'vitrine.mjs')
/** Pictures and serial logs of the last run of each test, to look at. */
export const artifacts: string = join(root, 'out', 'guests')

export interface RunStats {
  readonly instructions: number
  readonly wallSeconds: number
  readonly mips: number
  readonly unknownOpcodes: Readonly<Record<string, number>>
}
const Stats: z.ZodType<RunStats> = z.looseObject({ instructions: z.number(), wallSeconds: z.number(), mips: z.number(), unknownOpcodes: z.record(z.string(), z.number()) })

export interface GuestRun {
  readonly status: number
  readonly serial: string
  readonly errors: string
  readonly stats: RunStats | undefined
}

export interface GuestOptions {
  /** Names the artifacts. */
  readonly name: string
  readonly args: readonly string[]
  /** Lines of --script; "@/" stands for the test's artifacts folder. */
  readonly script?: readonly string[]
  readonly timeoutSeconds: number
  /** Default: the translator, as for users; VITRINE_GUEST_ENGINE chooses another for all that do not say. */
  readonly engine?: 'interpreter' | 'translator' | 'lockstep'
}

export async function runGuest({ name, args, script, timeoutSeconds, engine }: GuestOptions): Promise<GuestRun> {
  const folder = join(artifacts, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const stats = join(folder, 'stats.json')
  const serial = join(folder, 'serial.log')
  const all = ['run', ...args, '--engine', engine ?? process.env['VITRINE_GUEST_ENGINE'] ?? 'translator', '--timeout', String(timeoutSeconds), '--stats', stats, '--screenshot', join(folder, 'last.png'), '--serial', `file:${serial}`]
  if (script) {
    writeFileSync(join(folder, 'script'), `${script.join('\n').replaceAll('@/', `${folder}/`)}\n`)
    all.push('--script', join(folder, 'script'))
  }
  const child = spawn(process.execPath, [program, ...all], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const status = await new Promise<number>((done, failed) => {
    child.on('error', failed)
    child.on('close', (code) => done(code ?? -1))
  })
  return {
    status,
    errors,
    serial: existsSync(serial) ? readFileSync(serial, 'utf8') : '',
    stats: existsSync(stats) ? Stats.parse(JSON.parse(readFileSync(stats, 'utf8'))) : undefined,
  }
}

/** A scratch folder that is gone after `work`. */
export async function withScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-guest-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
