/** `vitrine run`: one machine, from power-on to its end, in this process. */
import { accessSync, closeSync, constants, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createMachine, encodePng, fileError, QueueCharBackend, QueueConsole, VmmError, writeAtomically, type Machine, type MachineEnd, type TranslationStats } from '../vmm'
import type { RunOptions } from './options'
import { writeRegionDumps } from './region-dump'
import { parseScript, ScriptRunner, type ScriptLine } from './script'
import { Terminal } from './terminal'

const EXIT_TRIPLE_FAULT = 3
const EXIT_TIMEOUT = 124
const EXIT_INTERRUPTED = 130
/** Serial output kept for --until: a pattern may span lines, not megabytes. */
const UNTIL_WINDOW = 1 << 16

type Ending = { readonly why: 'machine'; readonly end: MachineEnd } | { readonly why: 'timeout' | 'until' | 'script' | 'quit' | 'stop-at' }

export async function run(options: RunOptions): Promise<number> {
  const script = options.script === undefined ? undefined : readScript(options.script)
  checkOutputs(options)
  // Opened last: bad input shall leave nothing behind.
  let output = NOWHERE
  let debugOutput = NOWHERE
  const decoder = new TextDecoder('utf-8')
  let runner: ScriptRunner | undefined
  let window = ''
  let ending: Ending | undefined
  let machine: Machine | undefined
  const end = (what: Ending): void => {
    ending ??= what
    machine?.stop()
  }

  const pending: number[] = []
  const serial = new QueueConsole((byte) => {
    pending.push(byte)
    if (byte === 0x0a || pending.length >= 64) flushSerial()
  })
  function flushSerial(): void {
    if (pending.length === 0) return
    const bytes = Uint8Array.from(pending)
    pending.length = 0
    output.write(bytes)
    const text = decoder.decode(bytes, { stream: true })
    runner?.onSerial(text)
    if (options.until) {
      window = (window + text).slice(-UNTIL_WINDOW)
      if (options.until.test(window)) end({ why: 'until' })
    }
  }

  let terminal: Terminal | undefined
  let timer: NodeJS.Timeout | undefined
  const onSignal = (): void => end({ why: 'quit' })
  try {
    // The terminal is at the first console if there is one, else at COM1.
    const places = options.machine.consoles ? { serial: [], consoles: [serial] } : { serial: [serial] }
    const resize = (): void => serial.resize(process.stdout.columns ?? 80, process.stdout.rows ?? 25)
    resize()
    machine = await createMachine(options.machine, { ...places, warn: (message) => void process.stderr.write(`vitrine: ${message}\n`), debugConsole: new QueueCharBackend((byte) => debugOutput.write(Uint8Array.of(byte))) })
    const running = machine
    if (options.loadState !== undefined) await running.load(options.loadState)
    output = openOutput('--serial', options.serial)
    debugOutput = openOutput('--debug-console', options.debugConsole)
    if (script) {
      runner = new ScriptRunner(script, { machine: running, send: (bytes) => serial.send(bytes), screenshot: (path) => saveScreenshot(running, path) })
    }
    if (options.serial.kind === 'stdio' && !script) {
      terminal = new Terminal({
        onBytes: (bytes) => running.post(() => serial.send(bytes)),
        onQuit: () => end({ why: 'quit' }),
        onResize: () => running.post(resize),
      })
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    process.stdout.on('error', onSignal) // whoever read our output has gone
    if (options.timeoutSeconds !== undefined) timer = setTimeout(() => end({ why: 'timeout' }), options.timeoutSeconds * 1000)
    running.onTurn = (): void => {
      flushSerial()
      if (!runner) return
      runner.step()
      if (runner.finished) end({ why: 'script' })
      else if (runner.error) running.stop()
    }
    const before = { time: performance.now(), retired: running.retired }
    const machineEnd = await running.run(options.stopAt)
    const ran = { wallSeconds: (performance.now() - before.time) / 1000, instructions: running.retired - before.retired }
    flushSerial()
    if (runner?.error) throw runner.error
    ending ??= machineEnd.kind === 'stop-at' ? { why: 'stop-at' } : { why: 'machine', end: machineEnd }
    await finish(running, options, ran)
    const warning = translationWarning(running.stats().translation)
    if (warning !== undefined) process.stderr.write(`vitrine: ${warning}\n`)
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
    process.stdout.off('error', onSignal)
    terminal?.close()
    output.close()
    debugOutput.close()
    await machine?.close()
  }
  return report(ending, runner)
}

/** What is asked for at exit, whatever the exit was. */
async function finish(machine: Machine, options: RunOptions, ran: { readonly wallSeconds: number; readonly instructions: number }): Promise<void> {
  if (options.screenshot !== undefined) await saveScreenshot(machine, options.screenshot)
  if (options.saveState !== undefined) await machine.save(options.saveState)
  if (options.stats !== undefined) {
    const stats = machine.stats()
    // A loaded machine's instructions count from its power-on; its speed is that of this run.
    const speed = { wallSeconds: ran.wallSeconds, mips: ran.instructions / ran.wallSeconds / 1e6 }
    await writeAtomically(options.stats, Buffer.from(`${JSON.stringify({ ...speed, ...stats }, null, 2)}\n`))
  }
  await writeRegionDumps(machine, options.regionDumps)
}

/** A translator that fails costs a guest only speed: who watches would not know. */
export function translationWarning(stats: Pick<TranslationStats, 'failures' | 'latestFailure'> | undefined): string | undefined {
  if (stats === undefined || stats.failures === 0) return undefined
  return `the translator could not translate ${stats.failures} regions, which the interpreter ran; this is a bug of Vitrine's. The latest: ${stats.latestFailure}`
}

async function saveScreenshot(machine: Machine, path: string): Promise<void> {
  await writeAtomically(path, encodePng(machine.screenshot()))
}

function report(ending: Ending, runner: ScriptRunner | undefined): number {
  switch (ending.why) {
    case 'until':
    case 'script':
    case 'stop-at':
      return 0
    case 'quit':
      return EXIT_INTERRUPTED
    case 'timeout': {
      const line = runner?.current
      if (line) process.stderr.write(`vitrine: timeout in line ${line.line} of the script: ${line.source}\n`)
      return EXIT_TIMEOUT
    }
    case 'machine':
      break
  }
  const { end } = ending
  switch (end.kind) {
    case 'debug-exit':
      return end.status
    case 'triple-fault':
      process.stderr.write(`vitrine: the guest's processor shut down (triple fault)\n${end.dump}\n`)
      return EXIT_TRIPLE_FAULT
    case 'power-off': {
      const line = runner && !runner.finished ? runner.current : undefined
      if (!line) return 0
      process.stderr.write(`vitrine: the guest switched off in line ${line.line} of the script: ${line.source}\n`)
      return 1
    }
    case 'unimplemented':
      process.stderr.write(`vitrine: the guest met something that Vitrine does not have: ${end.what}\n${end.dump}\n`)
      return EXIT_TRIPLE_FAULT
    case 'stopped':
    case 'stop-at':
      return 0
  }
}

function readScript(path: string): readonly ScriptLine[] {
  try {
    return parseScript(readFileSync(path, 'utf8'), path)
  } catch (error) {
    throw fileError(error, '--script', path)
  }
}

interface Output {
  write(bytes: Uint8Array): void
  close(): void
}

const NOWHERE: Output = { write: () => undefined, close: () => undefined }

/** Files that are written at the end must not turn out impossible after an hour's run. */
function checkOutputs({ screenshot, saveState, stats, serial, debugConsole, regionDumps }: RunOptions): void {
  const files = {
    '--screenshot': screenshot,
    '--save-state': saveState,
    '--stats': stats,
    '--serial': serial.kind === 'file' ? serial.path : undefined,
    '--debug-console': debugConsole.kind === 'file' ? debugConsole.path : undefined,
  }
  for (const [option, path] of Object.entries(files)) if (path !== undefined) checkOutput(option, path)
  for (const { wanted, path } of regionDumps) if (path !== undefined) checkOutput(wanted.split(' ', 1)[0] ?? wanted, path)
}

function checkOutput(option: string, path: string): void {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw new VmmError('file/not-a-file', `${option} ${path}: is a directory; give a file`)
  if (there && !there.isFile()) return // a device or pipe: written to as it is
  const folder = dirname(path)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new VmmError('file/not-found', `${option} ${path}: its folder does not exist; make it, or choose another place`)
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw new VmmError('file/unreadable', `${option} ${path}: its folder cannot be written to; choose another place`)
  }
}

function openOutput(option: string, target: RunOptions['serial']): Output {
  if (target.kind === 'none') return NOWHERE
  if (target.kind === 'stdio') return { write: (bytes) => void process.stdout.write(bytes), close: () => undefined }
  try {
    const file = openSync(target.path, 'w')
    return { write: (bytes) => void writeSync(file, bytes), close: () => closeSync(file) }
  } catch (error) {
    throw error instanceof VmmError ? error : fileError(error, option, target.path)
  }
}
