export const about = {
  title: 'About Vitrine',
  text: 'A desktop virtual machine manager whose virtual machine monitor is its own: x86 is translated to WebAssembly, and everything can be looked into.',
  version: 'Version', runtime: 'Runtime', electron: 'Electron {electron}, Chromium {chrome}, Node {node}, V8 {v8}', platform: 'Platform', licence: 'License', mit: 'MIT',
}
