/** The typed client of the contract: requests that throw ApiError, events, and streams as ports. */
import { config } from 'zod'
import { PORT_MESSAGE, type StreamName } from '../../../src-main/ipc/contract/channels'
import type { IpcErrorCode, ProblemDto, Reply, StreamMessages, VitrineBridge } from '../../../src-main/ipc/contract'

// The page's policy forbids code from strings; the schemas shall not try it.
config({ jitless: true })

export class ApiError extends Error {
  constructor(
    readonly code: IpcErrorCode,
    message: string,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

/** What the user can do something about. */
export class ProblemError extends Error {
  constructor(readonly problem: ProblemDto) {
    super(problem.message)
    this.name = 'ProblemError'
  }
}

export const api: VitrineBridge = window.vitrine

/** What a request answers; its error is thrown. */
export async function answered<T>(reply: Promise<Reply<T>>): Promise<T> {
  const result = await reply
  if (result.ok) return result.value
  throw new ApiError(result.error.code, result.error.message)
}

/** The value of a request that can fail for the user's reasons; the problem is thrown. */
export async function valueOf<O extends { readonly ok: true; readonly value?: unknown } | { readonly ok: false; readonly problem: ProblemDto }>(reply: Promise<Reply<O>>): Promise<Extract<O, { ok: true }>['value']> {
  const outcome = await answered(reply)
  if (outcome.ok) return outcome.value
  throw new ProblemError(outcome.problem)
}

export interface Stream<N extends StreamName> {
  send(message: StreamMessages[N]['up'], moved?: readonly Transferable[]): void
  close(): void
}

export type StreamListener<N extends StreamName> = (message: StreamMessages[N]['down']) => void

/** Ports that came before the request that opens them was answered, by number. */
const early = new Map<number, MessagePort>()
const wanted = new Map<number, (port: MessagePort) => void>()

window.addEventListener('message', (event: MessageEvent) => {
  const data: unknown = event.data
  const [port] = event.ports
  if (event.source !== window || !port || typeof data !== 'object' || data === null) return
  if (!('kind' in data) || data.kind !== PORT_MESSAGE || !('number' in data) || typeof data.number !== 'number') return
  const take = wanted.get(data.number)
  wanted.delete(data.number)
  if (take) take(port)
  else early.set(data.number, port)
})

/** The screen, keyboard and mouse of a VM: a port whose messages wait for a listener, to be handed to the thread that draws. */
export async function openConsolePort(vm: string): Promise<MessagePort> {
  return portOf(await answered(api.requests['console.open']({ vm })))
}

/** A serial port that is a terminal. */
export async function openSerial(vm: string, port: number, listener: StreamListener<'serial'>): Promise<Stream<'serial'>> {
  return connect<'serial'>(await answered(api.requests['serial.open']({ vm, port })), listener)
}

async function connect<N extends StreamName>(number: number, listener: StreamListener<N>): Promise<Stream<N>> {
  const port = await portOf(number)
  port.onmessage = (event: MessageEvent<StreamMessages[N]['down']>): void => listener(event.data)
  return { send: (message, moved = []) => port.postMessage(message, [...moved]), close: () => port.close() }
}

async function portOf(number: number): Promise<MessagePort> {
  const port = early.get(number) ?? (await new Promise<MessagePort>((resolve) => wanted.set(number, resolve)))
  early.delete(number)
  return port
}
