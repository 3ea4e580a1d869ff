/** `vitrine stop`, `suspend`, `resume`, `reset`, `pause`, `unpause`, `console`, `screenshot`, `send-keys`, `stats`, `balloon`: a VM that another process runs. */
import { ControlClient, controlPath, Library, writeAtomically, type ControlRequest, type LibraryVm } from '../../vmm'
import { bad, flag, splitArguments, text } from '../arguments'
import { Terminal } from '../terminal'
import { theName } from './manage'
import { printJson, printLine, unwrap } from './output'
import { start } from './start'

/** A guest that has not shut down by then may never do so. */
const SHUT_DOWN_PATIENCE_MS = 120_000
const EXIT_INTERRUPTED = 130

async function find(name: string): Promise<LibraryVm> {
  return unwrap(await new Library({ program: 'vitrine' }).find(name))
}

async function reach(vm: LibraryVm): Promise<ControlClient> {
  if (vm.state !== 'in-use') throw bad(`${vm.name}: is not powered on; see vitrine start`)
  return unwrap(await ControlClient.connect(controlPath(vm.path)))
}

/** Asks one thing; `value` is for --json. */
async function ask(args: readonly string[], request: ControlRequest): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag }, 1)
  const client = await reach(await find(theName(words)))
  try {
    unwrap(await client.ask(request))
    if (values.json === true) printJson({ done: request.command })
    return 0
  } finally {
    client.close()
  }
}

export const reset = (args: readonly string[]): Promise<number> => ask(args, { command: 'reset' })
export const pause = (args: readonly string[]): Promise<number> => ask(args, { command: 'pause' })
export const unpause = (args: readonly string[]): Promise<number> => ask(args, { command: 'unpause' })

/** Answers when the state is on disk and the process has let the VM go. */
export async function suspend(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag }, 1)
  const client = await reach(await find(theName(words)))
  unwrap(await client.ask({ command: 'suspend' }))
  await client.closed()
  if (values.json === true) printJson({ done: 'suspend' })
  return 0
}

export async function stop(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag }, 2)
  const vm = await find(theName(words))
  const how = words[1] ?? vm.config?.options.power.powerOff ?? 'hard'
  if (how !== 'soft' && how !== 'hard') throw bad(`stop ${vm.name} ${how}: not known; choose soft (asks the guest to shut down) or hard (powers off)`)
  const client = await reach(vm)
  unwrap(await client.ask({ command: 'stop', how }))
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), SHUT_DOWN_PATIENCE_MS)))
  const outcome = await Promise.race([client.closed(), late])
  clearTimeout(timer)
  client.close()
  if (outcome === 'late') throw bad(`${vm.name}: the guest has been asked and has not shut down for ${SHUT_DOWN_PATIENCE_MS / 1000} seconds; wait, or use vitrine stop NAME hard`)
  if (values.json === true) printJson({ done: 'stop', how })
  return 0
}

/** A suspended VM is started in this terminal; one that is paused goes on where it runs. */
export async function resume(args: readonly string[]): Promise<number> {
  const { words } = splitArguments(args, { json: flag, headless: flag }, 1)
  const vm = await find(theName(words))
  if (vm.state === 'in-use') return unpause(args.filter((argument) => argument !== '--headless'))
  if (vm.state !== 'suspended') throw bad(`${vm.name}: is powered off, not suspended; see vitrine start`)
  return start(args)
}

export async function screenshot(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag }, 2)
  const vm = await find(theName(words))
  const [, path] = words
  if (path === undefined || path === '') throw bad('screenshot: the path of a PNG file is missing; write vitrine screenshot NAME PATH')
  const client = await reach(vm)
  try {
    const png = unwrap(await client.ask({ command: 'screenshot' }))
    if (typeof png !== 'string') throw bad(`${vm.name}: gave no picture; use the same version of Vitrine`)
    await writeAtomically(path, Buffer.from(png, 'base64'))
    if (values.json === true) printJson({ done: 'screenshot', path })
    return 0
  } finally {
    client.close()
  }
}

