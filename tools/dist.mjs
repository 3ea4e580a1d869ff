// `npm run dist`: packages of the app in dist/, by electron-builder, around the Electron that the set-up found. The folder of the app (dist/linux-unpacked) is
// always made; AppImage and deb need tools that electron-builder fetches, and what cannot be had is said. Arguments name formats: `npm run dist -- dir`.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setup } from './setup.mjs'
import { fail, root, say } from './setup/steps.mjs'

const FORMATS = ['dir', 'AppImage', 'deb']
const asked = process.argv.slice(2)
for (const format of asked) if (!FORMATS.includes(format)) fail(`dist: ${format}: not a format; there are ${FORMATS.join(', ')}`)

const { electron } = await setup('start')
if (!electron) fail('dist: no Electron runtime could be had, and a package is made around one; connect to the internet and run the command again')
// Only now: it is not there before the set-up.
const { build, Platform } = await import('electron-builder')

const electronVersion = execFileSync(electron, ['-p', 'process.versions.electron'], { encoding: 'utf8', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } }).trim()
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const unpacked = join(root, 'dist', 'linux-unpacked')

const config = {
  appId: 'dev.vitrine.Vitrine',
  productName: 'Vitrine',
  copyright: `Licence: ${manifest.license}`,
  electronVersion,
  electronDist: dirname(electron),
  npmRebuild: false,
  publish: null,
  directories: { output: 'dist', buildResources: 'resources/icons' },
  // Everything is bundled: no module of node_modules goes along.
  files: ['package.json', 'LICENSE', 'out/main/**', 'out/preload/**', 'out/renderer/**', 'out/core/**', 'resources/icons/vitrine.png', '!**/*.map', '!node_modules/**'],
  asar: true,
  // Worker threads read their script and the WebAssembly modules without Electron's view of archives.
  asarUnpack: ['out/core/**', 'out/main/**'],
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
  // The fallback runtime brings a loader of its own.
  afterExtract: ({ appOutDir }) => rmSync(join(appOutDir, 'resources', 'app'), { recursive: true, force: true }),
  linux: { category: 'System;Emulator', icon: 'vitrine.png', executableName: 'vitrine-app', synopsis: 'Virtual machines', maintainer: 'The Vitrine developers' },
}

rmSync(unpacked, { recursive: true, force: true })
await build({ targets: Platform.LINUX.createTarget(['dir']), config })
say(`dist: ${unpacked} (Electron ${electronVersion})`)
const missing = []
for (const format of FORMATS.slice(1)) {
  if (asked.length > 0 && !asked.includes(format)) continue
  try {
    const made = await build({ targets: Platform.LINUX.createTarget([format]), prepackaged: unpacked, config })
    for (const path of made.filter((path) => existsSync(path))) say(`dist: ${path}`)
  } catch (error) {
    missing.push(`${format}: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`)
  }
}
for (const line of missing) say(`dist: not made: ${line}; electron-builder fetches the tools for this format from the internet`)
process.exit(missing.length > 0 && asked.length > 0 ? 1 : 0)
