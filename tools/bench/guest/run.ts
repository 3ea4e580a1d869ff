/** One run of the guest in a child process, timed by what it says. It ends by itself, by its end marker, or when it says nothing for too long. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { processorSeconds } from '../process-stats'
import type { Command } from './peers'
import { Transcript, type SectionResult } from './transcript'

export interface GuestRun {
  readonly sections: ReadonlyMap<string, SectionResult>
  /** Seconds from the start of the process to the first instruction of /init. */
  readonly processToInit: number | undefined
  /** Seconds from the kernel's first sign of life to there. */
  readonly kernelToInit: number | undefined
  readonly instructions: number | undefined
  readonly mips: number | undefined
  /** Why it did not come to its end. */
  readonly failure: string | undefined
}

/** Seconds on the wall, or of processor time of all of the process's threads: the latter for looks on a busy machine. */
export type BenchClock = 'wall' | 'processor'

export interface Limits {
  readonly bootSeconds: number
  readonly sectionSeconds: number
}

const POWER_OFF_SECONDS = 15
const Stats = z.object({ instructions: z.number(), mips: z.number() })

export async function runGuest(command: Command, folder: string, limits: Limits, clock: BenchClock): Promise<GuestRun> {
  const transcript = new Transcript()
  const start = performance.now()
  const child = spawn(command.program, command.args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  let timer: NodeJS.Timeout | undefined
  let hung: string | undefined
  const watch = (): void => {
    clearTimeout(timer)
    const seconds = transcript.done ? POWER_OFF_SECONDS : transcript.initAt === undefined ? limits.bootSeconds : limits.sectionSeconds
    timer = setTimeout(() => {
      if (!transcript.done) hung = `${transcript.running?.name ?? (transcript.initAt === undefined ? 'the boot' : 'the guest')} made no progress for ${seconds} s`
      child.kill('SIGKILL')
    }, seconds * 1000)
  }
  const wall = (): number => (performance.now() - start) / 1000
  let used = 0
  const processor = (): number => {
    try {
      used = processorSeconds(child.pid ?? 0)
    } catch {
      // It has ended: what it had used when it was last heard.
    }
    return used
  }
  const now = clock === 'processor' ? processor : wall
  let stage = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    transcript.hear(text, now())
    if (transcript.done && command.stats === undefined) child.kill('SIGKILL')
    // Only progress of the protocol puts the end off: a guest that prints without end hangs too.
    const reached = `${transcript.initAt} ${transcript.sections.size} ${transcript.running?.name} ${transcript.done}`
    if (reached === stage) return
    stage = reached
    watch()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2000)))
  watch()
  const ending = await ended(child)
  clearTimeout(timer)
  const { initAt, kernelAt, sections, done, running } = transcript
  const stopped = `${running ? `${running.name} did not end: ` : ''}${ending}; ${[...complaint.trim().split('\n').slice(0, 2), ...transcript.other].filter((line) => line !== '').join(' | ')}`
  return {
    sections,
    processToInit: initAt,
    kernelToInit: initAt === undefined || kernelAt === undefined ? undefined : initAt - kernelAt,
    ...statsOf(command),
    failure: done ? undefined : (hung ?? stopped),
  }
}

function statsOf({ stats }: Command): Pick<GuestRun, 'instructions' | 'mips'> {
  try {
    if (stats !== undefined) return Stats.parse(JSON.parse(readFileSync(stats, 'utf8')))
  } catch {
    // It did not come to write them; the run says why.
  }
  return { instructions: undefined, mips: undefined }
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    child.on('error', (error) => done(error.message))
    child.on('close', (status, signal) => done(signal === null ? `exit ${status}` : `ended by ${signal}`))
  })
}
