/** What a tab is called. */
import { i18n } from '../../i18n'
import type { useLibraryStore } from '../../stores/library'
import type { TabId } from '../../stores/tabs'

export function tabTitle(id: TabId, library: ReturnType<typeof useLibraryStore>): string {
  if (id === 'home') return i18n.global.t('shell.tabs.home')
  return (id.startsWith('vm:') ? library.vm(id.slice(3))?.name : library.folder(id.slice(7))?.name) ?? ''
}
