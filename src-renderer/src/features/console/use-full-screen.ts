/** Full screen is for guests' screens: it ends when none is shown, but not when another takes the place of the last, as by the bar's tabs. */
import { nextTick, onBeforeUnmount, onMounted } from 'vue'
import { answered, api } from '../../api/client'
import { useInputStore } from '../../stores/input'
import { useMessagesStore } from '../../stores/messages'

let screens = 0

export function useFullScreen(): void {
  const input = useInputStore()
  const { attempt } = useMessagesStore()
  onMounted(() => screens++)
  onBeforeUnmount(async () => {
    screens--
    await nextTick()
    if (screens === 0 && input.fullScreen) attempt(() => answered(api.requests['window.set-full-screen']({ on: false })))
  })
}
