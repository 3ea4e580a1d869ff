/** The command line of `vitrine run`: stable, checked, one clear line for each mistake. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { CPU_FEATURES, DEFAULT_VIDEO_MEMORY_MIB, ENGINES, MAX_CPUS, MAX_IDE_DRIVES, MAX_MEMORY_MIB, MIN_MEMORY_MIB, VIDEO_MEMORY_MIB, VmmError, type CpuModelOptions, type DiskImage, type MachineConfig, type VideoMemoryMiB } from '../vmm'
import { bad, flag, list, splitArguments, text, type OptionValues } from './arguments'

export interface RunOptions {
  readonly machine: MachineConfig
  readonly serial: { readonly kind: 'stdio' } | { readonly kind: 'none' } | { readonly kind: 'file'; readonly path: string }
  /** What the guest writes to ports E9h and 402h. */
  readonly debugConsole: RunOptions['serial']
  readonly timeoutSeconds: number | undefined
  readonly until: RegExp | undefined
  readonly script: string | undefined
  readonly screenshot: string | undefined
  readonly stopAt: number | undefined
  readonly saveState: string | undefined
  readonly loadState: string | undefined
  readonly stats: string | undefined
  readonly regionDumps: readonly RegionDump[]
}

/** Translated code that is shown at exit. */
export interface RegionDump {
  /** As it was asked for. */
  readonly wanted: string
  readonly what:
    /** All about the regions that have the instruction at an address. */
    | { readonly kind: 'at'; readonly address: bigint }
    /** All about the hottest ones. */
    | { readonly kind: 'hottest'; readonly count: number }
    /** One line for each of the hottest. */
    | { readonly kind: 'list'; readonly count: number }
  /** undefined: standard output. */
  readonly path: string | undefined
}

const OPTIONS = {
  engine: text, memory: text, 'video-memory': text, cpus: text, cpu: text, clock: text, firmware: text, 'vga-bios': text, boot: text, 'boot-menu': flag, kernel: text, initrd: text,
  append: text, 'linux-entry': text, module: list, disk: list, cdrom: list, serial: text, 'debug-exit': flag, 'debug-console': text, timeout: text, until: text, script: text,
  screenshot: text, 'stop-at': text, 'save-state': text, 'load-state': text, stats: text,
  'dump-region': list, regions: text,
} as const


export function parseRunOptions(args: readonly string[]): RunOptions {
  const { values } = splitArguments(args, OPTIONS)
  const disks = (values.disk ?? []).map(parseDisk)
  const cdroms = values.cdrom ?? []
  if (disks.length + cdroms.length > MAX_IDE_DRIVES) {
    throw new VmmError('config/contradiction', `--disk, --cdrom: ${disks.length + cdroms.length} drives, but the IDE controller takes ${MAX_IDE_DRIVES}; leave some out`)
  }
  for (const option of ['initrd', 'append', 'linux-entry'] as const) {
    if (values[option] !== undefined && values.kernel === undefined) throw new VmmError('config/contradiction', `--${option}: belongs to --kernel, which is not given; add --kernel PATH`)
  }
  if (values.module && values.kernel === undefined) throw new VmmError('config/contradiction', '--module: belongs to --kernel, which is not given; add --kernel PATH')
  const firmware = values.firmware ?? 'builtin'
  if (values.kernel !== undefined && firmware !== 'builtin') throw new VmmError('config/contradiction', '--kernel boots without a firmware image; leave out --firmware or --kernel')
  if (values['vga-bios'] !== undefined && firmware === 'builtin') throw new VmmError('config/contradiction', '--vga-bios: the built-in BIOS has its own; add --firmware PATH or leave it out')
  if (values.until !== undefined && values.script !== undefined) throw new VmmError('config/contradiction', '--until and --script both say when to end; use "expect" in the script')
  if (values['boot-menu'] && firmware !== 'builtin') throw new VmmError('config/contradiction', '--boot-menu: is the built-in BIOS\'s; leave out --firmware or --boot-menu')
  if (values['boot-menu'] && values.kernel !== undefined) throw new VmmError('config/contradiction', '--boot-menu: --kernel boots without one; leave out --kernel or --boot-menu')
  refuseTwice(disks)
  const nothingToBoot = values.kernel === undefined && disks.length === 0 && cdroms.length === 0

  const machine: MachineConfig = {
    engine: choice('engine', values.engine, ENGINES, 'translator'),
    memoryMiB: integer('memory', values.memory, MIN_MEMORY_MIB, MAX_MEMORY_MIB, 256),
    videoMemoryMiB: parseVideoMemory(values['video-memory']),
    cpus: integer('cpus', values.cpus, 1, MAX_CPUS, 1),
    cpu: parseCpu(values.cpu),
    clock: choice('clock', values.clock, ['host', 'instructions'], 'host'),
    firmware,
    ...(values['vga-bios'] === undefined ? {} : { vgaBios: values['vga-bios'] }),
    boot: parseBoot(values.boot),
    bootMenu: values['boot-menu'] ?? false,
    ...(values.kernel === undefined ? {} : { kernel: values.kernel }),
    ...(values.initrd === undefined ? {} : { initrd: values.initrd }),
    append: values.append ?? '',
    ...(values['linux-entry'] === undefined ? {} : { linuxEntry: parseEntry(values['linux-entry']) }),
    modules: (values.module ?? []).map(parseModule),
    disks,
    cdroms: cdroms.map((path) => ({ path })),
    demo: nothingToBoot && firmware === 'builtin',
    debugExit: values['debug-exit'] ?? false,
  }
  return {
    machine,
    serial: parseOutput('serial', values.serial ?? 'stdio'),
    debugConsole: parseOutput('debug-console', values['debug-console'] ?? 'none'),
    timeoutSeconds: values.timeout === undefined ? undefined : number('timeout', values.timeout),
    until: values.until === undefined ? undefined : regex('--until', values.until),
    script: values.script,
    screenshot: values.screenshot,
    stopAt: values['stop-at'] === undefined ? undefined : integer('stop-at', values['stop-at'], 0, Number.MAX_SAFE_INTEGER, 0),
    saveState: values['save-state'],
    loadState: values['load-state'],
    stats: values.stats,
    regionDumps: parseDumps(values, machine.engine),
  }
}

