// @vitest-environment happy-dom
import { answerWith, asked, CARD, HOST, VM_JSON } from '../../testing/fake-bridge.fixture'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { createPinia } from 'pinia'
import { defineComponent, h } from 'vue'
import type { VmCard } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import SettingsDialog from './SettingsDialog.vue'

let shown: VueWrapper | undefined
let closed = 0
afterEach(clear)

function clear(): void {
  shown?.unmount()
  document.body.innerHTML = ''
}

async function open(card: VmCard = CARD, page?: string, more: Parameters<typeof answerWith>[0] = {}): Promise<void> {
  clear()
  closed = 0
  answerWith({
    'host.describe': () => HOST, 'vm.settings': () => ({ ok: true, value: VM_JSON }), 'vm.check-settings': () => [], 'vm.change-settings': () => ({ ok: true, value: card }), 'vm.add-disk': () => ({ ok: true, value: card }),
    'library.rename': () => ({ ok: true, value: card }), 'vm.set-cdrom': () => ({ ok: true, value: card }),
    'files.describe': ({ path }) => ({ ok: true, value: { path, kind: path.endsWith('iso') ? 'iso' : 'disk', bytes: 8 * 1024 ** 3, why: [] } }), ...more,
  })
  const Host = defineComponent({ render: () => h(SettingsDialog, { vm: card, page, onClose: () => closed++ }) })
  shown = mount(Host, { attachTo: document.body, global: { plugins: [createPinia(), i18n] } })
  await flushPromises()
}

const all = (selector: string): HTMLElement[] => [...document.body.querySelectorAll<HTMLElement>(selector)]
const button = (text: string): HTMLButtonElement => all('button').find((one) => one.textContent?.trim() === text) as HTMLButtonElement
const field = (label: string): HTMLInputElement => document.getElementById(all('label').find((one) => one.textContent?.trim() === label)?.getAttribute('for') ?? '') as HTMLInputElement
async function type(label: string, value: string): Promise<void> {
  field(label).value = value
  field(label).dispatchEvent(new Event('input'))
  await flushPromises()
}
async function click(target: HTMLElement): Promise<void> {
  target.click()
  await flushPromises()
}
const page = (id: string): HTMLElement => document.body.querySelector(`[data-page="${id}"]`) as HTMLElement
const said = (): string => document.body.textContent ?? ''
const requests = (name: string): unknown[] => asked.filter((one) => one.name === name).map(({ input }) => input)

