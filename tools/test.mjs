// `npm test`: sets everything up, then runs every check, and ends with one line that counts them all.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setup } from './setup.mjs'
import { root } from './setup/steps.mjs'

const { missing, electron } = await setup('test')
const reports = join(root, 'out', 'reports')
rmSync(reports, { recursive: true, force: true })
mkdirSync(reports, { recursive: true })

const total = { passed: 0, failed: 0, skipped: 0 }
const bin = (name) => join(root, 'node_modules', '.bin', name)

check('types (vmm, main, tools)', bin('tsc'), ['-p', 'tsconfig.vmm.json'])
if (existsSync(join(root, 'tsconfig.main.json'))) check('types (app, ipc)', bin('tsc'), ['-p', 'tsconfig.main.json'])
if (existsSync(join(root, 'tsconfig.preload.json'))) check('types (preload)', bin('tsc'), ['-p', 'tsconfig.preload.json'])
if (existsSync(join(root, 'tsconfig.renderer.json'))) check('types (renderer)', bin('vue-tsc'), ['-p', 'tsconfig.renderer.json', '--noEmit'])
if (existsSync(join(root, 'tsconfig.e2e.json'))) check('types (end to end)', bin('tsc'), ['-p', 'tsconfig.e2e.json'])
check('lint', bin('eslint'), ['.', '--max-warnings', '0'])
check('structure', process.execPath, [join('tools', 'check-structure.mjs')])
vitest('unit', 'vitest.config.ts')
vitest('guests', 'vitest.guests.config.ts')
playwright()

process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exit(total.failed === 0 ? 0 : 1)

function title(name) {
  process.stdout.write(`\n── ${name}\n`)
}

function check(name, program, args) {
  title(name)
  const ok = spawnSync(program, args, { cwd: root, stdio: ['ignore', 1, 2] }).status === 0
  if (ok) total.passed++
  else total.failed++
}

function vitest(name, config) {
  if (!existsSync(join(root, config))) return
  title(name)
  const file = join(reports, `${name}.json`)
  const args = ['run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const result = spawnSync(bin('vitest'), args, { cwd: root, stdio: ['ignore', 1, 2] })
  if (!existsSync(file)) return void total.failed++
  const report = JSON.parse(readFileSync(file, 'utf8'))
  total.passed += report.numPassedTests
  total.failed += report.numFailedTests
  total.skipped += report.numPendingTests + report.numTodoTests
  // A suite that fails to load has no tests to count.
  const brokenSuites = report.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.every((t) => t.status !== 'failed')).length
  total.failed += brokenSuites
  if (result.status !== 0 && report.numFailedTests === 0 && brokenSuites === 0) total.failed++
}

function playwright() {
  if (!existsSync(join(root, 'playwright.config.ts'))) return
  title('end to end, in Electron')
  if (!electron) {
    process.stdout.write(`skipped: no Electron runtime${missing.length ? `; missing packages: ${missing.join(' ')}` : ''}\n`)
    return void total.skipped++
  }
  const file = join(reports, 'e2e.json')
  const environment = { ...process.env, VITRINE_ELECTRON: electron, PLAYWRIGHT_JSON_OUTPUT_NAME: file }
  const inDisplay = process.platform === 'linux' && !process.env.DISPLAY ? ['xvfb-run', '-a', '-s', '-screen 0 1400x1000x24'] : []
  const [program, ...args] = [...inDisplay, bin('playwright'), 'test', '--reporter=line,json']
  const result = spawnSync(program, args, { cwd: root, stdio: ['ignore', 1, 2], env: environment })
  if (!existsSync(file)) return void total.failed++
  const { stats } = JSON.parse(readFileSync(file, 'utf8'))
  total.passed += stats.expected
  total.failed += stats.unexpected + stats.flaky
  total.skipped += stats.skipped
  if (result.status !== 0 && stats.unexpected + stats.flaky === 0) total.failed++
}
