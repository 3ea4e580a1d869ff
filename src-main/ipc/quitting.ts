/**
 * The end of the app, or of its last window, while VMs run. Each VM does what its own settings say, else what the preferences say; about those that say "ask",
 * the page asks. Whoever cannot do as was said (a suspend fails, a guest ignores its power button) keeps the app from ending.
 */
import type { Problem, Result, RunState } from '../vmm'
import type { Preferences } from './contract'
import type { EmitTo, WindowId } from './server'

export type OnQuit = Exclude<Preferences['onQuit'], 'ask'>

export interface RunningOne {
  readonly id: string
  readonly onClose: Preferences['onQuit']
  /** undefined: its start is being asked for. */
  readonly state: RunState['type'] | undefined
}

interface Order {
  readonly id: string
  readonly action: Preferences['onQuit']
}

export interface QuittingOptions {
  /** Ids of the VMs that are on, and what their own settings say. */
  readonly running: () => readonly RunningOne[]
  readonly preferred: () => Preferences['onQuit']
  readonly suspend: (id: string) => Promise<Result<undefined>>
  /** The guest is asked; it may not listen. */
  readonly shutDown: (id: string) => void
  readonly unpause: (id: string) => void
  readonly powerOff: (id: string) => void
  /** Called whenever a VM's state has changed or it has ended, until the result is called. */
  readonly whenChanged: (listener: () => void) => () => void
  readonly ignored: (id: string) => void
  readonly emitTo: EmitTo
  readonly closeWindows: () => void
  /** Everything that runs has ended: so does the app. */
  readonly end: () => void
}

/** A guest that has not switched itself off by then does not listen to its power button, or waits for its user. */
const SHUT_DOWN_PATIENCE_MS = 90_000
const POWER_OFF_PATIENCE_MS = 10_000
const START_PATIENCE_MS = 30_000

export class Quitting {
  /** Counts attempts: a new one takes the place of one that still waits. */
  private attempt = 0
  private signals = 0

  constructor(private readonly options: QuittingOptions) {}

  /** `window`: which one asks the user; undefined: there is none, and VMs that would have to be asked about keep running. */
  request(window: WindowId | undefined, quitting: boolean): void {
    const plan = this.plan()
    const asked = plan.filter(({ action }) => action === 'ask').map(({ id }) => id)
    if (asked.length > 0 && window !== undefined) this.options.emitTo(window, 'window.close-asked', { running: asked, quitting })
    else this.carryOut(plan, 'keep-running')
  }

  /** The system says so, and does not wait for an answer: nothing is lost, nothing is left running. Whoever says it twice does not want to wait either. */
  endNow(): void {
    const insists = ++this.signals > 1
    const plan = this.plan().map(({ id, action }): Order => ({ id, action: insists ? 'power-off' : action === 'keep-running' || action === 'ask' ? 'suspend' : action }))
    this.carryOut(plan, 'suspend')
  }

  /** What the user says about those that were asked about. */
  answer(choice: OnQuit): void {
    this.carryOut(this.plan(), choice)
  }

  private plan(): readonly Order[] {
    const preferred = this.options.preferred()
    return this.options.running().map(({ id, onClose }) => ({ id, action: onClose === 'ask' ? preferred : onClose }))
  }

  private carryOut(plan: readonly Order[], instead: OnQuit): void {
    const attempt = ++this.attempt
    const orders = plan.map(({ id, action }) => ({ id, action: action === 'ask' ? instead : action }))
    Promise.all(orders.map(({ id, action }) => this.bring(id, action))).then(
      (gone) => {
        if (attempt !== this.attempt || gone.includes(false)) return
        if (orders.some(({ action }) => action === 'keep-running')) this.options.closeWindows()
        else this.options.end()
      },
      () => undefined, // the app stays, and the VM's own messages say why
    )
  }

  /** false: it has not ended. */
  private async bring(id: string, action: OnQuit): Promise<boolean> {
    const { suspend, shutDown, unpause, powerOff, ignored } = this.options
    // A machine that stands still for good has nothing to keep or to shut down.
    const wanted = action !== 'keep-running' && this.stateOf(id) === 'crashed' ? 'power-off' : action
    switch (wanted) {
      case 'keep-running':
        return true
      case 'suspend': {
        const suspended: { readonly ok: boolean; readonly problem?: Problem } = await suspend(id)
        return suspended.ok && this.ended(id, POWER_OFF_PATIENCE_MS)
      }
      case 'shut-down':
        if (this.stateOf(id) === 'paused') unpause(id)
        await this.until(() => this.isGone(id) || this.stateOf(id) === 'running', START_PATIENCE_MS)
        shutDown(id)
        return this.ended(id, SHUT_DOWN_PATIENCE_MS).then((gone) => {
          if (!gone) ignored(id)
          return gone
        })
      case 'power-off':
        powerOff(id)
        return this.ended(id, POWER_OFF_PATIENCE_MS)
    }
  }

  private stateOf(id: string): RunningOne['state'] {
    return this.options.running().find((vm) => vm.id === id)?.state
  }

  private isGone(id: string): boolean {
    return !this.options.running().some((vm) => vm.id === id)
  }

  private async ended(id: string, patienceMs: number): Promise<boolean> {
    return this.until(() => this.isGone(id), patienceMs)
  }

  private async until(condition: () => boolean, patienceMs: number): Promise<boolean> {
    if (condition()) return true
    return new Promise((resolve) => {
      const finish = (isMet: boolean): void => {
        clearTimeout(timer)
        stop()
        resolve(isMet)
      }
      const timer = setTimeout(() => finish(false), patienceMs)
      const stop = this.options.whenChanged(() => {
        if (condition()) finish(true)
      })
    })
  }
}
