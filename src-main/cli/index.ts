/** Entry of the `vitrine` command: plain Node, no Electron. */
import { VmmError } from '../vmm'
import { HELP } from './help'
import { balloon, consoleOf, pause, reset, resume, screenshot, sendKeys, stats, stop, suspend, unpause } from './library/control'
import { create } from './library/create'
import { add, deleteVm, info, list } from './library/manage'
import { start } from './library/start'
import { parseRunOptions } from './options'
import { run } from './run'
import { VERSION } from './version'

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  run: (args) => run(parseRunOptions(args)),
  list,
  info,
  create,
  add,
  delete: deleteVm,
  start,
  stop,
  suspend,
  resume,
  reset,
  pause,
  unpause,
  console: consoleOf,
  screenshot,
  'send-keys': sendKeys,
  stats,
  balloon,
}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  if (command === '--version') {
    process.stdout.write(`vitrine ${VERSION}\n`)
    return 0
  }
  if (command === undefined || command === '--help' || command === 'help' || rest.includes('--help')) {
    process.stdout.write(HELP)
    return 0
  }
  const found = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined
  if (!found) throw new VmmError('config/bad-option', `${command}: no such command; see vitrine --help`)
  return found(rest)
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status
    // Nothing may keep a finished machine's process alive (a terminal's stdin, say); output is flushed first.
    process.stdout.write('', () => process.exit(status))
  },
  (error: unknown) => {
    if (error instanceof VmmError && error.code !== 'internal/bug') {
      // One line, whatever a path or a system's message has in it.
      process.stderr.write(`vitrine: ${error.message.replace(/\s*[\r\n]+\s*/g, ' ')}\n`)
      process.exit(2)
    }
    process.stderr.write(`vitrine: a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(70)
  },
)