/** Key chords, one after the other; or text. */
export async function sendKeys(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag, text }, 64)
  const vm = await find(theName(words))
  const keys = words.slice(1)
  if (keys.length === 0 && values.text === undefined) throw bad('send-keys: no keys; give names such as ctrl-alt-delete or enter, or --text TEXT')
  const client = await reach(vm)
  try {
    if (values.text !== undefined) unwrap(await client.ask({ command: 'send-text', text: values.text }))
    for (const chord of keys) unwrap(await client.ask({ command: 'send-keys', keys: chord }))
    if (values.json === true) printJson({ done: 'send-keys' })
    return 0
  } finally {
    client.close()
  }
}

export async function stats(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag }, 1)
  const client = await reach(await find(theName(words)))
  try {
    const value = unwrap(await client.ask({ command: 'stats' }))
    if (values.json === true) printJson(value)
    else for (const [key, item] of Object.entries(value ?? {})) if (typeof item === 'number' || typeof item === 'string') printLine(`${key.padEnd(20)}${item}`)
    return 0
  } finally {
    client.close()
  }
}

const MIB = 0x100000
/** The guest answers when it gets to it. */
const STATISTICS_WAIT_MS = 300

/** With a size, asks the guest to make do with that much memory; in any case tells how it stands. */
export async function balloon(args: readonly string[]): Promise<number> {
  const { values, words } = splitArguments(args, { json: flag }, 2)
  const vm = await find(theName(words))
  const [, size] = words
  const mebibytes = Number(size ?? 1)
  if (!/^\d{1,7}$/.test(size ?? '1') || mebibytes < 1) throw bad(`balloon ${vm.name} ${size}: must be a size in MiB, such as 512`)
  const client = await reach(vm)
  try {
    if (size !== undefined) unwrap(await client.ask({ command: 'balloon', mebibytes }))
    // Asking has the guest count anew.
    unwrap(await client.ask({ command: 'stats' }))
    await new Promise((resolve) => setTimeout(resolve, STATISTICS_WAIT_MS))
    const figures = balloonOf(unwrap(await client.ask({ command: 'stats' })))
    if (!figures) throw bad(`${vm.name}: has no memory balloon; give it one (--balloon)`)
    if (values.json === true) printJson(figures)
    else for (const [name, value] of Object.entries(figures)) if (typeof value === 'number') printLine(`${name.replace(/Bytes$/, '').padEnd(20)}${name.endsWith('Bytes') ? `${Math.floor(value / MIB)} MiB` : value}`)
    return 0
  } finally {
    client.close()
  }
}

/** What the balloon and the guest's statistics say, in one list. */
function balloonOf(stats: unknown): Readonly<Record<string, unknown>> | undefined {
  const found: unknown = isRecord(stats) ? stats['balloon'] : undefined
  if (!isRecord(found)) return undefined
  const { guest, ...own } = found
  return { ...own, ...(isRecord(guest) ? guest : {}) }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The serial terminal of a VM that runs elsewhere; Ctrl-A x leaves it, and the VM goes on. */
export async function consoleOf(args: readonly string[]): Promise<number> {
  const { words } = splitArguments(args, {}, 1)
  const client = await reach(await find(theName(words)))
  unwrap(await client.ask({ command: 'console' }))
  let left = false
  const leave = (): void => {
    left = true
    client.close()
  }
  const send = client.attach((bytes) => void process.stdout.write(bytes))
  const terminal = new Terminal({ onBytes: send, onQuit: leave })
  process.on('SIGINT', leave)
  process.on('SIGTERM', leave)
  try {
    await client.closed()
    return left ? EXIT_INTERRUPTED : 0
  } finally {
    terminal.close()
    process.off('SIGINT', leave)
    process.off('SIGTERM', leave)
  }
}
