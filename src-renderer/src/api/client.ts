/** The typed client of the contract: requests that throw ApiError, events, and streams as ports. */
import { PORT_MESSAGE, type StreamName } from '../../../src-main/ipc/contract/channels'
import type { IpcErrorCode, Reply, StreamMessages, VitrineBridge } from '../../../src-main/ipc/contract'

export class ApiError extends Error {
  constructor(
    readonly code: IpcErrorCode,
    message: string,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

export const api: VitrineBridge = window.vitrine

/** What a request answers; its error is thrown. */
export async function answered<T>(reply: Promise<Reply<T>>): Promise<T> {
  const result = await reply
  if (result.ok) return result.value
  throw new ApiError(result.error.code, result.error.message)
}

export interface Stream<N extends StreamName> {
  send(message: StreamMessages[N]['up']): void
  close(): void
}

/** Opens a stream of a VM; `listener` hears it from its first message on. */
export async function openStream<N extends StreamName>(stream: N, vm: string, listener: (message: StreamMessages[N]['down']) => void): Promise<Stream<N>> {
  const port = new Promise<MessagePort>((resolve) => {
    const arrived = (event: MessageEvent): void => {
      const data: unknown = event.data
      const [first] = event.ports
      if (event.source !== window || !first || typeof data !== 'object' || data === null) return
      if (!('kind' in data) || data.kind !== PORT_MESSAGE || !('stream' in data) || data.stream !== stream) return
      window.removeEventListener('message', arrived)
      resolve(first)
    }
    window.addEventListener('message', arrived)
  })
  await answered(stream === 'console' ? api.requests['console.open']({ vm }) : api.requests['serial.open']({ vm }))
  const opened = await port
  opened.onmessage = (event: MessageEvent<StreamMessages[N]['down']>): void => listener(event.data)
  return { send: (message) => opened.postMessage(message), close: () => opened.close() }
}
