/**
 * A lock that says who holds it and outlives nobody: a folder with one file for each time that it was taken, numbered upwards; the highest number counts.
 * To take it is to make the next number, which the file system lets exactly one do (link). The file of the highest number is never removed but by whoever made a higher
 * one, and a holder that lets go only empties its own: so a taker who lingered over an old listing finds, after taking, that there is a higher
 * number, and steps back. Nothing is removed because of what was read a moment ago; that is what makes taking over from a dead process safe.
 */
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, rm, utimes, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { hostEpochMs, hostTimestamp } from '../../time/host-clock'
import { readBounded } from './json-document'
import { fail, fileProblem, ok, problem, systemCode, type Problem, type Result } from './problem'
import { livenessOf, ownIdentity, type ProcessIdentity } from './process-identity'

/** Who holds a lock, for messages and for judging whether it still lives. */
export interface LockHolder extends ProcessIdentity {
  /** Such as "vitrine start" or "Vitrine". */
  readonly program: string
  /** ISO 8601. */
  readonly since: string
}

const text = z.string().max(300)
const Holder: z.ZodType<LockHolder> = z.object({
  pid: z.number().int().positive(), startTime: text, boot: text, pidNamespace: text, machine: text, host: text, program: text, since: text,
})

export interface Lock {
  readonly holder: LockHolder
  release(): Promise<void>
}

const ENTRY = /^\d{10}$/
const TAKING = /^taking-/
const MAX_HOLDER_BYTES = 4096

export function describeHolder({ program, pid, host, since }: LockHolder): string {
  const where = host === ownIdentity().host ? '' : ` on ${host}`
  return `${program} (process ${pid}${where}, since ${since})`
}

/** undefined: nobody holds it, or a process that is dead. */
export async function lockHolder(folder: string): Promise<LockHolder | undefined> {
  const highest = (await entries(folder)).at(-1)
  return highest === undefined ? undefined : liveHolder(join(folder, highest))
}

/** Takes the lock, or says who has it. */
export async function takeLock(folder: string, program: string): Promise<Result<Lock>> {
  const holder: LockHolder = { ...ownIdentity(), program, since: hostTimestamp() }
  const taking = join(folder, `taking-${process.pid}-${randomUUID()}`)
  try {
    const other = await lockHolder(folder)
    if (other) return fail(lockedProblem(other, folder))
    await makeFolder(dirname(folder))
    await makeFolder(folder)
    const file = await open(taking, 'wx', 0o644)
    let held = false
    try {
      await file.writeFile(JSON.stringify(holder))
      const place = await climb(folder, taking)
      if (typeof place !== 'string') return fail(lockedProblem(place, folder))
      held = true
      return ok({ holder, release: () => release(file, place) })
    } finally {
      await rm(taking, { force: true })
      if (!held) await file.close()
    }
  } catch (error) {
    return fail(fileProblem(error, folder))
  }
}

/** No folder above it: what is locked has been deleted when that is not there. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

/** For locks that are held for moments: waits for whoever has it. */
export async function withLock<T>(folder: string, program: string, work: () => Promise<Result<T>>): Promise<Result<T>> {
  for (let attempt = 0; ; attempt++) {
    const lock = await takeLock(folder, program)
    if (lock.ok) {
      try {
        return await work()
      } finally {
        await lock.value.release()
      }
    }
    if (lock.problem.code !== 'vm/locked') return lock
    if (attempt >= MAX_ATTEMPTS) {
      const { program: other = '?', pid = '?' } = lock.problem.values
      return fail(problem('busy', { folder, seconds: (MAX_ATTEMPTS * ATTEMPT_MS) / 1000, program: other, pid }))
    }
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MS * (0.5 + Math.random())))
  }
}

const ATTEMPT_MS = 25
const MAX_ATTEMPTS = 400

/** Links `taking` as the highest number, and answers its path; or who is there already. */
async function climb(folder: string, taking: string): Promise<string | LockHolder> {
  for (;;) {
    const highest = (await entries(folder)).at(-1)
    const other = highest === undefined ? undefined : await liveHolder(join(folder, highest))
    if (other) return other
    const name = String(Number(highest ?? 0) + 1).padStart(10, '0')
    const mine = join(folder, name)
    try {
      await link(taking, mine)
    } catch (error) {
      if (systemCode(error) === 'EEXIST') continue // another was quicker
      throw error
    }
    const now = await entries(folder)
    if (now.at(-1) !== name) {
      await rm(mine, { force: true })
      continue
    }
    for (const older of now) if (older < name) await rm(join(folder, older), { force: true })
    await removeDeadTakers(folder)
    return mine
  }
}

function lockedProblem(holder: LockHolder, folder: string): Problem {
  if (livenessOf(holder) !== 'unknown') return inUseProblem(holder, folder)
  const { program, pid, host, since } = holder
  return problem('in-use-perhaps', { program, pid, host, since, folder }, { file: folder })
}

/** For messages where the holder is known to live. */
export function inUseProblem({ program, pid, host, since }: LockHolder, folder: string): Problem {
  return host === ownIdentity().host ? problem('in-use', { program, pid, since }, { file: folder }) : problem('in-use-on-host', { program, pid, host, since }, { file: folder })
}

/** Emptied, not removed: see above. By its handle: whatever has become of the folder, no other's file is touched; and a full disk does not matter. */
async function release(file: FileHandle, path: string): Promise<void> {
  await file.truncate(0)
  await file.close()
  // Who watches the folder hears of its names only, and the handle has an earlier one.
  const now = hostEpochMs() / 1000
  await utimes(path, now, now).catch(() => undefined)
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => ENTRY.test(name)).sort()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

async function liveHolder(path: string): Promise<LockHolder | undefined> {
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(await readBounded(path, MAX_HOLDER_BYTES)).toString('utf8'))
  } catch (error) {
    // Released; removed by a later holder; or cut off by a crash of the host: entries are linked only when they are whole.
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
  const holder = Holder.safeParse(content)
  return holder.success && livenessOf(holder.data) !== 'dead' ? holder.data : undefined
}

async function removeDeadTakers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TAKING.test(name)) continue
    try {
      const holder = Holder.safeParse(JSON.parse(Buffer.from(await readBounded(join(folder, name), MAX_HOLDER_BYTES)).toString('utf8')))
      if (holder.success && livenessOf(holder.data) === 'dead') await rm(join(folder, name), { force: true })
    } catch {
      // It is being written, or has just gone.
    }
  }
}
