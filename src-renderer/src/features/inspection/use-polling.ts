/** Questions that are asked again and again while somebody looks: the next one a while after the last answer, so a machine that is busy is not asked more often than it answers. */
import { onScopeDispose } from 'vue'

/** Until the scope (component) that calls ends; an answer that comes later than that is not `heard`. What fails counts as undefined. */
export function usePolling<T>(ask: () => Promise<T | undefined>, heard: (answer: T | undefined) => void, periodMs: number): void {
  let timer: number | undefined
  let ended = false

  async function turn(): Promise<void> {
    const answer = await ask().catch(() => undefined)
    if (ended) return
    heard(answer)
    timer = window.setTimeout(() => void turn(), periodMs)
  }

  void turn()
  onScopeDispose(() => {
    ended = true
    window.clearTimeout(timer)
  })
}
