/** What is open in this window: Home, a tab for each VM and folder that the user looks at; and how the window looks. Comes back at the next start. */
import { computed, ref, watch } from 'vue'
import { defineStore } from 'pinia'
import { useDebounceFn } from '@vueuse/core'
import type { WindowMemory } from '../../../src-main/ipc/contract'
import { answered, api } from '../api/client'
import { useLibraryStore } from './library'

export type TabId = 'home' | `vm:${string}` | `folder:${string}`
export type VmView = 'summary' | 'console' | 'serial' | 'performance'

const REMEMBER_MS = 400
const LIBRARY_WIDTH = 230
export const NARROWEST_LIBRARY = 150
export const WIDEST_LIBRARY = 500
/** Scroll positions that are taken from a memory. */
const MOST_SCROLLED = 200

export const useTabsStore = defineStore('tabs', () => {
  const library = useLibraryStore()
  const open = ref<readonly TabId[]>(['home'])
  const active = ref<TabId>('home')
  const views = ref<Readonly<Record<string, VmView>>>({})
  const shown = ref({ library: true, toolbar: true, tabs: true, statusBar: true, thumbnails: false })
  const libraryWidth = ref(LIBRARY_WIDTH)
  /** Library folders that are closed. */
  const closedFolders = ref<readonly string[]>([])
  /** Pixels from the top, of pages that are scrolled. */
  const scrolled = ref<Readonly<Record<string, number>>>({})

  const activeVmId = computed(() => (active.value.startsWith('vm:') ? active.value.slice(3) : undefined))
  const activeVm = computed(() => library.vm(activeVmId.value))
  const activeFolder = computed(() => (active.value.startsWith('folder:') ? library.folder(active.value.slice(7)) : undefined))

  function openTab(id: TabId): void {
    if (!open.value.includes(id)) open.value = [...open.value, id]
    active.value = id
  }

  function openVm(id: string, view?: VmView): void {
    if (view) setView(id, view)
    openTab(`vm:${id}`)
  }

  function close(id: TabId): void {
    const at = open.value.indexOf(id)
    if (at < 0) return
    open.value = open.value.filter((other) => other !== id)
    if (open.value.length === 0) open.value = ['home']
    if (active.value === id) active.value = open.value[Math.min(at, open.value.length - 1)] ?? 'home'
  }

  /** 1: the next one, -1: the one before. */
  function step(by: 1 | -1): void {
    const at = open.value.indexOf(active.value)
    active.value = open.value[(at + by + open.value.length) % open.value.length] ?? 'home'
  }

  function move(id: TabId, before: TabId | undefined): void {
    const rest = open.value.filter((other) => other !== id)
    const at = before === undefined ? rest.length : rest.indexOf(before)
    open.value = [...rest.slice(0, at), id, ...rest.slice(at)]
  }

  function viewOf(id: string): VmView {
    return views.value[id] ?? 'summary'
  }

  function setView(id: string, view: VmView): void {
    views.value = { ...views.value, [id]: view }
  }

  function setLibraryWidth(width: number): void {
    libraryWidth.value = Math.min(WIDEST_LIBRARY, Math.max(NARROWEST_LIBRARY, Math.round(width)))
  }

  function toggleFolder(id: string): void {
    closedFolders.value = closedFolders.value.includes(id) ? closedFolders.value.filter((other) => other !== id) : [...closedFolders.value, id]
  }

  function setScrolled(key: string, top: number): void {
    const { [key]: _before, ...rest } = scrolled.value
    scrolled.value = top > 0 ? { ...rest, [key]: Math.round(top) } : rest
  }

  /** After the library and the preferences. */
  async function load(reopen: boolean): Promise<void> {
    restore(await answered(api.requests['window.memory']()), reopen)
    const remember = useDebounceFn(() => void api.requests['window.remember']({ memory: memory() }), REMEMBER_MS)
    watch([open, active, views, shown, libraryWidth, closedFolders, scrolled], () => void remember(), { deep: true })
    // A VM or folder that is gone takes its tab along.
    watch(() => [library.machines, library.folders], () => open.value.filter((id) => !exists(id)).forEach(close))
  }

  function exists(id: TabId): boolean {
    return id === 'home' || (id.startsWith('vm:') ? library.vm(id.slice(3)) !== undefined : library.folder(id.slice(7)) !== undefined)
  }

  function memory(): WindowMemory {
    return { open: [...open.value], active: active.value, views: { ...views.value }, shown: { ...shown.value }, libraryWidth: libraryWidth.value, closedFolders: [...closedFolders.value], scrolled: { ...scrolled.value } }
  }

  /** A memory may be of another version, or damaged: only what makes sense is taken. */
  function restore(memory: WindowMemory, reopen: boolean): void {
    const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [])
    if (typeof memory['libraryWidth'] === 'number') setLibraryWidth(memory['libraryWidth'])
    closedFolders.value = texts(memory['closedFolders'])
    const flags = memory['shown']
    if (typeof flags === 'object' && flags !== null && !Array.isArray(flags)) {
      for (const key of ['library', 'toolbar', 'tabs', 'statusBar', 'thumbnails'] as const) if (typeof flags[key] === 'boolean') shown.value[key] = flags[key]
    }
    if (!reopen) return
    const views_ = memory['views']
    if (typeof views_ === 'object' && views_ !== null && !Array.isArray(views_)) {
      for (const [id, view] of Object.entries(views_)) if (view === 'summary' || view === 'console' || view === 'serial' || view === 'performance') setView(id, view)
    }
    const positions = memory['scrolled']
    if (typeof positions === 'object' && positions !== null && !Array.isArray(positions)) {
      for (const [key, top] of Object.entries(positions).slice(0, MOST_SCROLLED)) if (typeof top === 'number' && Number.isFinite(top)) setScrolled(key, top)
    }
    const ids = texts(memory['open']).filter((id): id is TabId => (id === 'home' || id.startsWith('vm:') || id.startsWith('folder:')) && exists(id as TabId))
    if (ids.length > 0) open.value = [...new Set(ids)]
    const [wanted] = ids.filter((id) => id === memory['active'])
    active.value = wanted ?? open.value[0] ?? 'home'
  }

  return { open, active, views, shown, libraryWidth, closedFolders, scrolled, activeVmId, activeVm, activeFolder, openTab, openVm, close, step, move, viewOf, setView, setLibraryWidth, setScrolled, toggleFolder, load }
})
