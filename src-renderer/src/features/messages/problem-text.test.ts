// @vitest-environment happy-dom
import '../../testing/fake-bridge.fixture'
import { mount } from '@vue/test-utils'
import { afterEach, describe, expect, it } from 'vitest'
import { i18n, setLocale } from '../../i18n'
import { numberText } from '../../ui/format'
import { expected, expectedValues } from '../../../../src-main/vmm/manager/library/vm-json/expected'
import ProblemText from './ProblemText.vue'

afterEach(() => setLocale('en'))

/** A value in vm.json that is not as expected. */
function said(key: string, value: string, wanted: string, more: Readonly<Record<string, string>> = {}): string {
  const values = { ...expectedValues(wanted), file: 'vm.json', key, value, ...more }
  return mount(ProblemText, { props: { problem: { code: 'vm-json/broken', id: 'vm-json-wrong', values, message: '', remedy: '' } }, global: { plugins: [i18n] } }).find('span > span').text()
}
const WHOLE = expected('whole', { low: 2, high: 3840 })

describe('a problem', () => {
  it('is said in the window\'s language, with what is expected', () => {
    expect(said('hardware.memoryMiB', '1', WHOLE)).toBe('vm.json: hardware.memoryMiB is 1; expected a whole number from 2 to 3840.')
    expect(said('hardware', 'null', expected('object', { braces: '{ ... }' }))).toBe('vm.json: hardware is null; expected an object { ... }.')
    setLocale('zh-CN')
    expect(said('hardware.memoryMiB', '1', WHOLE)).toBe('vm.json：hardware.memoryMiB 的值为 1，应为：2 到 3840 之间的整数。')
    expect(said('hardware.engine', '"kvm"', expected('one-of', { words: '"interpreter", "translator", "lockstep"' }))).toBe('vm.json：hardware.engine 的值为 "kvm"，应为："interpreter", "translator", "lockstep" 之一。')
    expect(said('name', 'missing', expected('name', { most: 80 }), { valueId: 'missing' })).toBe('vm.json：name 的值为 （缺失），应为：一行 1 到 80 个字符，首尾不含空格。')
  })

  it('of another version is said as it came', () => {
    const problem = { code: 'x', id: 'from-the-future', values: {}, message: 'The flux is low.', remedy: 'Wait.' }
    expect(mount(ProblemText, { props: { problem }, global: { plugins: [i18n] } }).text()).toBe('The flux is low. Wait.')
  })
})

describe('numbers', () => {
  it('are grouped as the chosen language does, whatever the system\'s', () => {
    expect(numberText(1234567)).toBe('1,234,567')
    setLocale('zh-CN')
    expect(numberText(1234567)).toBe('1,234,567')
  })
})
