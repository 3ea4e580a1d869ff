// `npm start`: sets everything up, then runs the app; without a display, a machine in the terminal (the demo guest, or that of the options).
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setup } from './setup.mjs'
import { root } from './setup/steps.mjs'

const { electron } = await setup('start')
const hasDisplay = process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY)
const given = process.argv.slice(2)

const command = commandToRun()
const child = spawn(command.program, command.args, { cwd: root, stdio: 'inherit' })
child.on('error', (error) => {
  process.stderr.write(`vitrine: ${command.program} cannot be started: ${error.message}\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))

function commandToRun() {
  if (hasDisplay && electron) {
    const sandbox = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
    return { program: electron, args: [...sandbox, root, ...given] }
  }
  const why = hasDisplay ? 'no Electron runtime could be had' : 'no display (DISPLAY and WAYLAND_DISPLAY are not set)'
  process.stderr.write(`vitrine: ${why}: the demo guest runs in this terminal, its serial console is yours\n`)
  return { program: process.execPath, args: [join(root, 'out', 'cli', 'vitrine.mjs'), 'run', ...given] }
}
