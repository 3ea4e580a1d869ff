/** Menus as data: what stands in a menu bar, a drop-down and a context menu is written once. */
import type { IconName } from './icons'

export type MenuEntry =
  | { readonly kind: 'item'; readonly id: string; readonly text: string; readonly icon?: IconName | undefined; readonly keys?: string | undefined; readonly disabled?: boolean; readonly danger?: boolean; readonly run: () => void }
  /** `group`: of several that exclude each other. */
  | { readonly kind: 'check'; readonly id: string; readonly text: string; readonly checked: boolean; readonly group?: boolean; readonly keys?: string | undefined; readonly disabled?: boolean; readonly run: () => void }
  | { readonly kind: 'submenu'; readonly id: string; readonly text: string; readonly icon?: IconName | undefined; readonly disabled?: boolean; readonly entries: readonly MenuEntry[] }
  | { readonly kind: 'separator'; readonly id: string }
  | { readonly kind: 'heading'; readonly id: string; readonly text: string }

/** Without separators at the ends and in pairs, and without empty submenus. */
export function tidyMenu(entries: readonly MenuEntry[]): readonly MenuEntry[] {
  const tidy: MenuEntry[] = []
  for (const entry of entries) {
    if (entry.kind === 'submenu' && entry.entries.length === 0) continue
    if (entry.kind === 'separator' && (tidy.length === 0 || tidy[tidy.length - 1]?.kind === 'separator')) continue
    tidy.push(entry)
  }
  while (tidy[tidy.length - 1]?.kind === 'separator') tidy.pop()
  return tidy
}
