// @vitest-environment happy-dom
import { answerWith, asked, CARD, HOST, tell, VM_JSON } from '../../testing/fake-bridge.fixture'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPinia, setActivePinia } from 'pinia'
import type { LibraryDto, MediaDescription } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import { useDialogsStore } from '../../stores/dialogs'
import { useLibraryStore } from '../../stores/library'
import { useMessagesStore } from '../../stores/messages'
import { cdromEntries } from '../power/cdrom-menu'
import { openDropped } from './app-commands'
import DialogHost from './DialogHost.vue'

const ISO: MediaDescription = { path: '/isos/debian.iso', kind: 'iso', bytes: 1, why: [] }
const WITH_DRIVE = { ...CARD, devices: [{ kind: 'cdrom' as const, index: 0, file: 'debian.iso', connected: true }] }
const CONTENTS: LibraryDto = { machines: [WITH_DRIVE], folders: [], recent: [], location: '/vms', problems: [] }
const LOCKED = { code: 'vm/refused' as const, id: 'cdrom-locked', values: { name: 'Debian' }, message: '', remedy: '' }

let shown: VueWrapper
beforeEach(async () => {
  const pinia = createPinia()
  setActivePinia(pinia)
  answer()
  await useLibraryStore().load()
  shown = mount(DialogHost, { attachTo: document.body, global: { plugins: [pinia, i18n] } })
})
afterEach(() => {
  shown.unmount()
  document.body.innerHTML = ''
})

function answer(more: Parameters<typeof answerWith>[0] = {}): void {
  answerWith({ 'library.contents': () => CONTENTS, 'host.describe': () => HOST, 'vm.settings': () => ({ ok: true, value: VM_JSON }), 'files.describe': () => ({ ok: true, value: ISO }), 'app.quit': () => undefined, ...more })
}

const dialogs = (): HTMLElement[] => [...document.body.querySelectorAll<HTMLElement>('[role=dialog]')]
const titles = (): (string | undefined)[] => dialogs().map((dialog) => dialog.querySelector('.title')?.textContent ?? undefined)
const button = (text: string): HTMLButtonElement => [...(dialogs().at(-1)?.querySelectorAll('button') ?? [])].find((one) => one.textContent?.trim() === text) as HTMLButtonElement
const settle = async (): Promise<void> => {
  await flushPromises()
  await new Promise((resolve) => setTimeout(resolve, 10))
}
/** Large dialogs are chunks of their own, which come when they are wanted. */
async function shows(...wanted: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(titles()).toEqual(wanted), { timeout: 10_000 })
}
async function click(target: HTMLElement): Promise<void> {
  target.click()
  await settle()
}
const overlay = (n: number): number => Number((document.body.querySelectorAll<HTMLElement>('.ui-overlay')[n] as HTMLElement).style.zIndex)

describe('dialogs', () => {
  it('stand over each other: a question leaves the answers below, and gives the keys back', async () => {
    useDialogsStore().open({ kind: 'name', what: 'rename-vm', id: 'id', name: 'Debian' })
    await settle()
    const input = document.body.querySelector('input') as HTMLInputElement
    input.value = 'Half a na'
    input.dispatchEvent(new Event('input'))
    input.focus()
    useDialogsStore().open({ kind: 'quit', running: ['id'], quitting: true })
    await settle()
    expect(titles()).toEqual(['Rename Virtual Machine', 'Quit Vitrine'])
    expect(dialogs()[1]?.contains(document.activeElement)).toBe(true)
    expect(overlay(1)).toBeGreaterThan(Number(dialogs()[0]?.style.zIndex))
    // The last window is asked to close once more: one question.
    useDialogsStore().open({ kind: 'quit', running: ['id'], quitting: false })
    await settle()
    expect(titles()).toEqual(['Rename Virtual Machine', 'Close Vitrine'])
    await click(button('Cancel'))
    expect(titles()).toEqual(['Rename Virtual Machine'])
    expect([input.value, document.activeElement === input]).toEqual(['Half a na', true])
  })

  it('end themselves, not what was opened over them', async () => {
    let finish: (() => void) | undefined
    answer({ 'library.rename': async () => new Promise((resolve) => (finish = () => resolve({ ok: true, value: CARD }))) })
    useDialogsStore().open({ kind: 'name', what: 'rename-vm', id: 'id', name: 'Debian' })
    await settle()
    dialogs()[0]?.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
    await settle()
    useDialogsStore().open({ kind: 'quit', running: ['id'], quitting: true })
    await settle()
    finish?.()
    await settle()
    expect(titles()).toEqual(['Quit Vitrine'])
  })

  it('go with the VM that they are about, and leave the keys to the window', async () => {
    useDialogsStore().open({ kind: 'settings', vm: 'id' })
    await shows('Virtual Machine Settings - Debian')
    tell('library.changed', { ...CONTENTS, machines: [] })
    await settle()
    expect([titles(), useDialogsStore().current]).toEqual([[], undefined])
  })

  it('a dropped file does not take the place of a wizard with answers', async () => {
    await openDropped([ISO.path])
    await shows('New Virtual Machine Wizard')
    await openDropped([ISO.path])
    await settle()
    expect(titles()).toEqual(['New Virtual Machine Wizard'])
    expect(useMessagesStore().toasts.map(({ text }) => text)).toEqual(['Finish or cancel the new virtual machine first, then drop the file again.'])
    await click(button('Cancel'))
    useDialogsStore().open({ kind: 'preferences' })
    await shows('Preferences')
    await openDropped([ISO.path])
    await shows('Preferences', 'New Virtual Machine Wizard')
  })
})

describe('Removable Devices', () => {
  it('asks about a disc that the guest keeps locked in, and takes it out when told to', async () => {
    answer({ 'vm.set-cdrom': ({ force }) => (force === true ? { ok: true, value: WITH_DRIVE } : { ok: false, problem: LOCKED }) })
    const disconnect = cdromEntries(WITH_DRIVE, 0).find(({ id }) => id === 'cdrom-0-disconnect')
    if (disconnect?.kind !== 'item') throw new Error('there is no such entry')
    const asks = (): unknown[] => asked.filter(({ name }) => name === 'vm.set-cdrom').map(({ input }) => input)
    disconnect.run()
    await settle()
    expect(dialogs()[0]?.textContent).toContain('The guest of Debian uses the disc in the CD drive and keeps it locked in.')
    await click(button('Cancel'))
    expect(asks()).toHaveLength(1)
    disconnect.run()
    await settle()
    await click(button('Take It Out Anyway'))
    expect(asks().at(-1)).toEqual({ vm: 'id', index: 0, file: 'debian.iso', connected: false, force: true })
    expect([titles(), useMessagesStore().toasts]).toEqual([[], []])
  })

  it('tells what else goes wrong', async () => {
    answer({ 'vm.set-cdrom': () => ({ ok: false, problem: { ...LOCKED, id: 'not-answering' } }) })
    const entry = cdromEntries(WITH_DRIVE, 0).find(({ id }) => id === 'cdrom-0-disconnect')
    if (entry?.kind === 'item') entry.run()
    await settle()
    expect(useMessagesStore().toasts).toHaveLength(1)
    expect(titles()).toEqual([])
  })
})
