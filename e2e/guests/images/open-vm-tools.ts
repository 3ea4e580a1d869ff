/** Debian's open-vm-tools with what they need, as files for a busybox guest. Nothing is installed: packages are unpacked. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { librariesOf, real } from './busybox-guest'
import { cached, sourceOf, tool } from './cache'

const PROGRAMS = ['/usr/bin/vmtoolsd', '/usr/bin/vmware-checkvm', '/usr/bin/vmware-rpctool', '/usr/bin/vmware-toolbox-cmd']
const PLUGINS = '/usr/lib/x86_64-linux-gnu/open-vm-tools/plugins/vmsvc'
/** The others concern snapshots, customizing and screens, and want more of a system. */
const WANTED_PLUGINS = ['libguestInfo.so', 'libpowerOps.so']
const SCRIPTS = '/etc/vmware-tools'

function tree(): string {
  return cached('open-vm-tools-amd64.tree', [sourceOf(import.meta.url)], (_scratch, target) => {
    tool('mmdebstrap', ['--mode=root', '--variant=extract', '--architectures=amd64', '--include=open-vm-tools', '--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*', 'bookworm', target])
  })
}

/** Path in the guest, and contents. amd64. */
export function openVmTools(): Readonly<Record<string, Uint8Array | string>> {
  const root = tree()
  const plugins = WANTED_PLUGINS.map((name) => `${PLUGINS}/${name}`)
  const scripts = readdirSync(join(root, SCRIPTS), { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => `${SCRIPTS}/${name}`)
  const files = new Set([...PROGRAMS, ...plugins, ...scripts])
  for (const program of [...PROGRAMS, ...plugins]) for (const library of librariesOf(root, program)) files.add(library)
  return {
    ...Object.fromEntries([...files].map((path) => [path, readFileSync(real(root, path))])),
    '/etc/passwd': 'root:x:0:0:root:/:/bin/sh\n',
    '/etc/group': 'root:x:0:\n',
    // The tools call it; busybox has only what it is for.
    '/sbin/shutdown': '#!/bin/busybox sh\necho "tools shut down: $*"\ncase $1 in -r) reboot -f;; *) poweroff -f;; esac\n',
  }
}
