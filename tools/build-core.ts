/**
 * Builds what a virtual CPU runs on into out/core: core.wasm (AssemblyScript helpers), interpreter.wasm (meanings emitted over the forms),
 * decoder-tables.bin, executions.bin (how regions execute each form), compile-worker.cjs (the translator's thread: a file of its own, so that it starts
 * alike from sources, out/cli and out/main). Does nothing when no input has changed since the last build.
 */
import { build as bundle } from 'esbuild'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CORE_STATIC } from '../src-main/vmm/cpu/layout'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const CPU = join(ROOT, 'src-main/vmm/cpu')
const OUT = join(ROOT, 'out/core')
const STAMP = join(OUT, 'build.json')
/** 64 KiB pages: the largest memory that a module accepts. Machines make theirs as large as they need. */
const MEMORY_MAX_PAGES = '65536'
const say = (line: string): void => void process.stdout.write(`${line}\n`)

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : []
  })
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of [...paths].sort()) hash.update(relative(ROOT, path)).update('\0').update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

function isUpToDate(hash: string): boolean {
  if (![STAMP, ...['interpreter.wasm', 'core.wasm', 'compile-worker.cjs', 'executions.bin'].map((name) => join(OUT, name))].every(existsSync)) return false
  const stamp: unknown = JSON.parse(readFileSync(STAMP, 'utf8'))
  return typeof stamp === 'object' && stamp !== null && 'hash' in stamp && stamp.hash === hash
}

async function compileCore(debug: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const { main } = await import('assemblyscript/asc')
  let wasm: Uint8Array<ArrayBuffer> | undefined
  const result = await main(
    [
      join('src-main/vmm/cpu/core/index.ts'),
      '--outFile', 'core.wasm',
      '--runtime', 'stub',
      '--importMemory', '--sharedMemory', '--initialMemory', '32', '--maximumMemory', MEMORY_MAX_PAGES,
      '--memoryBase', String(CORE_STATIC),
      '--enable', 'simd,threads',
      '--use', 'abort=',
      // v128 crosses between modules, not to JavaScript
      '--disableWarning', '112',
      ...(debug ? ['--debug', '-O1'] : ['-O3']),
    ],
    {
      stdout: process.stdout,
      stderr: process.stderr,
      readFile: (name, baseDir) => {
        const path = join(ROOT, baseDir === '.' ? '' : baseDir, name)
        return existsSync(path) ? readFileSync(path, 'utf8') : null
      },
      writeFile: (_name, contents) => {
        if (typeof contents !== 'string') wasm = new Uint8Array(contents)
      },
      listFiles: () => [],
    },
  )
  if (result.error !== null || wasm === undefined) throw new Error(`the AssemblyScript core does not compile: ${result.error?.message ?? 'no output'}`)
  return wasm
}

async function buildInterpreterModule(coreExports: ReadonlySet<string>): Promise<{ handlers: number; missing: number }> {
  const [{ forms }, { semantics }, { helperTable }, { buildInterpreter }] = await Promise.all([
    import('../src-main/vmm/cpu/isa/forms'),
    import('../src-main/vmm/cpu/semantics/index'),
    import('../src-main/vmm/cpu/helpers/index'),
    import('../src-main/vmm/cpu/interpreter/build'),
  ])
  const { wasm, handlers, missing } = buildInterpreter({ forms, semantics, helpers: helperTable, coreExports, names: true })
  new WebAssembly.Module(wasm)
  writeFileSync(join(OUT, 'interpreter.wasm'), wasm)
  if (missing.length > 0) {
    const reasons = new Map<string, Set<string>>()
    for (const { form, why } of missing) reasons.set(why, (reasons.get(why) ?? new Set()).add(form.operation))
    say(`  ${missing.length} forms raise #UD:`)
    for (const [why, operations] of reasons) say(`    ${why}: ${[...operations].join(' ')}`)
  }
  say(`  interpreter.wasm: ${forms.length} forms, ${handlers} handlers, ${Math.round(wasm.length / 1024)} KiB`)
  return { handlers, missing: missing.length }
}

async function writeDecoderTables(): Promise<void> {
  const { buildDecoderTables } = await import('../src-main/vmm/cpu/isa/decoder-tables')
  writeFileSync(join(OUT, 'decoder-tables.bin'), buildDecoderTables())
}

async function writeExecutions(): Promise<void> {
  const { executionTable } = await import('../src-main/vmm/cpu/translator/translatable')
  writeFileSync(join(OUT, 'executions.bin'), executionTable())
}

async function bundleCompileWorker(): Promise<void> {
  const outfile = join(OUT, 'compile-worker.cjs')
  await bundle({
    entryPoints: [join(CPU, 'engines/compile-worker.ts')], outfile,
    bundle: true, platform: 'node', target: 'node18', format: 'cjs', sourcemap: true, logLevel: 'warning',
    // fields are assigned, not defined, which takes V8 longer until code is hot: an eighth of what emitting costs
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  })
}

async function build(): Promise<void> {
  // takes no time, so it is never stale
  mkdirSync(OUT, { recursive: true })
  await bundleCompileWorker()
  const debug = process.argv.includes('--debug')
  const hash = hashOf([...sources(CPU), fileURLToPath(import.meta.url), join(ROOT, 'package-lock.json')]) + (debug ? '-debug' : '')
  if (isUpToDate(hash)) return say('core: up to date')
  say('core: building')
  const wasm = await compileCore(debug)
  const coreExports = new Set(WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name))
  writeFileSync(join(OUT, 'core.wasm'), wasm)
  say(`  core.wasm: ${coreExports.size} exports, ${Math.round(wasm.length / 1024)} KiB`)
  await writeDecoderTables()
  await writeExecutions()
  const counts = await buildInterpreterModule(coreExports)
  writeFileSync(STAMP, JSON.stringify({ hash, ...counts }))
}

await build()