describe('the settings dialog', () => {
  it('lists the devices with their values, and opens at a page', async () => {
    await open(CARD, 'cdrom-0')
    expect(all('[role=option]').map((row) => row.dataset['page'])).toEqual(['memory', 'processors', 'disk-0', 'cdrom-0', 'serial-port-0', 'display', 'firmware', 'boot', 'kernel', 'engine'])
    expect(page('cdrom-0').getAttribute('aria-selected')).toBe('true')
    expect(page('disk-0').textContent).toContain('8 GB')
    expect(said()).toContain('ISO image file')
  })

  it('writes what has changed and nothing else', async () => {
    await open()
    await type('Memory for this virtual machine', '1024')
    await click(button('OK'))
    expect(requests('vm.check-settings')).toEqual([{ vm: 'id', patch: { hardware: { memoryMiB: 1024 } } }])
    expect(requests('vm.change-settings')).toEqual([{ vm: 'id', patch: { hardware: { memoryMiB: 1024 } } }])
    expect(closed).toBe(1)
  })

  it('asks nobody when nothing has changed', async () => {
    await open()
    await click(button('OK'))
    expect([requests('vm.change-settings'), closed]).toEqual([[], 1])
  })

  it('keeps what is wrong from being applied, with the sentence at its page', async () => {
    await open()
    await type('Memory for this virtual machine', '9999')
    await click(page('boot'))
    await click(button('OK'))
    expect(page('memory').getAttribute('aria-selected')).toBe('true')
    expect(said()).toContain('Choose a whole number from 2 to 3840 MB.')
    expect([requests('vm.change-settings'), closed]).toEqual([[], 0])
  })

  it('shows problems that the change would bring, but not those that were there', async () => {
    const old = { code: 'file/missing', id: 'cd-missing', values: { file: '/isos/debian.iso' }, message: '', remedy: '', file: '/isos/debian.iso', key: 'hardware.cdroms[0].file' }
    const fresh = { code: 'hardware/impossible', id: 'memory-more-than-host', values: { memory: 3000, host: 2000 }, message: '', remedy: '', key: 'hardware.memoryMiB' }
    await open({ ...CARD, problems: [old] }, undefined, { 'vm.check-settings': () => [old, fresh] })
    await type('Memory for this virtual machine', '3000')
    await click(button('OK'))
    expect(said()).toContain('The memory of 3000 MiB is more than the 2000 MiB')
    expect(said()).not.toContain('is not there')
    await click(button('Cancel'))
    await click(button('Do Not Save'))
    await open({ ...CARD, problems: [old] }, undefined, { 'vm.check-settings': () => [old] })
    await type('Memory for this virtual machine', '1024')
    await click(button('OK'))
    expect(closed).toBe(1)
  })

  it('asks before changes are thrown away', async () => {
    await open()
    await click(button('Cancel'))
    expect(closed).toBe(1)
    await open()
    await type('Memory for this virtual machine', '1024')
    await click(button('Cancel'))
    expect([closed, said().includes('Save changes?')]).toEqual([0, true])
    await click(button('Do Not Save'))
    expect([closed, requests('vm.change-settings')]).toEqual([1, []])
  })

  it('changes the disc of a running VM at once, and takes a locked one out when told to', async () => {
    const locked = { code: 'vm/refused', id: 'cdrom-locked', values: { name: 'Debian' }, message: '', remedy: '' }
    let first = true
    await open({ ...CARD, power: { type: 'running' } }, 'cdrom-0', {
      'vm.set-cdrom': () => {
        if (!first) return { ok: true, value: CARD }
        first = false
        return { ok: false, problem: locked }
      },
    })
    expect(said()).toContain('take effect at once')
    await click(all('input[type=checkbox]')[0] as HTMLElement)
    await click(button('OK'))
    expect(requests('vm.set-cdrom')).toEqual([{ vm: 'id', index: 0, file: '/isos/debian.iso', connected: false }])
    await click(button('Take It Out Anyway'))
    expect(requests('vm.set-cdrom')[1]).toMatchObject({ force: true })
    expect([closed, requests('vm.change-settings')]).toEqual([1, []])
  })

  it('says what needs a power cycle, and leaves a suspended VM\'s hardware alone', async () => {
    await open({ ...CARD, power: { type: 'running' } })
    expect(said()).toContain('take effect the next time it is powered on')
    await open({ ...CARD, power: { type: 'suspended' } })
    expect(said()).toContain('This virtual machine is suspended')
    expect(field('Memory for this virtual machine').disabled).toBe(true)
    expect(button('Add…').disabled).toBe(true)
  })

  it('searches all settings', async () => {
    await open()
    const search = document.body.querySelector('input[placeholder="Search settings"]') as HTMLInputElement
    search.value = 'triple'
    search.dispatchEvent(new Event('input'))
    await flushPromises()
    expect(all('[role=option]')).toEqual([])
    search.value = 'telnet'
    search.dispatchEvent(new Event('input'))
    await flushPromises()
    search.value = 'paste'
    search.dispatchEvent(new Event('input'))
    await flushPromises()
    expect(all('[role=option]').map((row) => row.dataset['page'])).toEqual(['isolation'])
    await click(page('isolation'))
    expect(said()).toContain('Text from the clipboard can be typed into the guest.')
  })

  it('says why settings cannot be read', async () => {
    await open(CARD, undefined, { 'vm.settings': () => ({ ok: false, problem: { code: 'vm-json/missing', id: 'vm-json-missing', values: { file: '/vms/x/vm.json' }, message: '', remedy: '' } }) })
    expect(said()).toContain('/vms/x/vm.json is not there.')
    expect(button('OK').disabled).toBe(true)
  })
})
