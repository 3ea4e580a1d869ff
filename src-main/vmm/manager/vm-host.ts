/** A virtual machine as its host sees it: a worker thread behind a typed mailbox. */
import type { Worker } from 'node:worker_threads'
import type { FromMachine, StartMessage, ToMachine } from '../machine/protocol'

/** Electron's build and plain Node start workers differently. */
export type WorkerFactory = () => Worker

export type VmListener = (message: FromMachine) => void

export class VmHost {
  private readonly worker: Worker
  private over = false

  constructor(
    factory: WorkerFactory,
    start: StartMessage,
    private readonly listener: VmListener,
  ) {
    this.worker = factory()
    this.worker.on('message', (message: FromMachine) => this.heard(message))
    this.worker.on('error', (error) => this.lost(error.stack ?? error.message))
    this.worker.on('exit', () => this.lost('its thread ended'))
    this.send(start)
  }

  send(message: ToMachine): void {
    if (!this.over) this.worker.postMessage(message)
  }

  /** Ends the thread, whatever the machine does. */
  async terminate(): Promise<void> {
    this.over = true
    await this.worker.terminate()
  }

  private heard(message: FromMachine): void {
    if (this.over) return
    if (message.kind === 'ended' || message.kind === 'failed') {
      this.over = true
      // It has nothing more to do; one that a bug has stopped may not know.
      this.worker.terminate().catch(() => undefined)
    }
    this.listener(message)
  }

  private lost(why: string): void {
    if (this.over) return
    this.over = true
    this.listener({ kind: 'failed', code: 'internal/bug', message: `the machine stopped: ${why}` })
  }
}
