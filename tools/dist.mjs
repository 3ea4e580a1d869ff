// `npm run dist`: packages of the app in dist/, around the Electron that the set-up found: the app's folder (linux-unpacked) always, then what the arguments name, or
// all formats: `npm run dist -- dir deb`. What could not be made is said, with what it lacks; that is an error only for a format that was named.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { makeDeb } from './packages/deb.mjs'
import { configuration, makeFolder, versionOf } from './packages/folder.mjs'
import { setup } from './setup.mjs'
import { fail, root, say } from './setup/steps.mjs'

const output = join(root, 'dist')
const makers = {
  deb: (folder) => [makeDeb(folder, output)],
  AppImage: async (folder, electron) => {
    const { build, Platform } = await import('electron-builder')
    return build({ projectDir: root, targets: Platform.LINUX.createTarget(['AppImage']), prepackaged: folder, config: configuration(electron, output) })
  },
}
const LACKS = {
  deb: '',
  AppImage: '; mksquashfs and the AppImage runtime are downloaded by electron-builder, or taken from the folder that APPIMAGE_TOOLS_PATH names',
}

const asked = process.argv.slice(2)
const formats = ['dir', ...Object.keys(makers)]
for (const format of asked) if (!formats.includes(format)) fail(`dist: ${format}: not a format; there are ${formats.join(', ')}`)
if (process.platform !== 'linux') fail('dist: packages are made on Linux, for Linux')

const { electron } = await setup('start')
if (!electron) fail('dist: no Electron runtime could be had, and a package is made around one; connect to the internet and run the command again')
const folder = await makeFolder(electron, output)
say(`dist: ${folder} (Electron ${versionOf(electron)})`)
let missing = false
for (const [format, make] of Object.entries(makers)) {
  if (asked.length > 0 && !asked.includes(format)) continue
  try {
    for (const path of (await make(folder, electron)).filter((made) => existsSync(made))) say(`dist: ${path}`)
  } catch (error) {
    missing = true
    say(`dist: not made: ${format}: ${String(error instanceof Error ? error.message : error).split('\n')[0]}${LACKS[format]}`)
  }
}
process.exit(missing && asked.length > 0 ? 1 : 0)
