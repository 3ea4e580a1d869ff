/** Selection in the library's tree: one, several with Ctrl, a range with Shift; the row that has the keys. */
import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'
import type { VmCard } from '../../../../src-main/ipc/contract'
import type { LibraryRow } from './library-rows'

export interface LibrarySelection {
  readonly selected: Ref<ReadonlySet<string>>
  /** Key of the row that has the keys. */
  readonly current: Ref<string>
  readonly vms: ComputedRef<readonly VmCard[]>
  select(key: string, event?: Pick<MouseEvent, 'ctrlKey' | 'metaKey' | 'shiftKey'>): void
  /** By so many rows; answers the key of the row that is current then. */
  move(by: number, extend: boolean): string
  /** To the row that the current one is in; answers its key. */
  toParent(): string
  /** All VMs that are shown. */
  selectAll(): void
}

export function useLibrarySelection(rows: ComputedRef<readonly LibraryRow[]>): LibrarySelection {
  const selected = ref<ReadonlySet<string>>(new Set())
  const current = ref('root')
  let anchor = 'root'
  const vms = computed(() => rows.value.flatMap((row) => (row.kind === 'vm' && selected.value.has(row.key) ? [row.vm] : [])))
  const indexOf = (key: string): number => Math.max(0, rows.value.findIndex((row) => row.key === key))

  function select(key: string, event?: Pick<MouseEvent, 'ctrlKey' | 'metaKey' | 'shiftKey'>): void {
    current.value = key
    if (event?.shiftKey) {
      const [from, to] = [indexOf(anchor), indexOf(key)].sort((a, b) => a - b) as [number, number]
      selected.value = new Set(rows.value.slice(from, to + 1).map((row) => row.key))
      return
    }
    anchor = key
    if (event?.ctrlKey || event?.metaKey) {
      const next = new Set(selected.value)
      if (!next.delete(key)) next.add(key)
      selected.value = next
    } else selected.value = new Set([key])
  }

  function move(by: number, extend: boolean): string {
    const row = rows.value[Math.min(rows.value.length - 1, Math.max(0, indexOf(current.value) + by))]
    if (row) select(row.key, { ctrlKey: false, metaKey: false, shiftKey: extend })
    return current.value
  }

  function toParent(): string {
    const at = indexOf(current.value)
    const depth = rows.value[at]?.depth ?? 0
    const parent = rows.value.slice(0, at).reverse().find((row) => row.depth < depth)
    if (parent) select(parent.key)
    return current.value
  }

  function selectAll(): void {
    selected.value = new Set(rows.value.flatMap((row) => (row.kind === 'vm' ? [row.key] : [])))
  }

  // A row that is gone (closed, removed, not found) gives the keys to the first: one row can always be reached by Tab.
  watch(rows, () => {
    if (!rows.value.some((row) => row.key === current.value)) current.value = rows.value[0]?.key ?? 'root'
  })

  return { selected, current, vms, select, move, toParent, selectAll }
}
