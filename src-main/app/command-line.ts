/** The app takes the machine options of `vitrine run`: `npm start -- --cdrom debian.iso --memory 512`. */
import { basename, resolve } from 'node:path'
import type { MachineConfig } from '../vmm'
import { parseRunOptions } from '../cli/options'

export interface AppMachine {
  readonly config: MachineConfig
  readonly name: string
  readonly boots: string
}

/** What stands after the application's own folder belongs to us; before it are Electron's switches. */
export function machineFromArguments(argv: readonly string[], appPath: string): AppMachine {
  const at = argv.findIndex((argument, i) => i > 0 && !argument.startsWith('-') && resolve(argument) === resolve(appPath))
  const given = at < 0 ? [] : argv.slice(at + 1)
  const config = parseRunOptions(given).machine
  const image = config.kernel ?? config.cdroms[0]?.path ?? config.disks[0]?.path
  if (config.demo || image === undefined) return { config, name: config.demo ? 'Demo Guest' : 'Virtual Machine', boots: config.demo ? 'the built-in demo guest' : config.firmware }
  return { config, name: basename(image), boots: image }
}
