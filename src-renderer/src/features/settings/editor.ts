/** What the panels of settings share: the draft that they edit, and what they must know of the VM and the host. Given by the settings dialog and the wizard. */
import { inject, provide, type ComputedRef, type InjectionKey, type Ref } from 'vue'
import type { HostDescription } from '../../../../src-main/ipc/contract'
import type { MachineDraft } from './draft'
import type { Issue } from './validate'

export interface Editor {
  /** Reactive; panels write into it. */
  readonly draft: MachineDraft
  readonly host: Readonly<Ref<HostDescription>>
  readonly issues: ComputedRef<readonly Issue[]>
  /** Nothing of the hardware can be changed: it is suspended. */
  readonly locked: Readonly<Ref<boolean>>
  /** It is on: hardware changes count from the next power-on. */
  readonly running: Readonly<Ref<boolean>>
  /** It runs in this process: discs are changed at once. */
  readonly live: Readonly<Ref<boolean>>
  /** It does not exist yet. */
  readonly creating: boolean
  /** Of the VM; undefined: it has none yet. */
  readonly folder: string | undefined
}

const EDITOR: InjectionKey<Editor> = Symbol('settings editor')

export function provideEditor(editor: Editor): void {
  provide(EDITOR, editor)
}

export function useEditor(): Editor {
  const editor = inject(EDITOR)
  if (!editor) throw new Error('a settings panel outside of an editor')
  return editor
}

/** The sentence for a field, or undefined. */
export function useIssues(page: () => string, t: (key: string, values?: Record<string, string | number>) => string): (field: string) => string | undefined {
  const { issues } = useEditor()
  return (field) => {
    const issue = issues.value.find((other) => other.page === page() && other.field === field)
    return issue && t(issue.key, { ...issue.values })
  }
}
