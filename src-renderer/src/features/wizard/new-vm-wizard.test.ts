// @vitest-environment happy-dom
import { answerWith, asked, CARD, HOST } from '../../testing/fake-bridge.fixture'
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { createPinia } from 'pinia'
import { defineComponent, h } from 'vue'
import type { MediaDescription } from '../../../../src-main/ipc/contract'
import { i18n, setLocale } from '../../i18n'
import NewVmWizard from './NewVmWizard.vue'

const ISO: MediaDescription = {
  path: '/isos/debian.iso', kind: 'iso', bytes: 1, system: 'Debian GNU/Linux', version: '12.5.0', family: 'linux', bits: 64, firmware: ['bios'], why: [{ sign: 'volume-label', value: 'Debian 12.5.0 amd64 n' }],
  suggestion: { name: 'Debian 12.5.0', memoryMiB: 1024, diskMiB: 20_480 },
}
const KERNEL: MediaDescription = { path: '/boot/linux', kind: 'linux-kernel', bytes: 1, system: 'Linux', version: '6.1', family: 'linux', bits: 64, why: [], suggestion: { name: 'Linux', memoryMiB: 1024, diskMiB: 0 } }

let shown: VueWrapper | undefined
let created: unknown[][] = []
let closed = 0
afterEach(() => {
  clear()
  setLocale('en')
})

function clear(): void {
  shown?.unmount()
  document.body.innerHTML = ''
}

async function open(media?: MediaDescription, more: Parameters<typeof answerWith>[0] = {}): Promise<void> {
  created = []
  clear()
  closed = 0
  answerWith({
    'host.describe': () => HOST, 'library.contents': () => ({ machines: [], folders: [], recent: [], location: '/home/me/Virtual Machines', problems: [] }), 'library.check-name': () => undefined, 'library.create': () => ({ ok: true, value: CARD }),
    'files.choose': ({ purpose }) => ({ iso: ISO.path, kernel: KERNEL.path, folder: '/other' })[purpose as string], 'files.describe': ({ path }) => ({ ok: true, value: path === ISO.path ? ISO : KERNEL }), ...more,
  })
  const Host = defineComponent({ render: () => h(NewVmWizard, { media, onClose: () => closed++, onCreated: (...args: unknown[]) => created.push(args) }) })
  shown = mount(Host, { attachTo: document.body, global: { plugins: [createPinia(), i18n] } })
  await flushPromises()
}

const all = (selector: string): HTMLElement[] => [...document.body.querySelectorAll<HTMLElement>(selector)]
const button = (text: string): HTMLButtonElement => all('button').find((one) => one.textContent?.trim() === text || one.getAttribute('aria-label') === text) as HTMLButtonElement
const control = (label: string): HTMLInputElement => document.getElementById(all('label').find((one) => one.textContent?.trim() === label)?.getAttribute('for') ?? '') as HTMLInputElement
const title = (): string => document.body.querySelector('h3')?.textContent ?? ''
const said = (): string => document.body.textContent ?? ''
async function click(target: HTMLElement): Promise<void> {
  target.click()
  await flushPromises()
}
const next = (): Promise<void> => click(button('Next >') ?? button('Finish'))

describe('the New Virtual Machine wizard', () => {
  it('makes a VM of an installer disc in five pages', async () => {
    await open()
    await next()
    await next()
    expect(said()).toContain('Choose an installer disc image.')
    await click(button('ISO image file: browse'))
    expect(said()).toContain('Debian GNU/Linux 12.5.0 64-bit detected.')
    expect(said()).toContain('Debian 12.5.0 amd64 n')
    await next()
    expect(title()).toBe('Name the Virtual Machine')
    expect(control('Virtual machine name').value).toBe('Debian 12.5.0')
    await next()
    await next()
    expect(title()).toBe('Ready to Create Virtual Machine')
    expect(said()).toContain('/home/me/Virtual Machines')
    await next()
    expect(asked.find(({ name }) => name === 'library.create')?.input).toMatchObject({ name: 'Debian 12.5.0', newDisks: [{ file: 'disk.img', bytes: 20 * 1024 ** 3 }], hardware: { cdroms: [{ file: ISO.path }] } })
    expect([created, closed]).toEqual([[[CARD, true]], 1])
  })

  it('begins with the answers of a dropped file, and goes back', async () => {
    await open(KERNEL)
    expect(title()).toBe('Direct Kernel Boot')
    expect(said()).toContain('Linux kernel 6.1, 64-bit.')
    await next()
    expect(control('Virtual machine name').value).toBe('Linux')
    await click(button('< Back'))
    await click(button('< Back'))
    expect(title()).toBe('Guest Operating System Installation')
  })

  it('asks the library about the name, and keeps what it refuses', async () => {
    await open(ISO, { 'library.check-name': ({ name }) => (name === 'Debian 12.5.0' ? { code: 'vm/exists', id: 'name-taken', values: { name, other: '/vms/x' }, message: '', remedy: '' } : undefined) })
    await next()
    await next()
    expect(said()).toContain('the library has a virtual machine of this name, at /vms/x')
    const name = control('Virtual machine name')
    name.value = 'Other'
    name.dispatchEvent(new Event('input'))
    await next()
    expect(title()).toBe('Specify Disk Capacity')
  })

  it('shows why a VM could not be made, and stays', async () => {
    await open(KERNEL, { 'library.create': () => ({ ok: false, problem: { code: 'file/disk-full', id: 'disk-full', values: { file: '/vms' }, message: '', remedy: '' } }) })
    await next()
    await next()
    await next()
    expect(said()).toContain('/vms cannot be written: the disk is full.')
    expect([created, closed]).toEqual([[], 0])
  })

  it('lets the hardware be customized, and has it in the request', async () => {
    await open(ISO)
    for (let i = 0; i < 3; i++) await next()
    await click(button('Customize Hardware…'))
    await click(document.body.querySelector('[data-page="cdrom-0"]') as HTMLElement)
    await click(button('Remove'))
    await click(button('Close'))
    await next()
    expect(asked.find(({ name }) => name === 'library.create')?.input).toMatchObject({ newDisks: [{ file: 'disk.img' }], hardware: { cdroms: [] } })
  })

  it('goes through all pages of Custom, in Chinese too', async () => {
    setLocale('zh-CN')
    await open()
    await click(all('input[type=radio][value=custom]')[0] as HTMLElement)
    const titles: string[] = []
    for (let i = 0; i < 20 && title() !== '已准备好创建虚拟机'; i++) {
      if (title() === '安装客户机操作系统') await click(all('input[type=radio][value=later]')[0] as HTMLElement)
      if (title() === '命名虚拟机') {
        const name = control('虚拟机名称')
        name.value = '测试'
        name.dispatchEvent(new Event('input'))
      }
      titles.push(title())
      await click(button('下一步 >'))
    }
    expect(titles).toHaveLength(12)
    expect(said()).toContain('测试')
  })
})
