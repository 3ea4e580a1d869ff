/** The message log, and what is said for a moment in a corner of the window. */
import { ref } from 'vue'
import { defineStore } from 'pinia'
import type { LogMessage, ProblemDto } from '../../../src-main/ipc/contract'
import { answered, api, ApiError, ProblemError } from '../api/client'
import { usePreferencesStore } from './preferences'

export interface Toast {
  readonly number: number
  readonly level: LogMessage['level']
  readonly message?: LogMessage
  readonly problem?: ProblemDto
  /** Said by the window itself; English where it is a bug, which no catalogue knows. */
  readonly text?: string
}

const KEPT = 500
const TOASTS = 4

export const useMessagesStore = defineStore('messages', () => {
  const log = ref<readonly LogMessage[]>([])
  const toasts = ref<readonly Toast[]>([])
  const unread = ref(0)
  let numbered = 0

  async function load(): Promise<void> {
    api.events['app.message']((message) => {
      log.value = [...log.value, message].slice(-KEPT)
      unread.value++
      if (message.level !== 'info' && usePreferencesStore().preferences.notifications) show({ level: message.level, message })
    })
    log.value = await answered(api.requests['app.messages']())
  }

  function show(toast: Omit<Toast, 'number'>): void {
    toasts.value = [...toasts.value, { ...toast, number: numbered++ }].slice(-TOASTS)
  }

  function dismiss(number: number): void {
    toasts.value = toasts.value.filter((toast) => toast.number !== number)
  }

  /** Says what went wrong with something that the user asked for. */
  function trouble(error: unknown): void {
    if (error instanceof ProblemError) show({ level: 'error', problem: error.problem })
    else show({ level: 'error', text: error instanceof ApiError || error instanceof Error ? error.message : String(error) })
  }

  /** Runs what the user asked for; trouble is told. */
  function attempt(work: () => Promise<unknown>): void {
    work().catch(trouble)
  }

  function markRead(): void {
    unread.value = 0
  }

  return { log, toasts, unread, load, show, dismiss, trouble, attempt, markRead }
})
