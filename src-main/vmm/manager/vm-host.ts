/** A virtual machine as its host sees it: a worker thread behind a typed mailbox. */
import type { Worker } from 'node:worker_threads'
import type { Answers, FromMachine, Question, StartMessage, ToMachine } from '../machine/protocol'
import { Questions } from './questions'

/** Electron's build and plain Node start workers differently. */
export type WorkerFactory = () => Worker

/** Hears everything but answers. */
export type VmListener = (message: Exclude<FromMachine, { kind: 'answer' }>) => void

export class VmHost {
  private readonly worker: Worker
  private over = false
  private saving: Promise<unknown> = Promise.resolve()
  private readonly questions = new Questions()

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

  /** undefined: it does not answer, or not any more. `patience`: milliseconds. */
  async ask<Q extends Question>(question: Q, patience?: number): Promise<Answers[Q['kind']] | undefined> {
    if (this.over) return undefined
    return this.questions.ask<Answers[Q['kind']]>((number) => this.send({ kind: 'ask', number, question }), patience)
  }

  /** One save after the other; each takes as long as it takes. */
  async save(path: string, hold: boolean): Promise<Answers['save'] | undefined> {
    const mine = this.saving.then(() => this.ask({ kind: 'save', path, hold }, Infinity))
    this.saving = mine
    return mine
  }

  /** Ends the thread, whatever the machine does. */
  async terminate(): Promise<void> {
    this.end()
    await this.worker.terminate()
  }

  private heard(message: FromMachine): void {
    if (this.over) return
    if (message.kind === 'answer') return this.questions.answer(message.number, message.answer)
    if (message.kind === 'ended' || message.kind === 'failed') {
      this.end()
      // It has nothing more to do; one that a bug has stopped may not know.
      this.worker.terminate().catch(() => undefined)
    }
    this.listener(message)
  }

  private lost(why: string): void {
    if (this.over) return
    this.end()
    this.listener({ kind: 'failed', code: 'internal/bug', message: `the machine stopped: ${why}` })
  }

  /** Who still waits for an answer gets none. */
  private end(): void {
    this.over = true
    this.questions.giveUp()
  }
}
