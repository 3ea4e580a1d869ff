/** Entry of the desktop app: reads its command line, makes sure that it is the only one, and starts it. Wires, and nothing else. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { app } from 'electron'
import { ownArguments, parseWanted, type Wanted } from './app/command-line'
import { registerPageScheme } from './app/page-protocol'
import { VitrineApp } from './app/vitrine-app'
import { Library, sentence, VmmError } from './vmm'

const PROGRAM = 'Vitrine'
const EXIT_BAD_INPUT = 2

/** What another start of the app hands to the one that runs. */
interface Handed {
  readonly given: readonly string[]
  readonly folder: string
}

async function main(): Promise<void> {
  const handed: Handed = { given: ownArguments(process.argv, app.getAppPath(), app.isPackaged, process.cwd()), folder: process.cwd() }
  const wanted = parseWanted(handed.given, handed.folder)
  const library = new Library({ program: PROGRAM })
  if (wanted.kind === 'vm') {
    const found = await library.find(wanted.vm)
    if (!found.ok) throw new VmmError('config/bad-option', sentence(found.problem))
  }
  if (!app.requestSingleInstanceLock(handed)) return app.exit(0)
  await app.whenReady()
  await run(library, wanted)
}

async function run(library: Library, wanted: Wanted): Promise<void> {
  const vitrine = new VitrineApp({
    library,
    workers: () => new Worker(join(__dirname, 'machine.cjs')),
    rendererFolder: join(__dirname, '..', 'renderer'),
    preload: join(__dirname, '..', 'preload', 'index.cjs'),
    icon: join(__dirname, '..', '..', 'resources', 'icons', 'vitrine.png'),
    developmentUrl: app.isPackaged ? undefined : process.env['ELECTRON_RENDERER_URL'],
  })
  app.on('second-instance', (_event, _argv, _folder, data) => {
    const { given, folder } = data as Handed // what the other start of this same program has handed over
    vitrine.serve(parseWanted(given, folder)).catch(() => undefined)
  })
  await vitrine.start()
  if (wanted.kind !== 'nothing') await vitrine.serve(wanted)
}

app.setName(PROGRAM)
registerPageScheme()
main().catch((error: unknown) => {
  process.stderr.write(`vitrine: ${error instanceof VmmError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  app.exit(error instanceof VmmError ? EXIT_BAD_INPUT : 1)
})
