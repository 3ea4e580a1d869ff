// The app's folder: Electron with the app in it. Everything else is made of this folder.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../setup/steps.mjs'
import { application, desktopEntry, fileType, manifest } from './application.mjs'

/** What worker threads and the command line read: they do not see into Electron's archive. */
const UNPACKED = ['out/core/**', 'out/main/**', 'out/cli/**', 'resources/**', 'package.json']

/** For which tools/build-cli.mjs bundles. */
const OLDEST_NODE = 18

/** The configuration of electron-builder for this Electron, with its results in `output`. */
export function configuration(electron, output) {
  const electronVersion = versionOf(electron)
  return {
    appId: application.id,
    productName: application.name,
    copyright: `Licence: ${manifest.license}`,
    electronVersion,
    electronDist: dirname(electron),
    npmRebuild: false,
    publish: null,
    directories: { output, buildResources: join(root, 'resources', 'icons') },
    // Everything is bundled: no module of node_modules goes along.
    files: [
      'package.json', 'LICENSE', 'out/main/**', 'out/preload/**', 'out/renderer/**', 'out/core/**', 'out/cli/**',
      'resources/icons/vitrine.png', 'resources/fonts/*.bin', 'resources/demo-guest/**', '!**/*.map', '!resources/**/README.md', '!node_modules/**',
    ],
    extraFiles: [{ from: join(root, 'src-main', 'vmm', 'docs', 'vm-json.md'), to: 'vm-json.md' }],
    asar: true,
    asarUnpack: UNPACKED,
    electronFuses: {
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      // Electron 25 has no such fuse: asked for where it is there.
      ...(Number(electronVersion.split('.')[0]) >= 29 ? { grantFileProtocolExtraPrivileges: false } : {}),
    },
    // The fallback runtime brings a loader of its own, and where its first owner looked for updates.
    afterExtract: ({ appOutDir }) => {
      for (const name of ['app', 'app-update.yml']) rmSync(join(appOutDir, 'resources', name), { recursive: true, force: true })
    },
    afterPack: ({ appOutDir }) => writeCommand(appOutDir),
    linux: {
      category: 'System;Emulator',
      icon: 'vitrine.png',
      executableName: application.program,
      synopsis: application.synopsis,
      maintainer: application.maintainer,
      mimeTypes: [fileType],
      desktop: { entry: desktopEntry },
    },
  }
}

export function versionOf(electron) {
  return execFileSync(electron, ['-p', 'process.versions.electron'], { encoding: 'utf8', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } }).trim()
}

/** Makes `output`/linux-unpacked and answers its path. */
export async function makeFolder(electron, output) {
  // Only now: it is not there before the set-up.
  const { build, Platform } = await import('electron-builder')
  const folder = join(output, 'linux-unpacked')
  rmSync(folder, { recursive: true, force: true })
  await build({ projectDir: root, targets: Platform.LINUX.createTarget(['dir']), config: configuration(electron, output) })
  return folder
}

/** The command line, in plain Node: the app's own program does not run as Node (a fuse). The link in /usr/bin is followed to here. */
function writeCommand(folder) {
  const path = join(folder, 'vitrine')
  const script = `#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
if ! command -v node > /dev/null; then
  echo "vitrine: the command line runs in Node.js ${OLDEST_NODE} or newer, and there is no program 'node'; install Node.js" >&2
  exit 2
fi
exec node "$here/resources/app.asar.unpacked/out/cli/vitrine.mjs" "$@"
`
  writeFileSync(path, script)
  chmodSync(path, 0o755)
}
