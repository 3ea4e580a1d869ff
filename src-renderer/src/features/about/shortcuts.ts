/** All keys that the window has, for the overview: most are those of commands, which are registered only while what they act on is shown. */

export interface ShortcutGroup {
  /** Of the catalogue: about.shortcuts.<id>. */
  readonly id: 'window' | 'machine' | 'input' | 'library' | 'terminal'
  /** Keys that do the same, and the text that says what. */
  readonly rows: readonly (readonly [keys: readonly string[], text: string])[]
}

export const SHORTCUTS: readonly ShortcutGroup[] = [
  {
    id: 'machine',
    rows: [
      [['Ctrl+B'], 'power.commands.powerOn'], [['Ctrl+E'], 'power.commands.powerOff'], [['Ctrl+J'], 'power.commands.suspend'], [['Ctrl+R'], 'power.commands.reset'], [['Ctrl+Shift+P'], 'power.commands.pause'],
      [['Ctrl+D'], 'shell.vm.settings'], [['F2'], 'library.rename'], [['Ctrl+V'], 'console.paste'], [['Ctrl+Alt+PrintScreen'], 'console.capture'], [['Ctrl+Alt+Insert'], 'console.ctrlAltDelete'],
    ],
  },
  {
    id: 'input',
    rows: [
      [['Ctrl+G'], 'console.grab'], [['Ctrl+Alt'], 'about.shortcuts.release'], [['Ctrl+Alt+Space'], 'about.shortcuts.passNext'], [['Ctrl+Alt+Enter', 'F11'], 'shell.view.fullScreen'],
      [['Ctrl+Alt+Tab'], 'about.shortcuts.nextGrabbed'], [['Ctrl+Alt+Right'], 'shell.tabs.nextVm'], [['Ctrl+Alt+Left'], 'shell.tabs.previousVm'],
    ],
  },
  {
    id: 'window',
    rows: [
      [['Ctrl+N'], 'shell.file.newVm'], [['Ctrl+O'], 'shell.file.open'], [['Ctrl+W'], 'shell.file.closeTab'], [['Ctrl+Q'], 'shell.file.exit'], [['Ctrl+P'], 'shell.edit.preferences'], [['F9'], 'about.shortcuts.library'],
      [['Ctrl+Tab'], 'shell.tabs.next'], [['Ctrl+Shift+Tab'], 'shell.tabs.previous'], [['F10', 'Alt'], 'shell.menubar'], [['Alt+F', 'Alt+E', 'Alt+V', 'Alt+M', 'Alt+T', 'Alt+H'], 'about.shortcuts.menus'], [['F1'], 'shell.help.shortcuts'],
    ],
  },
  {
    id: 'library',
    rows: [
      [['Alt+Up', 'Alt+Down'], 'about.shortcuts.move'], [['F2'], 'library.rename'], [['Delete'], 'library.remove'], [['Ctrl+A'], 'about.shortcuts.selectAll'],
    ],
  },
  {
    id: 'terminal',
    rows: [[['Ctrl+Shift+C'], 'serial.copy'], [['Ctrl+Shift+V'], 'serial.paste'], [['Ctrl+='], 'serial.larger'], [['Ctrl+-'], 'serial.smaller']],
  },
]
