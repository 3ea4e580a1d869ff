/**
 * The guest's connection to the store: requests and answers in two rings of one page (xen/include/public/io/xs_wire.h). Requests are taken as fast as the guest
 * fetches the answers: what is kept for it is bounded.
 */
import { GUEST_DOMAIN } from '../domains'
import type { BackendChannel } from '../event-channels'
import type { GuestFrames } from '../guest-frames'
import { fail, StoreError } from './store-error'
import { formatPermission, parsePermission, type Store } from './store'
import { MAX_PATH } from './tree'

const RING = 1024
const RESPONSES = RING
const REQUEST_CONSUMER = 2048
const REQUEST_PRODUCER = 2052
const RESPONSE_CONSUMER = 2056
const RESPONSE_PRODUCER = 2060

const HEADER = 16
const MAX_PAYLOAD = 4096
const MAX_WATCHES = 128
/** Answers and events that wait for room in the ring. A guest with more does not read them, and is cut off. */
const MAX_WAITING = 1024
/** Requests are taken only while no more than this waits. */
const ENOUGH_WAITING = 16

const OP = {
  DIRECTORY: 1, READ: 2, GET_PERMS: 3, WATCH: 4, UNWATCH: 5, TRANSACTION_START: 6, TRANSACTION_END: 7, GET_DOMAIN_PATH: 10, WRITE: 11, MKDIR: 12, RM: 13,
  SET_PERMS: 14, WATCH_EVENT: 15, ERROR: 16, IS_DOMAIN_INTRODUCED: 17, RESET_WATCHES: 21, DIRECTORY_PART: 22,
} as const

/** For the statistics. */
export const REQUEST_NAMES: Readonly<Record<number, string>> = {
  1: 'directory', 2: 'read', 3: 'get_perms', 4: 'watch', 5: 'unwatch', 6: 'transaction_start', 7: 'transaction_end', 10: 'get_domain_path', 11: 'write', 12: 'mkdir',
  13: 'rm', 14: 'set_perms', 17: 'is_domain_introduced', 21: 'reset_watches', 22: 'directory_part',
}

const encoder = new TextEncoder()
const latin1 = new TextDecoder('latin1')
const OK = encoder.encode('OK\0')

interface GuestWatch {
  readonly path: string
  readonly token: string
  readonly stop: () => void
}

export interface ConnectionState {
  readonly incoming: Uint8Array
  readonly waiting: readonly Uint8Array[]
  readonly watches: readonly (readonly [path: string, token: string])[]
  readonly broken: boolean
}

export class StoreConnection {
  channel: BackendChannel | undefined = undefined
  readonly requests: Map<string, number> = new Map<string, number>()
  /** Bytes of a request that is not whole yet. */
  private incoming = new Uint8Array(0)
  private waiting: Uint8Array[] = []
  private watches: GuestWatch[] = []
  private broken = false
  /** Answers go out together once all requests are served. */
  private serving = false

  constructor(
    private readonly frames: GuestFrames,
    private readonly page: number,
    private readonly store: Store,
  ) {}

  /** The guest has put something into the ring, or taken something out. */
  heard(): void {
    const before = this.frames.readU32(this.page, RESPONSE_PRODUCER)
    let consumed = false
    this.serving = true
    // One round takes at most what the ring held: the guest stands still meanwhile.
    this.flush()
    while (!this.broken && this.waiting.length <= ENOUGH_WAITING && this.take()) {
      consumed = true
      this.flush()
    }
    this.serving = false
    if (consumed || this.frames.readU32(this.page, RESPONSE_PRODUCER) !== before) this.channel?.notify()
  }

  // ---- rings -------------------------------------------------------------------------------------------------------------------------

  /** Takes what is there of a request, and answers it once it is whole. False: nothing more is there. */
  private take(): boolean {
    const header = this.incoming.length < HEADER
    const wanted = header ? HEADER : HEADER + u32(this.incoming, 12)
    const missing = wanted - this.incoming.length
    const consumer = this.frames.readU32(this.page, REQUEST_CONSUMER)
    const available = (this.frames.readU32(this.page, REQUEST_PRODUCER) - consumer) >>> 0
    if (available > RING) {
      this.cutOff()
      return false
    }
    const count = Math.min(missing, available)
    if (count === 0 && missing > 0) return false
    const next = new Uint8Array(this.incoming.length + count)
    next.set(this.incoming)
    for (let i = 0; i < count; i++) next[this.incoming.length + i] = this.frames.readU8(this.page, (consumer + i) % RING)
    this.incoming = next
    this.frames.writeU32(this.page, REQUEST_CONSUMER, (consumer + count) >>> 0)
    if (next.length === HEADER && header && u32(next, 12) > MAX_PAYLOAD) this.cutOff()
    else if (next.length >= HEADER && next.length === HEADER + u32(next, 12)) {
      this.incoming = new Uint8Array(0)
      this.serve(next)
    }
    return !this.broken
  }

