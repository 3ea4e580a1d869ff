// @vitest-environment happy-dom
import { answerWith, asked, CARD, tell } from '../../testing/fake-bridge.fixture'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import type { PowerState, VmCard } from '../../../../src-main/ipc/contract'
import { i18n } from '../../i18n'
import { registerCommands } from '../../stores/commands'
import { useLibraryStore } from '../../stores/library'
import { vmCommands } from '../power/vm-commands'
import { powerBadge, powerText } from '../power/power-state'
import { isOn, isOnAnywhere } from '../power/power-rules'
import ElsewhereView from './ElsewhereView.vue'

const at = (state?: 'running' | 'paused'): VmCard => ({ ...CARD, power: { type: 'in-use', program: 'vitrine start', pid: 77, host: 'box', ...(state ? { state } : {}) } })
let scope: EffectScope
let shown: ReturnType<typeof mount> | undefined
beforeEach(() => {
  setActivePinia(createPinia())
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  shown?.unmount()
  document.body.innerHTML = ''
})

async function show(vm: VmCard): Promise<void> {
  answerWith({ 'vm.picture': () => undefined, 'vm.power': () => ({ ok: true, value: undefined }), 'vm.send-keys': () => ({ ok: true, value: undefined }), 'library.contents': () => ({ machines: [vm], folders: [], recent: [], location: '/', problems: [] }) })
  const library = useLibraryStore()
  await library.load()
  scope.run(() => registerCommands(vmCommands(() => library.vm(CARD.id))))
  shown = mount(ElsewhereView, { props: { vm }, attachTo: document.body, global: { plugins: [i18n] } })
  await flushPromises()
}
const button = (text: string): HTMLButtonElement => [...document.body.querySelectorAll('button')].find((one) => one.textContent?.trim() === text) as HTMLButtonElement
const powers = (): unknown[] => asked.filter(({ name }) => name === 'vm.power').map(({ input }) => (input as { action: string }).action)

describe('a VM that another process runs', () => {
  it('says who runs it, and does what can be done there', async () => {
    await show(at('running'))
    expect(document.body.textContent).toContain('Another process runs this virtual machine: vitrine start (process 77 on box).')
    button('Pause').click()
    button('Shut Down Guest').click()
    button('Send Ctrl+Alt+Del').click()
    await flushPromises()
    expect(powers()).toEqual(['pause', 'shut-down-guest'])
    expect(asked.at(-1)).toEqual({ name: 'vm.send-keys', input: { vm: 'id', keys: 'ctrl-alt-delete' } })
  })

  it('goes on in this window: it is suspended there, and resumed when it is free', async () => {
    await show(at('running'))
    button('Continue in This Window').click()
    await flushPromises()
    expect(powers()).toEqual(['suspend'])
    tell('vm.changed', { ...CARD, power: { type: 'suspended' } })
    await flushPromises()
    expect(powers()).toEqual(['suspend', 'power-on'])
  })

  it('that does not answer says so, and offers nothing', async () => {
    await show(at())
    expect(document.body.textContent).toContain('That process does not answer')
    expect(document.body.querySelectorAll('button')).toHaveLength(0)
  })

  it('shows its state wherever it is listed', () => {
    const { power } = at('paused')
    expect([powerText(power), powerBadge(power), isOn(at('paused')), isOnAnywhere(at('paused'))]).toEqual(['Paused (vitrine start)', 'suspend', false, true])
    const silent: PowerState = at().power
    expect([powerText(silent), powerBadge(silent)]).toEqual(['In use by vitrine start', 'lock'])
  })
})
