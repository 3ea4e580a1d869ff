/** Answers requests: who asks and what is asked is checked here, for every request alike; handlers see only what the schemas let through. */
import { IpcError, REQUEST_NAMES, requests, type EventName, type EventPayload, type IpcErrorDto, type Reply, type RequestInput, type RequestName, type RequestOutput, type StreamName } from './contract'
import type { StreamPort } from './ports'

/** What is sent is copied on the way: it may be shared and read-only here. */
export type Sent<T> = T extends Uint8Array ? Uint8Array : T extends readonly (infer E)[] ? readonly Sent<E>[] : T extends object ? { readonly [K in keyof T]: Sent<T[K]> } : T
export type Emit = <N extends EventName>(name: N, payload: Sent<EventPayload<N>>) => void
export type EmitTo = <N extends EventName>(window: WindowId, name: N, payload: Sent<EventPayload<N>>) => void

/** Number of a window in this run of the app. */
export type WindowId = number

/** Who sent a request, as the transport knows it. */
export interface Sender {
  readonly url: string
  /** The window whose own page it is, and not a frame inside it; undefined: none of ours. */
  readonly window: WindowId | undefined
}

export interface ServerTransport {
  handle(name: RequestName, answer: (sender: Sender, payload: unknown) => Promise<Reply<unknown>>): void
  /** To every window. */
  readonly emit: Emit
  /** To one, if it is still there. */
  readonly emitTo: EmitTo
  /** Opens a port to a window's page, where it comes with this number. */
  openPort<Down>(window: WindowId, stream: StreamName, number: number): StreamPort<Down>
}

export type Handler<N extends RequestName> = (input: RequestInput<N>, window: WindowId) => Sent<RequestOutput<N>> | Promise<Sent<RequestOutput<N>>>
export type Handlers = { readonly [N in RequestName]: Handler<N> }
/** Those whose names start so. */
export type HandlersOf<P extends string> = { readonly [N in RequestName as N extends `${P}.${string}` ? N : never]: Handler<N> }

export function serveRequests(transport: ServerTransport, isOwnPage: (url: string) => boolean, handlers: Handlers): void {
  for (const name of REQUEST_NAMES) {
    transport.handle(name, async (sender, payload) => {
      const { window, url } = sender
      if (window === undefined || !isOwnPage(url)) return failure('ipc/forbidden', `${name}: asked from elsewhere than the application's window`)
      return answer(name, payload, window, handlers)
    })
  }
}

async function answer<N extends RequestName>(name: N, payload: unknown, window: WindowId, handlers: Handlers): Promise<Reply<unknown>> {
  const parsed = requests[name].in.safeParse(payload)
  if (!parsed.success) return failure('ipc/bad-request', `${name}: ${parsed.error.issues[0]?.message ?? 'malformed'}`)
  try {
    return { ok: true, value: await handlers[name](parsed.data as RequestInput<N>, window) }
  } catch (error) {
    if (error instanceof IpcError) return failure(error.code, error.message)
    return failure('internal/bug', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
}

function failure(code: IpcErrorDto['code'], message: string): Reply<never> {
  return { ok: false, error: { code, message } }
}
