/** Errors as they cross to the window: a code to act on and one line to show. */
import { z } from 'zod'

export const IPC_ERROR_CODES = ['ipc/bad-request', 'ipc/forbidden', 'vm/not-found', 'vm/bad-state', 'internal/bug'] as const
export type IpcErrorCode = (typeof IPC_ERROR_CODES)[number]

export const IpcErrorDto = z.object({ code: z.enum(IPC_ERROR_CODES), message: z.string() })
export type IpcErrorDto = z.infer<typeof IpcErrorDto>

/** What a request answers with: Electron keeps only the text of a rejected promise's error, so failure is a value. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: IpcErrorDto }

export class IpcError extends Error {
  constructor(
    readonly code: IpcErrorCode,
    message: string,
  ) {
    super(message)
    this.name = 'IpcError'
  }
}
