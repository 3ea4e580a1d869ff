/** How many dialogs an open one stands over. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** Menus and messages of the window lie over or under all of them. */
const HIGHEST = 2

const open = new Set<{ readonly level: number }>()

export function useDialogLevel(isOpen: () => boolean): Ref<number> {
  const level = ref(0)
  let mine: { readonly level: number } | undefined
  const leave = (): void => {
    if (mine) open.delete(mine)
    mine = undefined
  }
  watch(isOpen, (now) => {
    leave()
    if (!now) return
    level.value = Math.min(HIGHEST, Math.max(-1, ...[...open].map((other) => other.level)) + 1)
    mine = { level: level.value }
    open.add(mine)
  }, { immediate: true })
  onScopeDispose(leave)
  return level
}
