// `npm run e2e`: sets everything up, then the end-to-end tests in Electron only. Arguments go to Playwright.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setup } from './setup.mjs'
import { fail, root } from './setup/steps.mjs'

const { electron } = await setup('test')
if (!electron) fail('e2e: no Electron runtime could be had')
const display = process.platform === 'linux' && !process.env.DISPLAY ? ['xvfb-run', '-a', '-s', '-screen 0 1400x1000x24'] : []
const [program, ...args] = [...display, join(root, 'node_modules', '.bin', 'playwright'), 'test', ...process.argv.slice(2)]
process.exit(spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, VITRINE_ELECTRON: electron } }).status ?? 1)