  private flush(): void {
    for (let message = this.waiting[0]; message; message = this.waiting[0]) {
      const producer = this.frames.readU32(this.page, RESPONSE_PRODUCER)
      const used = (producer - this.frames.readU32(this.page, RESPONSE_CONSUMER)) >>> 0
      if (used > RING) {
        this.cutOff()
        return
      }
      const count = Math.min(RING - used, message.length)
      if (count === 0) return
      const at = producer % RING
      const first = Math.min(count, RING - at)
      this.frames.write(this.page, RESPONSES + at, message.subarray(0, first))
      if (count > first) this.frames.write(this.page, RESPONSES, message.subarray(first, count))
      this.frames.writeU32(this.page, RESPONSE_PRODUCER, (producer + count) >>> 0)
      if (count === message.length) this.waiting.shift()
      else this.waiting[0] = message.subarray(count)
    }
  }

  /** The guest broke the protocol: nothing more is heard of it until it is reset. */
  private cutOff(): void {
    this.broken = true
    this.waiting = []
    this.incoming = new Uint8Array(0)
    this.dropWatches()
    this.store.dropTransactions(GUEST_DOMAIN)
  }

  private send(type: number, request: number, transaction: number, payload: Uint8Array): void {
    if (this.broken) return
    if (this.waiting.length >= MAX_WAITING) {
      this.cutOff()
      return
    }
    const message = new Uint8Array(HEADER + payload.length)
    const view = new DataView(message.buffer)
    for (const [i, value] of [type, request, transaction, payload.length].entries()) view.setUint32(i * 4, value, true)
    message.set(payload, HEADER)
    this.waiting.push(message)
  }

  // ---- requests ----------------------------------------------------------------------------------------------------------------------

  private serve(message: Uint8Array): void {
    const [type, request, transaction] = [u32(message, 0), u32(message, 4), u32(message, 8)]
    const name = REQUEST_NAMES[type] ?? 'unknown'
    this.requests.set(name, (this.requests.get(name) ?? 0) + 1)
    let answer: Uint8Array
    try {
      answer = this.answer(type, message.subarray(HEADER), transaction)
      if (answer.length > MAX_PAYLOAD) fail('E2BIG')
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.send(OP.ERROR, request, transaction, encoder.encode(`${error.errno}\0`))
      return
    }
    this.send(type, request, transaction, answer)
    // The first event of a watch follows the answer to its request.
    if (type === OP.WATCH) this.firstEvent()
  }

  private answer(type: number, payload: Uint8Array, transaction: number): Uint8Array {
    const texts = strings(payload)
    const path = (): string => absolute(texts[0] ?? fail('EINVAL'))
    switch (type) {
      case OP.READ:
        return this.store.read(GUEST_DOMAIN, path(), transaction)
      case OP.DIRECTORY:
        return list(this.store.directory(GUEST_DOMAIN, path(), transaction))
      case OP.DIRECTORY_PART:
        return this.directoryPart(path(), texts[1], transaction)
      case OP.GET_PERMS:
        return list(this.store.permissions(GUEST_DOMAIN, path(), transaction).map(formatPermission))
      case OP.WRITE: {
        const end = payload.indexOf(0)
        if (end < 0) fail('EINVAL')
        this.store.write(GUEST_DOMAIN, path(), payload.slice(end + 1), transaction)
        return OK
      }
      case OP.MKDIR:
        this.store.makeDirectory(GUEST_DOMAIN, path(), transaction)
        return OK
      case OP.RM:
        this.store.remove(GUEST_DOMAIN, path(), transaction)
        return OK
      case OP.SET_PERMS:
        this.store.setPermissions(GUEST_DOMAIN, path(), texts.slice(1).map(parsePermission), transaction)
        return OK
      case OP.WATCH:
        this.addWatch(texts[0], texts[1])
        return OK
      case OP.UNWATCH:
        this.removeWatch(texts[0], texts[1])
        return OK
      case OP.RESET_WATCHES:
        this.dropWatches()
        this.store.dropTransactions(GUEST_DOMAIN)
        return OK
      case OP.TRANSACTION_START:
        if (transaction !== 0) fail('EBUSY')
        return encoder.encode(`${this.store.begin(GUEST_DOMAIN)}\0`)
      case OP.TRANSACTION_END:
        if (texts[0] !== 'T' && texts[0] !== 'F') fail('EINVAL')
        this.store.end(GUEST_DOMAIN, transaction, texts[0] === 'T')
        return OK
      case OP.GET_DOMAIN_PATH:
        return encoder.encode(`/local/domain/${domainNumber(texts[0])}\0`)
      case OP.IS_DOMAIN_INTRODUCED:
        return encoder.encode(domainNumber(texts[0]) <= GUEST_DOMAIN ? 'T\0' : 'F\0')
      default:
        return fail('ENOSYS')
    }
  }