type Values = OptionValues<typeof OPTIONS>

/** Two writers to one image would ruin it. */
function refuseTwice(disks: readonly { readonly path: string; readonly readOnly: boolean }[]): void {
  const paths = new Map<string, boolean>()
  for (const { path, readOnly } of disks) {
    const whole = resolve(path)
    if (paths.has(whole) && !(readOnly && paths.get(whole))) throw new VmmError('config/contradiction', `--disk ${path}: given twice; leave one out, or add ",ro" to both`)
    paths.set(whole, readOnly)
  }
}

function choice<const T extends string>(option: string, value: string | undefined, allowed: readonly T[], otherwise: T): T {
  if (value === undefined) return otherwise
  const found = allowed.find((name) => name === value)
  if (found === undefined) throw bad(`--${option} ${value}: not known; choose ${allowed.join(' or ')}`)
  return found
}

function integer(option: string, value: string | undefined, low: number, high: number, otherwise: number): number {
  if (value === undefined) return otherwise
  const parsed = z.coerce.number().int().min(low).max(high).safeParse(value.trim() === '' ? 'x' : value)
  if (!parsed.success) throw bad(`--${option} ${value}: must be a whole number ${low === high ? `(${low} for now)` : `from ${low} to ${high}`}`)
  return parsed.data
}

function number(option: string, value: string): number {
  const parsed = z.coerce.number().positive().finite().safeParse(value.trim() === '' ? 'x' : value)
  if (!parsed.success) throw bad(`--${option} ${value}: must be a number of seconds above 0`)
  return parsed.data
}

