// What the app is, for desktops: names, the desktop entry, the file type, icons. One place for the deb and for electron-builder.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../setup/steps.mjs'

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

export const application = {
  id: 'dev.vitrine.Vitrine',
  name: 'Vitrine',
  package: 'vitrine',
  /** The window's program; `vitrine` is the command line. */
  program: 'vitrine-app',
  synopsis: 'Virtual machine manager with a monitor of its own',
  maintainer: 'The Vitrine developers <maintainers@vitrine.invalid>',
}

/** A VM is a folder, and folders have no file type of their own: what stands for it is the vm.json in it, as the .vmx file does elsewhere. */
export const fileType = 'application/x-vitrine-vm+json'

/** Keys of the Desktop Entry Specification 1.5. The class of Electron's windows is the app's name. */
export const desktopEntry = {
  Type: 'Application',
  Name: application.name,
  GenericName: 'Virtual Machine Manager',
  'GenericName[zh_CN]': '虚拟机管理器',
  Comment: 'Create and run virtual machines, and see inside them',
  'Comment[zh_CN]': '创建和运行虚拟机,并查看其内部',
  Icon: application.program,
  Terminal: 'false',
  Categories: 'System;Emulator;',
  Keywords: 'virtual machine;VM;emulator;x86;',
  'Keywords[zh_CN]': '虚拟机;模拟器;',
  MimeType: `${fileType};`,
  StartupWMClass: application.name,
  StartupNotify: 'true',
}

export function desktopFile(program) {
  const lines = Object.entries({ ...desktopEntry, Exec: `${program} %f`, TryExec: program }).map(([key, value]) => `${key}=${value}`)
  return `[Desktop Entry]\n${lines.join('\n')}\n`
}

/** Shared MIME-info: a name that no pattern with a wildcard outdoes, and a text file for programs that do not know it. */
export const mimeInfo = `<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="${fileType}">
    <comment>Vitrine virtual machine</comment>
    <comment xml:lang="zh_CN">Vitrine 虚拟机</comment>
    <sub-class-of type="application/json"/>
    <generic-icon name="${application.program}"/>
    <glob pattern="vm.json" weight="60"/>
  </mime-type>
</mime-info>
`
