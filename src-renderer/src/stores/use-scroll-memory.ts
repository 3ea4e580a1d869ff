/** Scroll positions come back: when a page is shown again, and at the next start. */
import { onMounted, watch, type Ref } from 'vue'
import { useEventListener } from '@vueuse/core'
import { useTabsStore } from './tabs'

/** `key`: what is scrolled, such as "vm:<id>"; it may change while the element stays. */
export function useScrollMemory(element: Readonly<Ref<HTMLElement | null | undefined>>, key: () => string): void {
  const tabs = useTabsStore()
  const restore = (): void => {
    if (element.value) element.value.scrollTop = tabs.scrolled[key()] ?? 0
  }
  onMounted(restore)
  watch(key, restore, { flush: 'post' })
  useEventListener(element, 'scroll', () => element.value && tabs.setScrolled(key(), element.value.scrollTop), { passive: true })
}
