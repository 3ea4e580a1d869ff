/** `vitrine list`, `info`, `add`, `delete`: what is in the library, and what comes and goes. */
import { resolve } from 'node:path'
import { Library, sentence, type Deleted, type LibraryVm } from '../../vmm'
import { bad, flag, splitArguments } from '../arguments'
import { printJson, printLine, stateText, table, unwrap, visible } from './output'

export async function list(args: readonly string[]): Promise<number> {
  const { values } = splitArguments(args, { json: flag })
  const contents = await new Library({ program: 'vitrine list' }).contents()
  if (values.json === true) {
    printJson(contents)
    return 0
  }
  for (const problem of contents.problems) process.stderr.write(`vitrine: ${visible(sentence(problem))}\n`)
  if (contents.machines.length === 0) printLine('no virtual machines; make one with vitrine create NAME')
  else process.stdout.write(`${table([['NAME', 'STATE', 'FOLDER'], ...contents.machines.map((vm) => [visible(vm.name), visible(stateText(vm)), visible(vm.path)])])}\n`)
  return 0
}

export async function info(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag }, 1)
  const vm = unwrap(await new Library({ program: 'vitrine info' }).find(theName(words)))
  if (values.json === true) printJson(vm)
  else for (const line of describe(vm)) printLine(line)
  return 0
}

function describe(vm: LibraryVm): readonly string[] {
  const { config } = vm
  const line = (key: string, value: string): string => `${key.padEnd(14)}${value}`
  const head = [line('Name', vm.name), line('State', stateText(vm)), ...(vm.suspendedAt === undefined ? [] : [line('Suspended', vm.suspendedAt)]), line('Folder', vm.path), line('Id', vm.id)]
  const problems = vm.problems.map((problem) => line('Problem', sentence(problem)))
  if (!config) return [...head, ...problems]
  const { hardware, guest, description } = config
  return [
    ...head,
    ...(guest.system === '' ? [] : [line('Guest', guest.system)]),
    ...(description === '' ? [] : description.split('\n').map((text, i) => line(i === 0 ? 'Description' : '', text))),
    line('Memory', `${hardware.memoryMiB} MiB`),
    line('Processors', `${hardware.processors.count} (${hardware.engine})`),
    line('Firmware', hardware.firmware.kind === 'builtin' ? 'built-in BIOS' : hardware.firmware.file),
    ...(hardware.boot.kernel ? [line('Kernel', `${hardware.boot.kernel.file} ${hardware.boot.kernel.commandLine}`.trimEnd())] : []),
    ...(hardware.demoDisk ? [line('Hard disk', 'the demo guest')] : []),
    ...hardware.disks.map(({ file, readOnly, cache }) => line('Hard disk', `${file}${readOnly ? ' (read-only)' : cache === 'writethrough' ? ' (writethrough)' : ''}`)),
    ...hardware.cdroms.map(({ file, connected }) => line('CD drive', `${file ?? 'empty'}${connected ? '' : ' (not connected)'}`)),
    ...hardware.serialPorts.map((port) => line('Serial port', port.kind === 'file' ? port.file : port.kind === 'tcp' ? `TCP port ${port.port} (${port.protocol})` : port.kind)),
    ...problems,
  ]
}

export async function add(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag, copied: flag, moved: flag }, 1)
  if (values.copied === true && values.moved === true) throw bad('--copied, --moved: only one can be true; leave one out')
  const vm = unwrap(await new Library({ program: 'vitrine add' }).add(resolve(theName(words, 'the path of a folder')), values.copied === true ? 'copied' : values.moved === true ? 'moved' : undefined))
  if (values.json === true) printJson(vm)
  else printLine(`${vm.name} is in the library: ${vm.path}`)
  return 0
}

export async function deleteVm(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag, yes: flag, 'keep-files': flag }, 1)
  const library = new Library({ program: 'vitrine delete' })
  const vm = unwrap(await library.find(theName(words)))
  const listed = (await library.get(vm.id)).ok
  if (values['keep-files'] === true) {
    if (!listed) throw bad(`${vm.path}: is not in the library; there is nothing to remove`)
    unwrap(await library.remove(vm.id))
    if (values.json === true) printJson({ deleted: [], kept: [vm.path] })
    else printLine(`${vm.name} is not in the library any more; its files are still in ${vm.path}`)
    return 0
  }
  if (values.yes !== true) throw bad(`delete ${words[0] ?? ''}: deletes the disks in ${vm.path} for good; add --yes to do it, or --keep-files to take it out of the library only`)
  const deleted = unwrap(listed ? await library.deleteFromDisk(vm.id) : await library.deleteFolder(vm.path))
  if (values.json === true) printJson(deleted)
  else reportDeleted(vm, deleted)
  return 0
}

function reportDeleted(vm: LibraryVm, { kept }: Deleted): void {
  printLine(`${vm.name} is deleted`)
  for (const path of kept) printLine(`kept, because it is not the virtual machine's own: ${path}`)
}

export function theName(words: readonly string[], what: string = 'a name'): string {
  const [name] = words
  if (name === undefined || name === '') throw bad(`${what} of a virtual machine is missing; see vitrine --help`)
  return name
}
