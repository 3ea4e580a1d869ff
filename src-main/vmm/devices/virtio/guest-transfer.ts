/**
 * Data of a disk's requests between guest memory and a back end: at once when the host is quick, else through the gate. Without copying where the guest may
 * see the host's speed; where runs must repeat exactly (virtual time, two engines in lockstep) reads arrive with the completion, from a buffer of our own.
 */
import type { BlockBackend } from '../../backends/block/block-backend'
import type { CompletionGate, Outcome } from '../../backends/completion-gate'
import type { GuestMemory } from '../../memory/guest-memory'
import { finishViews, readBuffers, viewsOf, writeBuffers } from './guest-buffers'
import { LiveRequests } from './live-requests'
import type { Segment } from './virtqueue/virtqueue'

export interface TransferOptions {
  readonly gate: CompletionGate
  /** Runs repeat exactly: nothing may depend on how fast the host is. */
  readonly exact: boolean
}

export interface Transfer {
  readonly memory: GuestMemory
  readonly backend: BlockBackend
  /** Into the back end, in bytes. */
  readonly offset: number
  /** The part of a chain's buffers that holds the data. */
  readonly part: { readonly segments: readonly Segment[]; readonly skip: number; readonly bytes: number }
  /** Of writes: on stable storage before they are done. */
  readonly durable?: boolean
  /** `atOnce`: called before read() or write() returns. */
  readonly done: (outcome: Outcome<void>, atOnce: boolean) => void
  /** The host is free of it, even of what a reset abandoned. Not called for what was done at once. */
  readonly settled: () => void
}

const DONE: Outcome<void> = { ok: true, value: undefined }

export class GuestTransfer {
  readonly requests: LiveRequests
  /** Bytes of requests that the host has not finished, of abandoned ones too. */
  bytesUnderWay = 0
  /** Requests whose data move between guest memory and the host by themselves. */
  private direct = 0

  constructor(private readonly options: TransferOptions) {
    this.requests = new LiveRequests(options.gate)
  }

  /** The host may still read or write guest memory for what was abandoned. */
  get busy(): boolean {
    return this.direct > 0
  }

  read(transfer: Transfer): void {
    const { memory, backend, offset, part } = transfer
    const views = viewsOf(memory, part.segments, part.skip, part.bytes)
    if (!views) return refuse(transfer)
    const finish = (): void => finishViews(memory, part.segments, part.skip, part.bytes)
    const { exact } = this.options
    if (!exact && atOnce(transfer, () => backend.readNow?.(offset, views) === true, finish)) return
    if (!exact) return this.start('disk read', transfer, () => backend.read(offset, views), finish)
    const own = new Uint8Array(part.bytes)
    const done: Transfer['done'] = (outcome, isAtOnce) => {
      if (outcome.ok) writeBuffers(memory, part.segments, own, part.skip)
      transfer.done(outcome, isAtOnce)
    }
    this.submit('disk read', part.bytes, () => backend.read(offset, [own]), (outcome) => done(outcome, false), transfer.settled)
  }

  write(transfer: Transfer): void {
    const { memory, backend, offset, part, durable } = transfer
    const views = viewsOf(memory, part.segments, part.skip, part.bytes)
    if (!views) return refuse(transfer)
    const { exact } = this.options
    if (!exact && durable !== true && atOnce(transfer, () => backend.writeNow?.(offset, views) === true)) return
    const sources = exact ? [readBuffers(memory, part.segments, part.bytes, part.skip)] : views
    this.start('disk write', transfer, async () => {
      await backend.write(offset, sources)
      if (durable === true) await backend.flush()
    })
  }

  private start(label: string, { part, done, settled }: Transfer, work: () => Promise<void>, finish?: () => void): void {
    this.direct++
    const tell = (outcome: Outcome<void>): void => done(outcome, false)
    let finished = false
    const finishOnce = (): void => {
      if (finished) return
      finished = true
      this.direct--
      finish?.()
    }
    this.submit(label, part.bytes, work, (outcome) => (finishOnce(), tell(outcome)), () => (finishOnce(), settled()))
  }

  submit(label: string, bytes: number, work: () => Promise<void>, done: (outcome: Outcome<void>) => void, settled: () => void): void {
    this.bytesUnderWay += bytes
    this.requests.submit(label, bytes, work, done, () => {
      this.bytesUnderWay -= bytes
      settled()
    })
  }

  /** Goes on when the guest has had its turn; not after a reset. */
  betweenSlices(work: () => void): void {
    this.requests.submit('more disk requests', 0, () => Promise.resolve(), work)
  }
}

function refuse({ done }: Transfer): void {
  done({ ok: false, error: new Error('its buffer is not in RAM') }, true)
}

/** True: done, well or not. False: nothing has happened. */
function atOnce({ done }: Transfer, work: () => boolean, finish?: () => void): boolean {
  let outcome = DONE
  try {
    if (!work()) return false
  } catch (error) {
    outcome = { ok: false, error: error instanceof Error ? error : new Error(String(error)) }
  }
  finish?.()
  done(outcome, true)
  return true
}
