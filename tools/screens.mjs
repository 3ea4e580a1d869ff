// `npm run screens`: a PNG of every screen, dialog and state, in both themes and languages, into out/screens/<theme>-<language>.
// Arguments choose: `npm run screens -- dark zh-CN`. They are to be looked at; nothing is compared.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setup } from './setup.mjs'
import { fail, root } from './setup/steps.mjs'

const { electron } = await setup('test')
if (!electron) fail('screens: no Electron runtime could be had')
const display = process.platform === 'linux' && !process.env.DISPLAY ? ['xvfb-run', '-a', '-s', '-screen 0 1400x1000x24'] : []
const words = process.argv.slice(2)
const grep = words.length === 0 ? [] : ['--grep', words.map((word) => `(?=.*${word})`).join('')]
const [program, ...args] = [...display, join(root, 'node_modules', '.bin', 'playwright'), 'test', '--config', 'playwright.screens.config.ts', ...grep]
process.exit(spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, VITRINE_ELECTRON: electron } }).status ?? 1)