  /** Part of a directory that is too long for one answer, from an offset into the list on; its generation tells whether it has changed meanwhile. */
  private directoryPart(path: string, from: string | undefined, transaction: number): Uint8Array {
    const offset = /^\d{1,7}$/.test(from ?? '') ? Number(from) : fail('EINVAL')
    const generation = encoder.encode(`${this.store.generationOf(GUEST_DOMAIN, path, transaction)}\0`)
    const whole = list(this.store.directory(GUEST_DOMAIN, path, transaction))
    const room = MAX_PAYLOAD - generation.length - 1
    let end = Math.min(whole.length, offset + room)
    const last = end === whole.length
    if (!last) end = whole.lastIndexOf(0, end - 1) + 1
    const part = whole.subarray(offset, end)
    const answer = new Uint8Array(generation.length + part.length + (last ? 1 : 0))
    answer.set(generation)
    answer.set(part, generation.length)
    return answer
  }

  // ---- watches -----------------------------------------------------------------------------------------------------------------------

  private addWatch(path: string | undefined, token: string | undefined): void {
    if (path === undefined || token === undefined) return fail('EINVAL')
    if (this.watches.some((watch) => watch.path === path && watch.token === token)) fail('EEXIST')
    if (this.watches.length >= MAX_WATCHES) fail('ENOSPC')
    // Domains come and go at special names: here none does.
    const special = path.startsWith('@')
    const place = special ? path : absolute(path)
    let started = special
    const stop = special ? (): void => undefined : this.store.watch(place, (changed) => {
      if (started) this.event(token, path.startsWith('/') ? changed : changed.slice(HOME.length))
    })
    started = true
    this.watches.push({ path, token, stop })
  }

  private firstEvent(): void {
    const watch = this.watches[this.watches.length - 1]
    if (watch) this.event(watch.token, watch.path)
  }

  /** Events that wait already are not said twice. */
  private event(token: string, changed: string): void {
    const payload = list([changed, token])
    const same = (message: Uint8Array): boolean => message.length === HEADER + payload.length && u32(message, 0) === OP.WATCH_EVENT && payload.every((byte, i) => message[HEADER + i] === byte)
    if (this.waiting.some(same)) return
    this.send(OP.WATCH_EVENT, 0, 0, payload)
    if (!this.serving) this.deliver()
  }

  private removeWatch(path: string | undefined, token: string | undefined): void {
    const index = this.watches.findIndex((watch) => watch.path === path && watch.token === token)
    if (index < 0) fail('ENOENT')
    this.watches[index]?.stop()
    this.watches.splice(index, 1)
  }

  private dropWatches(): void {
    for (const { stop } of this.watches) stop()
    this.watches = []
  }

  /** Of a change that the guest did not ask for. */
  private deliver(): void {
    const before = this.frames.readU32(this.page, RESPONSE_PRODUCER)
    this.flush()
    if (this.frames.readU32(this.page, RESPONSE_PRODUCER) !== before) this.channel?.notify()
  }

  /** Whether the guest wants to hear of changes there; a path relative to its home. */
  watchesPath(path: string): boolean {
    return this.watches.some((watch) => watch.path === path || watch.path === HOME + path)
  }

  reset(): void {
    this.dropWatches()
    this.incoming = new Uint8Array(0)
    this.waiting = []
    this.broken = false
    this.channel = undefined
  }

  save(): ConnectionState {
    const { incoming, waiting, broken } = this
    return { incoming, waiting: [...waiting], watches: this.watches.map(({ path, token }) => [path, token] as const), broken }
  }

  /** After the store is back. */
  load(state: ConnectionState): void {
    this.reset()
    for (const [path, token] of state.watches) this.addWatch(path, token)
    this.incoming = state.incoming.slice(0, HEADER + MAX_PAYLOAD)
    this.waiting = state.waiting.slice(0, MAX_WAITING)
    this.broken = state.broken
  }
}

const HOME = `/local/domain/${GUEST_DOMAIN}/`

/** Relative paths begin at the domain's own place. */
function absolute(path: string): string {
  return path.startsWith('/') ? path : path.length > MAX_PATH ? fail('EINVAL') : HOME + path
}

function domainNumber(text: string | undefined): number {
  return /^\d{1,5}$/.test(text ?? '') ? Number(text) : fail('EINVAL')
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
}

/** Strings that end with 0. */
function strings(payload: Uint8Array): readonly string[] {
  const parts = latin1.decode(payload).split('\0')
  return parts[parts.length - 1] === '' ? parts.slice(0, -1) : parts
}

function list(texts: readonly string[]): Uint8Array {
  return encoder.encode(texts.map((text) => `${text}\0`).join(''))
}
