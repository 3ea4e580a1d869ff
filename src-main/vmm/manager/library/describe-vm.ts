/** A VM as the library shows it: what can be known from its files alone, with what is wrong and what to do. */
import { totalmem } from 'node:os'
import type { MachineEntry } from './inventory'
import type { LockHolder } from './lock'
import { problem, type Problem } from './problem'
import { readSuspended, suspendedProblem } from './suspended'
import { VmFolder } from './vm-folder'
import { hardwareProblems } from './vm-json/machine-config'
import type { VmJson } from './vm-json/types'

export interface LibraryVm {
  readonly id: string
  /** Of its folder. */
  readonly path: string
  readonly name: string
  readonly favourite: boolean
  readonly folder?: string | undefined
  /** in-use: some process runs it, `holder`; whether it is paused only that process knows. */
  readonly state: 'powered-off' | 'suspended' | 'in-use'
  readonly holder?: LockHolder | undefined
  /** ISO 8601. */
  readonly suspendedAt?: string | undefined
  /** undefined: vm.json cannot be read; `problems` says why. */
  readonly config?: VmJson | undefined
  /** It can be powered on only when there are none. */
  readonly problems: readonly Problem[]
}

export async function describeVm(entry: Omit<MachineEntry, 'rest'>, hostBytes: number = totalmem()): Promise<LibraryVm> {
  const { id, path, favourite, folder } = entry
  const files = new VmFolder(path)
  const [read, holder, suspended] = await Promise.all([files.read(), files.holder(), readSuspended(files)])
  const listed = { id, path, favourite, ...(folder === undefined ? {} : { folder }), ...(holder ? { holder } : {}) }
  if (!read.ok) return { ...listed, name: entry.name || path, state: holder ? 'in-use' : 'powered-off', problems: [read.problem] }
  const { config } = read.value
  const problems: Problem[] = [...foreign(config, id, files), ...hardwareProblems(config, path, hostBytes), ...(await files.fileProblems(config))]
  const state = suspended.ok ? suspended.value : undefined
  // While it runs, its disks are written to: the state that it came from is none of its problems.
  if (!holder) {
    if (!suspended.ok && !problems.some(({ code }) => code === 'folder/missing')) problems.push(suspended.problem)
    const unfit = state && problems.length === 0 ? await suspendedProblem(files, state, config) : undefined
    if (unfit) problems.push(unfit)
  }
  return { ...listed, name: config.name, state: holder ? 'in-use' : state || !suspended.ok ? 'suspended' : 'powered-off', ...(state && !holder ? { suspendedAt: state.at } : {}), config, problems }
}

function foreign(config: VmJson, id: string, { vmJson }: VmFolder): readonly Problem[] {
  if (config.id === id) return []
  return [problem('id-differs', { file: vmJson, id: config.id, listed: id }, { file: vmJson, key: 'id' })]
}
