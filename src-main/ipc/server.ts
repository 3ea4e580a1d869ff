/** Answers requests: who asks and what is asked is checked here, for every request alike; handlers see only what the schemas let through. */
import { IpcError, REQUEST_NAMES, requests, type EventName, type EventPayload, type IpcErrorDto, type Reply, type RequestInput, type RequestName, type RequestOutput } from './contract'

/** Who sent a request, as the transport knows it. */
export interface Sender {
  readonly url: string
  /** The window's own page, not a frame inside it. */
  readonly topFrame: boolean
}

export interface ServerTransport {
  handle(name: RequestName, answer: (sender: Sender, payload: unknown) => Promise<Reply<unknown>>): void
  emit<N extends EventName>(name: N, payload: EventPayload<N>): void
}

export type Handlers = { readonly [N in RequestName]: (input: RequestInput<N>) => RequestOutput<N> | Promise<RequestOutput<N>> }

export function serveRequests(transport: ServerTransport, isTrusted: (sender: Sender) => boolean, handlers: Handlers): void {
  for (const name of REQUEST_NAMES) {
    transport.handle(name, async (sender, payload) => {
      if (!isTrusted(sender)) return failure('ipc/forbidden', `${name}: asked from elsewhere than the application's window`)
      return answer(name, payload, handlers)
    })
  }
}

async function answer<N extends RequestName>(name: N, payload: unknown, handlers: Handlers): Promise<Reply<unknown>> {
  const parsed = requests[name].in.safeParse(payload)
  if (!parsed.success) return failure('ipc/bad-request', `${name}: ${parsed.error.issues[0]?.message ?? 'malformed'}`)
  try {
    return { ok: true, value: await handlers[name](parsed.data as RequestInput<N>) }
  } catch (error) {
    if (error instanceof IpcError) return failure(error.code, error.message)
    return failure('internal/bug', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
}

function failure(code: IpcErrorDto['code'], message: string): Reply<never> {
  return { ok: false, error: { code, message } }
}
