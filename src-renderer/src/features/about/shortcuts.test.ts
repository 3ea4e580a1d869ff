// @vitest-environment happy-dom
import { CARD } from '../../testing/fake-bridge.fixture'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { ref } from 'vue'
import { i18n } from '../../i18n'
import { consoleCommands } from '../console/console-commands'
import { vmCommands } from '../power/vm-commands'
import { appCommands } from '../shell/app-commands'
import { SHORTCUTS } from './shortcuts'

beforeEach(() => setActivePinia(createPinia()))

describe('the overview of shortcuts', () => {
  it('has the keys of every command, by the command\'s own name', () => {
    const input = { grab: () => undefined, release: () => undefined, tap: () => undefined }
    const commands = [...appCommands(), ...vmCommands(() => CARD), ...consoleCommands({ vm: () => CARD, input, usable: () => true, selecting: ref(false), fitWindow: () => undefined })]
    const rows = new Map(SHORTCUTS.filter(({ id }) => id !== 'terminal').flatMap((group) => group.rows).flatMap(([keys, text]) => keys.map((key) => [key, text])))
    const { t } = i18n.global
    for (const { id, keys, text } of commands) {
      if (keys === undefined) continue
      expect([...rows.keys()], id).toContain(keys)
      // F9 switches, and its command is called after what it shows.
      if (id !== 'view.library') expect(t(rows.get(keys) ?? ''), id).toBe(text())
    }
  })

  it('has nothing twice in a group', () => {
    for (const { id, rows } of SHORTCUTS) {
      const keys = rows.flatMap(([names]) => names)
      expect(new Set(keys).size, id).toBe(keys.length)
    }
  })
})
