/** Entropy device. OASIS VIRTIO 1.2, 5.4: one queue; buffers come back with random bytes. */
import type { CompletionGate } from '../../../backends/completion-gate'
import { NO_REGISTER, type IoFault, type SavedState } from '../../device'
import { expectSchema } from '../../saved-state'
import { writeBuffers } from '../guest-buffers'
import { LiveRequests } from '../live-requests'
import type { VirtioDevice, VirtioHost } from '../virtio-device'

const QUEUE_SIZE = 64
/** Of one buffer and of one request to the host: a larger buffer comes back filled in part. */
const MAX_BYTES = 0x4000

/** Where the numbers come from: backends/entropy. */
export interface RandomBytes {
  read(bytes: number): Promise<Uint8Array>
}

export class VirtioRng implements VirtioDevice {
  readonly name: string = 'virtio-rng.0'
  readonly type = 4
  readonly pciClass = 0x00ff00
  readonly features = 0n
  readonly queueSizes: readonly number[] = [QUEUE_SIZE]
  readonly configBytes = 0
  private host: VirtioHost | undefined
  private readonly requests: LiveRequests

  constructor(
    gate: CompletionGate,
    private readonly source: RandomBytes,
  ) {
    this.requests = new LiveRequests(gate)
  }

  connect(host: VirtioHost): void {
    this.host = host
  }

  configRead(): IoFault {
    return NO_REGISTER
  }

  configWrite(): IoFault {
    return NO_REGISTER
  }

  activate(): void {
    return undefined
  }

  reset(): void {
    this.requests.abandon()
  }

  /** One buffer at a time: the next is taken when the numbers for the one before are there. */
  queueNotified(): void {
    const { host } = this
    if (!host || this.requests.pending > 0) return
    const queue = host.queue(0)
    const chain = queue.pop()
    if (!chain) return
    const bytes = Math.min(chain.writableBytes, MAX_BYTES)
    this.requests.submit(
      'entropy',
      bytes,
      () => this.source.read(bytes),
      (outcome) => {
        queue.push(chain, outcome.ok ? writeBuffers(host.memory, chain.writable, outcome.value) : 0)
        queue.signal()
      },
      () => this.queueNotified(),
    )
  }

  save(): SavedState {
    return { schema: ['virtio-rng', 1] }
  }

  load(state: SavedState): void {
    expectSchema(this.name, state, ['virtio-rng', 1])
  }
}
