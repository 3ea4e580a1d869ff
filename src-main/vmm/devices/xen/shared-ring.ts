/**
 * A ring of requests and responses in pages that the guest has granted: xen/include/public/io/ring.h. Indexes grow for ever; each half keeps its own
 * consumer to itself. Nothing in the pages is believed: indexes out of range break the ring.
 */
import type { GuestMemory } from '../../memory/guest-memory'
import type { XenBackendHost } from '../../paravirt/xen/backend'
import { gpa } from '../../support/branded'

const PAGE = 0x1000
const HEADER = 64
const REQUEST_PRODUCER = 0
const REQUEST_EVENT = 4
const RESPONSE_PRODUCER = 8
const RESPONSE_EVENT = 12

export interface SharedRingState {
  readonly references: readonly number[]
  readonly consumed: number
  readonly produced: number
}

export class SharedRing {
  readonly entries: number
  private consumed = 0
  private produced = 0
  private signalled = 0

  private constructor(
    private readonly host: XenBackendHost,
    private readonly references: readonly number[],
    private readonly pages: readonly number[],
    private readonly entryBytes: number,
  ) {
    this.entries = 2 ** Math.floor(Math.log2((pages.length * PAGE - HEADER) / entryBytes))
  }

  /** Maps the pages; undefined: one of them is not granted. */
  static map(host: XenBackendHost, references: readonly number[], entryBytes: number): SharedRing | undefined {
    const pages: number[] = []
    for (const reference of references) {
      const page = host.grants.map(reference, true)
      if (page === undefined) {
        references.slice(0, pages.length).forEach((mapped) => host.grants.unmap(mapped, true))
        return undefined
      }
      pages.push(page)
    }
    const ring = new SharedRing(host, references, pages, entryBytes)
    ring.produced = ring.signalled = ring.word(RESPONSE_PRODUCER)
    ring.consumed = ring.produced
    return ring
  }

  unmap(): void {
    for (const reference of this.references) this.host.grants.unmap(reference, true)
  }

  private get memory(): GuestMemory {
    return this.host.memory
  }
  private word(offset: number): number {
    return this.memory.readU32(gpa((this.pages[0] ?? 0) + offset))
  }
  private setWord(offset: number, value: number): void {
    this.memory.writeU32(gpa((this.pages[0] ?? 0) + offset), value >>> 0)
  }

  /** Requests that wait; undefined: the guest's index is out of range. */
  get waiting(): number | undefined {
    const count = (this.word(REQUEST_PRODUCER) - this.consumed) >>> 0
    return count <= this.entries ? count : undefined
  }

  /** Copies the next request: what the guest writes afterwards changes nothing. */
  take(target: Uint8Array): void {
    this.move(this.consumed, target, (address, piece) => this.memory.read(gpa(address), piece))
    this.consumed = (this.consumed + 1) >>> 0
  }

  /** Copies a request that is not taken yet, `ahead` places behind the next. */
  peek(ahead: number, target: Uint8Array): void {
    this.move((this.consumed + ahead) >>> 0, target, (address, piece) => this.memory.read(gpa(address), piece))
  }

  skip(count: number): void {
    this.consumed = (this.consumed + count) >>> 0
  }

  /** Asks the guest to tell of the next request. False: one is there already. */
  rest(): boolean {
    this.setWord(REQUEST_EVENT, (this.consumed + 1) >>> 0)
    return this.word(REQUEST_PRODUCER) === this.consumed
  }

  /** Puts a response into the next place; the guest sees it after publish(). */
  put(response: Uint8Array): void {
    this.move(this.produced, response, (address, piece) => this.memory.write(gpa(address), piece))
    this.produced = (this.produced + 1) >>> 0
  }

  /** Shows the responses to the guest. True: it wants to be told. */
  publish(): boolean {
    const old = this.signalled
    if (old === this.produced) return false
    this.setWord(RESPONSE_PRODUCER, this.produced)
    this.signalled = this.produced
    // between the old and the new index lies the one at which the guest waits
    return (this.produced - this.word(RESPONSE_EVENT)) >>> 0 < (this.produced - old) >>> 0
  }

  private move(index: number, data: Uint8Array, each: (address: number, piece: Uint8Array) => void): void {
    const start = HEADER + (index % this.entries) * this.entryBytes
    for (let done = 0; done < data.length; ) {
      const at = start + done
      const step = Math.min(data.length - done, PAGE - (at % PAGE))
      each((this.pages[Math.floor(at / PAGE)] ?? 0) + (at % PAGE), data.subarray(done, done + step))
      done += step
    }
  }

  save(): SharedRingState {
    return { references: this.references, consumed: this.consumed, produced: this.produced }
  }

  static restore(host: XenBackendHost, state: SharedRingState, entryBytes: number): SharedRing | undefined {
    const ring = SharedRing.map(host, state.references.slice(0, MAX_PAGES), entryBytes)
    if (ring) {
      ring.consumed = state.consumed >>> 0
      ring.produced = ring.signalled = state.produced >>> 0
    }
    return ring
  }
}

export const MAX_PAGES = 16
