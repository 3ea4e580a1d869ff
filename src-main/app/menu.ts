/** The window's menu. Its words and shortcuts are those that users of desktop VM managers know. */
import { Menu, type MenuItemConstructorOptions } from 'electron'
import type { MenuChoice, VmState } from '../ipc/contract'
import type { VmIntent } from '../vmm'

export interface MenuActions {
  act(intent: VmIntent): void
  choose(choice: MenuChoice): void
  about(): void
}

export function buildMenu(state: VmState['type'], actions: MenuActions): Menu {
  const power = (label: string, intent: VmIntent, enabledIn: readonly VmState['type'][], accelerator?: string): MenuItemConstructorOptions => ({
    label,
    enabled: enabledIn.includes(state),
    click: () => actions.act(intent),
    ...(accelerator === undefined ? {} : { accelerator }),
  })
  const choice = (label: string, what: MenuChoice, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    click: () => actions.choose(what),
    ...(accelerator === undefined ? {} : { accelerator }),
  })
  return Menu.buildFromTemplate([
    { label: '&File', submenu: [{ label: 'E&xit', role: 'quit' }] },
    {
      label: '&View',
      submenu: [
        choice('&Serial Console', 'toggle-serial-console'),
        choice('&Translator', 'toggle-translator'),
        choice('Stretch &Guest', 'toggle-stretch'),
        { type: 'separator' },
        { label: '&Full Screen', role: 'togglefullscreen', accelerator: 'F11' },
      ],
    },
    {
      label: 'V&M',
      submenu: [
        {
          label: '&Power',
          submenu: [
            power('Power &On', 'power-on', ['stopped', 'failed'], 'Ctrl+B'),
            power('Power O&ff', 'power-off', ['starting', 'running', 'paused'], 'Ctrl+E'),
            { type: 'separator' },
            state === 'paused' ? power('&Resume', 'resume', ['paused'], 'Ctrl+Shift+P') : power('&Pause', 'pause', ['running'], 'Ctrl+Shift+P'),
            power('R&eset', 'reset', ['running', 'paused'], 'Ctrl+R'),
            { type: 'separator' },
            power('Shut &Down Guest', 'shut-down-guest', ['running']),
          ],
        },
        { type: 'separator' },
        choice('&Grab Input', 'grab-input', 'Ctrl+G'),
        choice('Send Ctrl+Alt+&Del', 'send-ctrl-alt-delete', 'Ctrl+Alt+Insert'),
      ],
    },
    { label: '&Help', submenu: [{ label: '&About Vitrine', click: () => actions.about() }] },
  ])
}
