/** Which dialogs are open: each is modal over those that were open before it, which keep their answers. */
import { computed, inject, provide, ref, type InjectionKey } from 'vue'
import { defineStore } from 'pinia'
import type { MediaDescription, ProblemDto, VmCard } from '../../../src-main/ipc/contract'

export type OpenDialog =
  /** `media`: what was dropped, with which its answers begin. `folder`: of the library. */
  | { readonly kind: 'new-vm'; readonly media?: MediaDescription; readonly folder?: string }
  | { readonly kind: 'settings'; readonly vm: string; readonly page?: string }
  | { readonly kind: 'preferences' }
  | { readonly kind: 'about' }
  | { readonly kind: 'messages' }
  | { readonly kind: 'shortcuts' }
  | { readonly kind: 'send-keys' }
  | { readonly kind: 'close-tab'; readonly vm: string }
  | { readonly kind: 'quit'; readonly running: readonly string[]; readonly quitting: boolean }
  | { readonly kind: 'delete'; readonly vms: readonly VmCard[] }
  | { readonly kind: 'confirm'; readonly question: 'power-off' | 'reset'; readonly vms: readonly VmCard[] }
  /** The guest keeps a disc locked in. `force`: takes it out all the same. */
  | { readonly kind: 'locked-disc'; readonly problem: ProblemDto; readonly force: () => void }
  | { readonly kind: 'name'; readonly what: 'new-folder' | 'rename-folder' | 'rename-vm'; readonly id?: string; readonly name: string }
  | { readonly kind: 'copied-or-moved'; readonly path: string }

export interface StackedDialog {
  readonly number: number
  readonly dialog: OpenDialog
}

export const useDialogsStore = defineStore('dialogs', () => {
  const stack = ref<readonly StackedDialog[]>([])
  let opened = 0
  /** The one that has the keys. */
  const current = computed(() => stack.value.at(-1)?.dialog)

  /** Over what is open. A question that is asked again takes the place of the one that waits for its answer. */
  function open(dialog: OpenDialog): void {
    const others = dialog.kind === 'quit' ? stack.value.filter((other) => other.dialog.kind !== 'quit') : stack.value
    stack.value = [...others, { number: opened++, dialog }]
  }

  function close(number: number): void {
    stack.value = stack.value.filter((other) => other.number !== number)
  }

  const isOpen = (kind: OpenDialog['kind']): boolean => stack.value.some(({ dialog }) => dialog.kind === kind)

  return { stack, current, open, close, isOpen }
})

const CLOSE: InjectionKey<() => void> = Symbol('close')

/** By whoever shows the dialogs, around each. */
export function provideOwnDialog(close: () => void): void {
  provide(CLOSE, close)
}

/** For the component that a dialog is made of: `close` ends it, and no other that has been opened over it since. */
export function useOwnDialog(): { readonly close: () => void } {
  return { close: inject(CLOSE, () => undefined) }
}
