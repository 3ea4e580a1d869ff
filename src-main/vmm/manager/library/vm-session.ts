/** A VM in the hands of who runs it: locked, checked, with its log; from before power-on to after its end. Knows no machine: whoever has one calls. */
import { totalmem } from 'node:os'
import type { MachineConfig } from '../../machine/config'
import type { Lock } from './lock'
import { fail, ok, type Problem, type Result } from './problem'
import { discardSuspended, readSuspended, suspendedProblem, writeSuspended, type Suspended } from './suspended'
import { writeThumbnail } from './thumbnail'
import type { VmFolder } from './vm-folder'
import { hardwareProblems, machineConfig } from './vm-json/machine-config'
import type { CdromJson, SerialPortJson, VmJson } from './vm-json/types'
import { VmLog } from './vm-log'

export class VmSession {
  private constructor(
    readonly folder: VmFolder,
    private readonly program: string,
    private now: VmJson,
    /** As it was at power-on. */
    readonly machine: MachineConfig,
    /** The state to load before the machine runs; call `resumed` when that has been done. */
    readonly suspended: Suspended | undefined,
    readonly log: VmLog,
    private readonly lock: Lock,
    /** Runs what changes files, so that whoever watches them knows that it was us. */
    private readonly around: (work: () => Promise<void>) => Promise<void>,
  ) {}

  static async begin(folder: VmFolder, program: string, around: (work: () => Promise<void>) => Promise<void> = (work) => work(), hostBytes: number = totalmem()): Promise<Result<VmSession>> {
    const lock = await folder.lock(program)
    if (!lock.ok) return lock
    const prepared = await prepare(folder, hostBytes)
    if (!prepared.ok) {
      await lock.value.release()
      return prepared
    }
    const { config, suspended } = prepared.value
    const log = new VmLog(folder, config.options.logLevel)
    log.write('info', suspended ? `${program}: resumes from ${suspended.state}` : `${program}: powers on`)
    return ok(new VmSession(folder, program, config, machineConfig(config, folder.path), suspended, log, lock.value, around))
  }

  /** For the next power-on by the same holder, who keeps the lock: settings and files are read and checked anew. This session is over then. */
  async again(): Promise<Result<VmSession>> {
    const prepared = await prepare(this.folder, totalmem())
    if (!prepared.ok) return prepared
    const { config, suspended } = prepared.value
    await this.log.flush()
    const log = new VmLog(this.folder, config.options.logLevel)
    log.write('info', `${this.program}: powers on again`)
    return ok(new VmSession(this.folder, this.program, config, machineConfig(config, this.folder.path), suspended, log, this.lock, this.around))
  }

  /** As it was at power-on, with the CDs that are in the drives now; what else is changed later counts from the next. */
  get config(): VmJson {
    return this.now
  }

  /** Another disc is in the drive, or none: a state that is suspended from here on goes with that. */
  changedCdrom(index: number, cdrom: CdromJson): void {
    const { hardware } = this.now
    this.now = { ...this.now, hardware: { ...hardware, cdroms: hardware.cdroms.map((other, i) => (i === index ? cdrom : other)) } }
  }

  /** COM1 upwards, with files as absolute paths. */
  get serialPorts(): readonly SerialPortJson[] {
    return this.config.hardware.serialPorts.map((port) => (port.kind === 'file' ? { ...port, file: this.folder.file(port.file) } : port))
  }

  /** The state has been loaded and the machine is about to run: from here on it would not fit the disks. */
  async resumed(): Promise<Result<undefined>> {
    let discarded: Result<undefined> = ok(undefined)
    await this.around(async () => {
      discarded = await discardSuspended(this.folder)
    })
    if (discarded.ok) this.log.write('info', 'resumed')
    return discarded
  }

  /** The machine must have stopped running; `save` writes it to the path that it gets. */
  async suspend(save: (path: string) => Promise<void>): Promise<Result<undefined>> {
    const written = await writeSuspended(this.folder, this.config, save)
    this.log.write(written.ok ? 'info' : 'error', written.ok ? 'suspended' : `cannot be suspended: ${written.problem.message}`)
    return written
  }

  async keepThumbnail(png: Uint8Array): Promise<void> {
    const written = await writeThumbnail(this.folder, png)
    if (!written.ok) this.log.write('warning', written.problem.message)
  }

  /** The machine is gone and its files are closed. */
  async end(how: string): Promise<void> {
    this.log.write('info', `ended: ${how}`)
    await this.log.flush()
    await this.around(() => this.lock.release())
  }
}

async function prepare(folder: VmFolder, hostBytes: number): Promise<Result<{ readonly config: VmJson; readonly suspended: Suspended | undefined }>> {
  const read = await folder.read()
  if (!read.ok) return read
  const { config } = read.value
  const suspended = await readSuspended(folder)
  if (!suspended.ok) return suspended
  const cdroms = suspended.value?.hardware.cdroms
  const whole = cdroms?.length === config.hardware.cdroms.length ? { ...config, hardware: { ...config.hardware, cdroms } } : config
  const [problem] = await powerOnProblems(folder, whole, hostBytes)
  if (problem) return fail(problem)
  const unfit = suspended.value && (await suspendedProblem(folder, suspended.value, config))
  return unfit ? fail(unfit) : ok({ config: whole, suspended: suspended.value })
}

/** Why a VM could not be powered on as it is. */
export async function powerOnProblems(folder: VmFolder, config: VmJson, hostBytes: number = totalmem()): Promise<readonly Problem[]> {
  return [...hardwareProblems(config, folder.path, hostBytes), ...(await folder.fileProblems(config))]
}
