/** What the app is asked on its command line: nothing, a VM to show, or machine options, of which a temporary VM is made. */
import { basename, resolve } from 'node:path'
import type { NewVm } from '../vmm'
import { hardwareOf } from '../cli/library/create'
import { parseRunOptions } from '../cli/options'

export type Wanted =
  | { readonly kind: 'nothing' }
  /** Name, id or path. */
  | { readonly kind: 'vm'; readonly vm: string }
  | { readonly kind: 'machine'; readonly name: string; readonly hardware: NonNullable<NonNullable<NewVm['settings']>['hardware']> }

/** Electron's and Chromium's own, as far as users and tests give them. */
const CHROMIUM = /^--(no-sandbox|user-data-dir|(enable|disable|force|allow|ignore|remote|inspect|ozone|gtk|use|log|trace|proxy|host|password|original)-?[^ ]*|in-process-gpu|js-flags|lang|v|vmodule|gapplication-service)(=|$)/

/** What stands after the application's own folder belongs to us, before it are Electron's switches; a packaged app has no such folder. */
export function ownArguments(argv: readonly string[], appPath: string, isPackaged: boolean, workingFolder: string): readonly string[] {
  if (isPackaged) return argv.slice(1).filter((argument) => !CHROMIUM.test(argument))
  const at = argv.findIndex((argument, i) => i > 0 && !argument.startsWith('-') && resolve(workingFolder, argument) === resolve(appPath))
  return at < 0 ? [] : argv.slice(at + 1)
}

/** Throws a VmmError with one line that says what is wrong. Paths are relative to `workingFolder`. */
export function parseWanted(given: readonly string[], workingFolder: string): Wanted {
  const [first, ...rest] = given
  if (first === undefined) return { kind: 'nothing' }
  if (!first.startsWith('-') && rest.length === 0) return { kind: 'vm', vm: first.includes('/') ? resolve(workingFolder, first) : first }
  const { machine } = parseRunOptions(given)
  const image = machine.kernel ?? machine.cdroms[0]?.path ?? machine.disks[0]?.path
  const name = machine.demo || image === undefined ? 'Demo Guest' : basename(image)
  return { kind: 'machine', name: plainName(name), hardware: { ...hardwareOf(machine, workingFolder), demoDisk: machine.demo } }
}

const MAX_NAME = 60

/** As a VM may be called. */
function plainName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cs}]/gu, '-').slice(0, MAX_NAME).trim() || 'Virtual Machine'
}
