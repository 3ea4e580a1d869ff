/** The command line as a child process, for measuring from outside. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const program = join(import.meta.dirname, '..', '..', 'out', 'cli', 'vitrine.mjs')

export interface RunStats {
  readonly mips: number
  readonly wallSeconds: number
  readonly instructions: number
}
const Stats: z.ZodType<RunStats> = z.object({ mips: z.number(), wallSeconds: z.number(), instructions: z.number() })

/** Runs to the end with --stats; throws when the exit status is another than `expected`. */
export async function runWithStats(args: readonly string[], statsPath: string, expected: number): Promise<RunStats> {
  const child = spawn(process.execPath, [program, 'run', ...args, '--serial', 'none', '--stats', statsPath], { stdio: ['ignore', 'ignore', 'inherit'] })
  const status = await ended(child)
  if (status !== expected) throw new Error(`vitrine run ${args.join(' ')} ended with ${status}`)
  return Stats.parse(JSON.parse(readFileSync(statsPath, 'utf8')))
}

export interface Started {
  readonly pid: number
  /** From the start of the process to its output matching. */
  readonly seconds: number
  stop(): Promise<void>
}

/** Starts a machine and waits for its serial output. */
export async function startUntil(args: readonly string[], pattern: RegExp): Promise<Started> {
  const start = performance.now()
  const child = spawn(process.execPath, [program, 'run', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  await new Promise<void>((matched, failed) => {
    child.on('error', failed)
    child.on('exit', (status) => failed(new Error(`vitrine run ended early, with ${status}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (pattern.test(output)) matched()
    })
  })
  const seconds = (performance.now() - start) / 1000
  return {
    pid: child.pid ?? 0,
    seconds,
    stop: async () => {
      const end = ended(child)
      child.kill('SIGINT')
      await end
    },
  }
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (status) => done(status ?? -1))
  })
}
