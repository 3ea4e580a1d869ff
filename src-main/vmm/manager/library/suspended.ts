/**
 * A suspended VM: a saved machine, and a small file that says it is there and what it belongs to. The small file is written last and removed first, so that
 * a half-written state does not count. A state is used once: when the machine runs again its disks move on, and to load the state a second time would ruin them.
 */
import { readdir, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { syncFolder, writeAtomically } from '../../support/write-atomically'
import { hostTimestamp } from '../../time/host-clock'
import { formatDocument, parseDocument, readBounded, type JsonObject } from './json-document'
import { fail, fileProblem, ok, problem, systemCode, type Problem, type Result } from './problem'
import type { VmFolder } from './vm-folder'
import type { HardwareJson, VmJson } from './vm-json/types'

const FILE = 'suspended.json'
const VERSION = 1

/** What must be as it was: a disk that was written to meanwhile would not be the one that the guest has in its memory. */
interface DiskMark {
  readonly file: string
  readonly bytes: number
  readonly modifiedMs: number
}

export interface Suspended {
  readonly at: string
  /** Path of the saved machine. */
  readonly state: string
  readonly hardware: HardwareJson
  readonly disks: readonly DiskMark[]
}

const Manifest = z.object({
  version: z.literal(VERSION),
  at: z.string().max(100),
  state: z.string().regex(/^suspended\.state(\.\d{1,10})?$/),
  hardware: z.looseObject({ cdroms: z.array(z.object({ file: z.string().max(4096).optional(), connected: z.boolean() })).max(64) }),
  disks: z.array(z.object({ file: z.string().max(4096), bytes: z.number(), modifiedMs: z.number() })).max(64),
})

/** undefined: it is not suspended. */
export async function readSuspended(folder: VmFolder): Promise<Result<Suspended | undefined>> {
  const file = folder.file(FILE)
  try {
    const parsed = parseDocument(await readBounded(file))
    const manifest = parsed.ok ? Manifest.safeParse(parsed.document) : undefined
    if (!manifest?.success) return fail(problem('suspended-damaged', { file }, { file }))
    const { at, state, hardware, disks } = manifest.data
    await stat(folder.file(state))
    return ok({ at, state: folder.file(state), hardware: hardware as unknown as HardwareJson, disks }) // only ever compared
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') return fail(fileProblem(error, file))
    const there = await stat(file).then(() => true, () => false)
    return there ? fail(problem('suspended-without-state', { file }, { file })) : ok(undefined)
  }
}

/** `save` writes the machine to the path that it gets. */
export async function writeSuspended(folder: VmFolder, config: VmJson, save: (path: string) => Promise<void>): Promise<Result<undefined>> {
  // Never over the state that an earlier suspended.json may still name.
  const state = (await readdir(folder.path)).includes('suspended.state') ? `suspended.state.${process.pid}` : 'suspended.state'
  try {
    await save(folder.file(state))
    const disks = await Promise.all(config.hardware.disks.filter(({ readOnly }) => !readOnly).map(({ file }) => mark(folder, file)))
    const document = { version: VERSION, at: hostTimestamp(), state, hardware: config.hardware, disks } as unknown as JsonObject // made of JSON
    await writeAtomically(folder.file(FILE), formatDocument(document))
    await removeStates(folder, state)
    return ok(undefined)
  } catch (error) {
    await rm(folder.file(state), { force: true }).catch(() => undefined)
    return fail(fileProblem(error, folder.file(state)))
  }
}

async function mark(folder: VmFolder, file: string): Promise<DiskMark> {
  const { size, mtimeMs } = await stat(folder.file(file))
  return { file, bytes: size, modifiedMs: mtimeMs }
}

/** Why the state cannot be used with what is there now; undefined: it can. */
export async function suspendedProblem(folder: VmFolder, suspended: Suspended, config: VmJson): Promise<Problem | undefined> {
  const key = firstDifference(withoutMedia(suspended.hardware), withoutMedia(config.hardware), 'hardware')
  if (key !== undefined) return problem('suspended-hardware-changed', { key }, { file: suspended.state, key })
  for (const { file, bytes, modifiedMs } of suspended.disks) {
    const now = await mark(folder, file).catch(() => undefined)
    if (!now) return problem('suspended-disk-missing', { file: resolve(folder.path, file) }, { file: suspended.state })
    if (now.bytes !== bytes || now.modifiedMs !== modifiedMs) return problem('suspended-disk-changed', { file: resolve(folder.path, file) }, { file: suspended.state })
  }
  return undefined
}

/** Discs come and go while a machine runs: it goes on with those that were in its drives, whatever vm.json says of them. */
function withoutMedia(hardware: HardwareJson): unknown {
  return { ...hardware, cdroms: hardware.cdroms.length }
}

/** The key of the first value that differs between two JSON values. */
export function firstDifference(a: unknown, b: unknown, key: string): string | undefined {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b) ? undefined : key
  const left = new Map<string, unknown>(Object.entries(a))
  const right = new Map<string, unknown>(Object.entries(b))
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const difference = firstDifference(left.get(name), right.get(name), Array.isArray(a) ? `${key}[${name}]` : `${key}.${name}`)
    if (difference !== undefined) return difference
  }
  return undefined
}

/** Once the machine runs again, or when the user gives the state up. */
export async function discardSuspended(folder: VmFolder): Promise<Result<undefined>> {
  try {
    await rm(folder.file(FILE), { force: true })
    await syncFolder(folder.path)
    await removeStates(folder)
    return ok(undefined)
  } catch (error) {
    return fail(fileProblem(error, folder.file(FILE)))
  }
}

async function removeStates(folder: VmFolder, except?: string): Promise<void> {
  for (const name of await readdir(folder.path)) if (/^suspended\.state(\.\d+)?$/.test(name) && name !== except) await rm(folder.file(name), { force: true })
}
