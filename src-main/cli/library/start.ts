/** `vitrine start NAME`: a VM of the library in this process, without a window; its first terminal port is this terminal. */
import { Library } from '../../vmm'
import { flag, splitArguments } from '../arguments'
import { theName } from './manage'
import { unwrap } from './output'
import { TerminalSession } from './session'

export async function start(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag, headless: flag, 'discard-state': flag }, 1)
  const library = new Library({ program: 'vitrine start' })
  const vm = unwrap(await library.find(theName(words)))
  if (values['discard-state'] === true) unwrap(await library.discardSuspendedState(vm.id))
  return new TerminalSession(library, values.json ?? false).run(vm.path)
}
