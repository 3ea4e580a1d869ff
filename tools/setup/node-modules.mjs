import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { fail, hashOf, once, root, run, say } from './steps.mjs'

const MINIMUM = [20, 19]

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
    fail(`setup: Node ${process.versions.node} is too old; install Node ${MINIMUM.join('.')} or newer and run the command again`)
  }
}

/** The lock file's modules, exactly. A link to another checkout's modules is left as it is: `npm ci` would empty them under the other's feet. */
export function ensureNodeModules() {
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return
  once(join(root, 'node_modules', '.vitrine-lock'), hashOf(['package-lock.json']), () => {
    say('installing node modules')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  })
}
