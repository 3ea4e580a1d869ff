// Sets everything up that `npm start` and `npm test` need. Uses Node's built-in modules only, and does nothing when there is nothing to do.
//   node tools/setup.mjs [--for start|test|guests|bench]
import { ensureBuild } from './setup/build.mjs'
import { ensureDebianPackages } from './setup/debian-packages.mjs'
import { ensureElectron } from './setup/electron-runtime.mjs'
import { checkNode, ensureNodeModules } from './setup/node-modules.mjs'
import { fail, isMain } from './setup/steps.mjs'

/** @param {'start' | 'test' | 'guests' | 'bench'} purpose */
export async function setup(purpose) {
  checkNode()
  ensureNodeModules()
  const missing = ensureDebianPackages(purpose)
  const electron = await ensureElectron()
  ensureBuild()
  return { missing, electron }
}

if (isMain(import.meta.url)) {
  const at = process.argv.indexOf('--for')
  const purpose = at < 0 ? 'test' : process.argv[at + 1]
  if (purpose !== 'start' && purpose !== 'test' && purpose !== 'guests' && purpose !== 'bench') fail('setup: --for takes start, test, guests or bench')
  else await setup(purpose)
}