export function regex(where: string, source: string): RegExp {
  try {
    return new RegExp(source, 'm')
  } catch (error) {
    throw bad(`${where} ${source}: not a regular expression (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** Only these words at the end are not part of the path, which may have commas. */
function parseDisk(value: string): DiskImage {
  const words = new Set<string>()
  let path = value
  for (let end = /,(ro|writethrough)$/.exec(path); end; end = /,(ro|writethrough)$/.exec(path)) {
    words.add(end[1] ?? '')
    path = path.slice(0, end.index)
  }
  if (path === '') throw bad(`--disk ${value}: no path; give PATH, PATH,ro or PATH,writethrough`)
  return { path, readOnly: words.has('ro'), ...(words.has('writethrough') ? { cache: 'writethrough' } : {}) }
}

function parseModule(value: string): { readonly path: string; readonly commandLine: string } {
  const path = value.trim().split(/\s+/)[0] ?? ''
  if (path === '') throw bad('--module: no path; give "PATH ARGS"')
  return { path, commandLine: value.trim() }
}

function parseBoot(value: string | undefined): readonly ('disk' | 'cdrom')[] {
  const order = (value ?? 'disk,cdrom').split(',').map((name) => choice('boot', name.trim(), ['disk', 'cdrom'], 'disk'))
  if (new Set(order).size !== order.length) throw bad(`--boot ${value ?? ''}: names a device twice`)
  return order
}

function parseVideoMemory(value: string | undefined): VideoMemoryMiB {
  if (value === undefined) return DEFAULT_VIDEO_MEMORY_MIB
  const found = VIDEO_MEMORY_MIB.find((size) => String(size) === value)
  if (found === undefined) throw bad(`--video-memory ${value}: must be ${VIDEO_MEMORY_MIB.join(', ')} (MiB)`)
  return found
}

function parseEntry(value: string): 16 | 32 | 64 {
  return value === '16' ? 16 : value === '32' ? 32 : value === '64' ? 64 : choiceFailed(value)
}

function choiceFailed(value: string): never {
  throw bad(`--linux-entry ${value}: not known; choose 16, 32 or 64`)
}

function parseOutput(option: string, value: string): RunOptions['serial'] {
  if (value === 'stdio') return { kind: 'stdio' }
  if (value === 'none') return { kind: 'none' }
  if (value.startsWith('file:') && value.length > 5) return { kind: 'file', path: value.slice(5) }
  throw bad(`--${option} ${value}: not known; choose stdio, file:PATH or none`)
}

const MAX_REGIONS_SHOWN = 10_000
const DUMP = /^(?:hottest(?::(?<count>[^=]*))?|(?:0x)?(?<address>[0-9a-f]{1,16}))(?:=(?<path>.*))?$/is

function parseDumps(values: Values, engine: MachineConfig['engine']): readonly RegionDump[] {
  const dumps = (values['dump-region'] ?? []).map(parseDump)
  if (values.regions !== undefined) {
    const { value, path } = splitPath('regions', values.regions)
    dumps.unshift({ wanted: `--regions ${values.regions}`, what: { kind: 'list', count: integer('regions', value, 1, MAX_REGIONS_SHOWN, 1) }, path })
  }
  const [first] = dumps
  if (first && engine === 'interpreter') throw new VmmError('config/contradiction', `${first.wanted}: the interpreter translates nothing; leave out --engine interpreter`)
  return dumps
}

function parseDump(value: string): RegionDump {
  const wanted = `--dump-region ${value}`
  const { count, address } = DUMP.exec(value)?.groups ?? {}
  const { path } = splitPath('dump-region', value)
  if (address !== undefined) return { wanted, what: { kind: 'at', address: BigInt(`0x${address}`) }, path }
  if (!/^hottest(?:[:=]|$)/i.test(value)) throw bad(`${wanted}: must be a hexadecimal address, hottest or hottest:N, and =PATH after it for a file`)
  return { wanted, what: { kind: 'hottest', count: integer('dump-region hottest', count, 1, MAX_REGIONS_SHOWN, 1) }, path }
}

/** VALUE or VALUE=PATH. */
function splitPath(option: string, given: string): { readonly value: string; readonly path: string | undefined } {
  const equals = given.indexOf('=')
  if (equals < 0) return { value: given, path: undefined }
  const path = given.slice(equals + 1)
  if (path === '') throw bad(`--${option} ${given}: no path after =; leave out = for standard output`)
  return { value: given.slice(0, equals), path }
}

function parseCpu(value: string | undefined): CpuModelOptions {
  const options: { vendor?: string; brand?: string; family?: number; model?: number; stepping?: number; disabled?: string[] } = {}
  for (const part of value === undefined ? [] : value.split(',')) {
    const equals = part.indexOf('=')
    const key = equals < 0 ? part : part.slice(0, equals)
    const setting = equals < 0 ? '' : part.slice(equals + 1)
    if (key === 'vendor') {
      if (!/^[\x20-\x7e]{12}$/.test(setting)) throw bad(`--cpu vendor=${setting}: must be 12 characters, such as GenuineIntel or AuthenticAMD`)
      options.vendor = setting
    } else if (key === 'brand') {
      if (!/^[\x20-\x7e]{1,47}$/.test(setting)) throw bad(`--cpu brand=${setting}: must be 1 to 47 characters`)
      options.brand = setting
    } else if (key === 'family' || key === 'model' || key === 'stepping') options[key] = integer(`cpu ${key}`, setting, 0, key === 'stepping' ? 15 : 255, 0)
    else if (setting === 'off' && CPU_FEATURES.includes(key.toUpperCase())) (options.disabled ??= []).push(key)
    else throw bad(`--cpu ${part}: not known; choose vendor=, brand=, family=, model=, stepping=, or FEATURE=off of ${CPU_FEATURES.join(' ')}`)
  }
  return options
}
