/** VMs that other processes run (`vitrine start`, a second Vitrine): what they are doing, and what can be asked of them over their sockets. */
import { z } from 'zod'
import { ControlClient, controlPath, fail, ok, problem, type ControlRequest, type LibraryVm, type Result } from '../vmm'
import { RunStateType, type PowerAction } from './contract'

/** How often one is asked for its state. */
const PERIOD_MS = 1000
const PATIENCE_MS = 5000
/** A picture is asked for at every second turn. */
const TURNS_A_PICTURE = 2

const Status = z.object({ state: RunStateType })
const Typed = z.object({ skipped: z.number().int() })

/** What a power action is called over there; the others are not possible. */
const REQUESTS: Partial<Record<PowerAction, ControlRequest>> = {
  'shut-down-guest': { command: 'stop', how: 'soft' },
  'power-off': { command: 'stop', how: 'hard' },
  suspend: { command: 'suspend' },
  reset: { command: 'reset' },
  pause: { command: 'pause' },
  unpause: { command: 'unpause' },
}

export interface RemoteTerminal {
  send(bytes: Uint8Array): void
  setPaused(isPaused: boolean): void
  close(): void
}

export class Elsewhere {
  private readonly followed = new Map<string, Follower>()

  /** `changed`: what one is doing has changed, or it may have ended. */
  constructor(private readonly changed: (id: string) => void) {}

  /** What the library has read of a VM: it is followed while another process holds it. */
  saw({ id, path, state, holder }: LibraryVm): void {
    const isElsewhere = state === 'in-use' && holder !== undefined && holder.pid !== process.pid
    const known = this.followed.get(id)
    if (isElsewhere && known?.path === path) return
    known?.stop()
    this.followed.delete(id)
    if (isElsewhere) this.followed.set(id, new Follower(path, () => this.changed(id)))
  }

  /** undefined: none of those, or it cannot be asked (yet). */
  state(id: string): RunStateType | undefined {
    return this.followed.get(id)?.state
  }

  /** Counts up while there may be something new to see; undefined: there is nothing. */
  picture(id: string): number | undefined {
    const vm = this.followed.get(id)
    return vm?.state === undefined ? undefined : Math.floor(vm.turns / TURNS_A_PICTURE)
  }

  /** undefined: there is no such action over there. Resolves when it has been done, which for suspending takes as long as it takes. */
  async power(id: string, action: PowerAction): Promise<Result<undefined> | undefined> {
    const request = REQUESTS[action]
    if (!request) return undefined
    const done = await this.ask(id, request, action === 'suspend' ? Infinity : PATIENCE_MS)
    this.followed.get(id)?.lookAgain()
    return done.ok ? ok(undefined) : done
  }

  /** PNG; undefined: it gives none now. */
  async screenshot(id: string, maxWidth?: number): Promise<Uint8Array | undefined> {
    const answer = await this.ask(id, { command: 'screenshot', ...(maxWidth === undefined ? {} : { maxWidth }) })
    return answer.ok && typeof answer.value === 'string' ? Buffer.from(answer.value, 'base64') : undefined
  }

  async sendKeys(id: string, keys: string): Promise<Result<undefined>> {
    const sent = await this.ask(id, { command: 'send-keys', keys })
    return sent.ok ? ok(undefined) : sent
  }

  /** In pieces that fit a request. */
  async typeText(id: string, text: string): Promise<Result<{ readonly skipped: number }>> {
    let skipped = 0
    for (const piece of piecesOf(text)) {
      const typed = await this.ask(id, { command: 'send-text', text: piece })
      if (!typed.ok) return typed
      skipped += Typed.safeParse(typed.value).data?.skipped ?? 0
    }
    return ok({ skipped })
  }

  /** Its serial terminal; `ended`: it has ended, or has let us go because we left too much unread. */
  async terminal(id: string, output: (bytes: Uint8Array) => void, ended: () => void): Promise<Result<RemoteTerminal>> {
    const vm = this.followed.get(id)
    if (!vm) return fail(problem('control-ended', {}))
    const connected = await ControlClient.connect(controlPath(vm.path))
    if (!connected.ok) return connected
    const client = connected.value
    const granted = (await within(client.ask({ command: 'console' }), PATIENCE_MS)) ?? fail(problem('control-silent', {}))
    if (!granted.ok) {
      client.close()
      return granted
    }
    void client.closed().then(ended)
    const send = client.attach(output)
    return ok({ send, setPaused: (isPaused) => client.setPaused(isPaused), close: () => client.close() })
  }

  close(): void {
    for (const vm of this.followed.values()) vm.stop()
    this.followed.clear()
  }

  /** By a connection of its own, so that no request waits for another. */
  private async ask(id: string, request: ControlRequest, patienceMs: number = PATIENCE_MS): Promise<Result<unknown>> {
    const vm = this.followed.get(id)
    if (!vm) return fail(problem('control-ended', {}))
    const client = await ControlClient.connect(controlPath(vm.path))
    if (!client.ok) return client
    const answer = await within(client.value.ask(request), patienceMs)
    client.value.close()
    return answer ?? fail(problem('control-silent', {}))
  }
}

/** Asks one VM for its state, again and again. */
class Follower {
  state: RunStateType | undefined
  turns = 0
  private client: ControlClient | undefined
  private timer: NodeJS.Timeout | undefined
  private stopped = false
  private asking = false

  constructor(
    readonly path: string,
    private readonly changed: () => void,
  ) {
    this.lookAgain()
  }

  /** Now, instead of at the end of the period. */
  lookAgain(): void {
    if (this.asking || this.stopped) return
    clearTimeout(this.timer)
    this.asking = true
    void this.turn()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
    this.client?.close()
  }

  private async turn(): Promise<void> {
    const before = this.state
    this.state = await this.status()
    this.turns++
    this.asking = false
    if (this.stopped) return
    if (this.state !== before) this.changed()
    this.timer = setTimeout(() => this.lookAgain(), PERIOD_MS)
    this.timer.unref()
  }

  private async status(): Promise<RunStateType | undefined> {
    const client = this.client ?? (await this.connect())
    const answer = client && (await within(client.ask({ command: 'status' }), PATIENCE_MS))
    if (client && !answer) client.close()
    return answer?.ok ? Status.safeParse(answer.value).data?.state : undefined
  }

  private async connect(): Promise<ControlClient | undefined> {
    const connected = await ControlClient.connect(controlPath(this.path))
    if (!connected.ok) return undefined
    const client = connected.value
    this.client = client
    void client.closed().then(() => {
      if (this.client === client) this.client = undefined
      // Its lock is free now, or will be: what the files say counts again.
      if (!this.stopped) this.changed()
    })
    if (this.stopped) client.close()
    return client
  }
}

/** undefined: not by then. */
async function within<T>(promise: Promise<T>, patienceMs: number): Promise<T | undefined> {
  if (patienceMs === Infinity) return promise
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), patienceMs)))
  const first = await Promise.race([promise, late])
  clearTimeout(timer)
  return first
}

const PIECE = 4096

/** Without cutting a character of two code units in half. */
function piecesOf(text: string): readonly string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + PIECE, text.length)
    if (end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1))) end--
    pieces.push(text.slice(at, end))
    at = end
  }
  return pieces
}
