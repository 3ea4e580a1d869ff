/** Which process did something, told so that a later one with the same number is not taken for it. */
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks from the host's start to the process's, as the kernel tells; '' where it does not. */
  readonly startTime: string
  /** Changes whenever the host starts. */
  readonly boot: string
  /** Process numbers of another container mean nothing here. */
  readonly pidNamespace: string
  /** Of the computer; tells hosts with the same name apart. */
  readonly machine: string
  readonly host: string
}

let own: ProcessIdentity | undefined

export function ownIdentity(): ProcessIdentity {
  return (own ??= {
    pid: process.pid,
    startTime: startTime(process.pid) ?? '',
    boot: readText('/proc/sys/kernel/random/boot_id'),
    pidNamespace: pidNamespace(),
    machine: createHash('sha256').update(`vitrine ${readText('/etc/machine-id') || hostname()}`).digest('hex').slice(0, 16),
    host: hostname(),
  })
}

/** 'unknown': it may live on another computer or in another container. */
export function livenessOf(other: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const here = ownIdentity()
  if (other.machine !== here.machine) return 'unknown'
  if (other.boot !== here.boot) return 'dead'
  if (other.pidNamespace !== here.pidNamespace) return 'unknown'
  if (other.startTime === '') return exists(other.pid) ? 'alive' : 'dead'
  return startTime(other.pid) === other.startTime ? 'alive' : 'dead'
}

export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' // it is another user's
  }
}

/** proc(5): fields 3 (state) and 22 (start time) of stat; field 2, the name, may have spaces and parentheses in it. undefined: there is no such process, or it is a zombie. */
function startTime(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
