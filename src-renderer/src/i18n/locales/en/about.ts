export const about = {
  title: 'About Vitrine',
  text: 'A desktop virtual machine manager whose virtual machine monitor is its own: x86 is translated to WebAssembly, and everything can be looked into.',
  version: 'Version', runtime: 'Runtime', electron: 'Electron {electron}, Chromium {chrome}, Node {node}, V8 {v8}', platform: 'Platform', licence: 'License', mit: 'MIT',
  shortcuts: {
    groups: { machine: 'Virtual Machine', input: 'Keyboard, Mouse and Screen of the Guest', window: 'Window', library: 'Library', terminal: 'Serial Terminal' },
    release: 'Release Input, Leave Full Screen', passNext: 'Pass the Next Combination to the Guest', nextGrabbed: 'Next Virtual Machine, with the Input', library: 'Show or Hide the Library',
    menus: 'Open a Menu by Its Letter', move: 'Move Up or Down', selectAll: 'Select All Virtual Machines',
  },
}
