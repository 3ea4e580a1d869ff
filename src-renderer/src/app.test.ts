// @vitest-environment happy-dom
import { answerWith } from './testing/fake-bridge.fixture'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { expect, it } from 'vitest'
import { i18n } from './i18n'
import App from './App.vue'

it('a window that cannot be loaded says so, with what can be done', async () => {
  answerWith({})
  const app = mount(App, { attachTo: document.body, global: { plugins: [createPinia(), i18n] } })
  await flushPromises()
  expect(app.find('h1').text()).toBe('The window could not be loaded')
  expect(app.find('[role=alert]').text()).toContain('is not answered here')
  expect(app.find('button').text()).toBe('Load Again')
  app.unmount()
})
