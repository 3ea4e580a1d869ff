/** Which dialog is open. One at a time: each is modal. */
import { ref } from 'vue'
import { defineStore } from 'pinia'
import type { MediaDescription, VmCard } from '../../../src-main/ipc/contract'

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
  | { readonly kind: 'name'; readonly what: 'new-folder' | 'rename-folder' | 'rename-vm'; readonly id?: string; readonly name: string }
  | { readonly kind: 'copied-or-moved'; readonly path: string }

export const useDialogsStore = defineStore('dialogs', () => {
  const current = ref<OpenDialog>()
  function open(dialog: OpenDialog): void {
    current.value = dialog
  }
  function close(): void {
    current.value = undefined
  }
  return { current, open, close }
})
