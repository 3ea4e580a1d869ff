/**
 * The registry of commands: each is said once, and menus, toolbar, links, context menus and shortcuts are made of it. Features register theirs while they are
 * shown (registerCommands in a component's setup); what is not registered is in no menu.
 */
import { onScopeDispose, shallowReactive } from 'vue'
import type { IconName } from '../ui/icons'
import type { MenuEntry } from '../ui/menu-entries'

export interface Command {
  /** Such as "vm.power-on". */
  readonly id: string
  /** What it is called now, in the window's language. */
  readonly text: () => string
  readonly icon?: IconName
  /** Such as "Ctrl+Shift+P"; by KeyboardEvent.code names without "Key". */
  readonly keys?: string
  readonly enabled?: () => boolean
  /** Of commands that switch something: whether it is on. */
  readonly checked?: () => boolean
  /** Checked ones of a group exclude each other. */
  readonly group?: boolean
  readonly danger?: boolean
  readonly run: () => void
}

const commands = shallowReactive(new Map<string, Command>())

/** Until the scope (component) that calls ends. A later one of the same id stands in for an earlier. */
export function registerCommands(list: readonly Command[]): void {
  for (const command of list) commands.set(command.id, command)
  onScopeDispose(() => {
    for (const command of list) if (commands.get(command.id) === command) commands.delete(command.id)
  })
}

export function findCommand(id: string): Command | undefined {
  return commands.get(id)
}

export function runCommand(id: string): void {
  const command = commands.get(id)
  if (command && (command.enabled?.() ?? true)) command.run()
}

/** Menu entries of commands by id; '-' is a separator; ids that are not registered are left out. */
export function menuOf(ids: readonly (string | MenuEntry)[]): readonly MenuEntry[] {
  return ids.flatMap((id, i): readonly MenuEntry[] => {
    if (typeof id !== 'string') return [id]
    if (id === '-') return [{ kind: 'separator', id: `-${i}` }]
    const command = commands.get(id)
    return command ? [entryOf(command)] : []
  })
}

/** A command as a menu shows it. */
export function entryOf(command: Command): MenuEntry {
  const { id, icon, keys, checked, group, danger, run } = command
  const common = { id, text: command.text(), keys, disabled: !(command.enabled?.() ?? true), run }
  if (checked) return { kind: 'check', ...common, checked: checked(), group: group ?? false }
  return { kind: 'item', ...common, icon, danger: danger ?? false }
}

/** The command that a key press asks for. */
export function commandOf(event: KeyboardEvent): Command | undefined {
  const pressed = keysOf(event)
  for (const command of commands.values()) if (command.keys === pressed) return command
  return undefined
}

/** A key press in the words of `keys`, such as "Ctrl+Alt+Enter". Letters and digits go by the key's place, so that they work in every layout. */
export function keysOf(event: Pick<KeyboardEvent, 'code' | 'ctrlKey' | 'altKey' | 'shiftKey' | 'metaKey'>): string {
  const key = event.code.replace(/^(Key|Digit)/, '').replace(/^Arrow/, '')
  const modifiers = [event.ctrlKey || event.metaKey ? 'Ctrl' : '', event.altKey ? 'Alt' : '', event.shiftKey ? 'Shift' : ''].filter((word) => word !== '')
  return [...modifiers, key].join('+')
}

/** In the order of registration. */
export function allCommands(): readonly Command[] {
  return [...commands.values()]
}
