/**
 * One machine's linear memory with what runs on it: the core's helpers and the interpreter, compiled once per process and instantiated for
 * each machine. The modules are built into out/core (tools/build-core.ts).
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gpa } from '../support/branded'
import { VmmError } from '../errors/vmm-error'
import type { CpuIo } from './engine'
import { DECODER_TABLES, DECODER_TABLES_BYTES, RAM_BASE, SCRATCH, VCPU_BASE, VCPU_STRIDE } from './layout'
import { HYPERCALL_DONE, HYPERCALL_HALT, HYPERCALL_UNDEFINED } from './layout-system'
import { tuneWebAssembly } from './v8-flags'

const PAGE_BYTES = 0x10000
const HYPERCALL_ANSWERS = { undefined: HYPERCALL_UNDEFINED, done: HYPERCALL_DONE, halt: HYPERCALL_HALT } as const
/** What 32-bit addresses reach. */
const MEMORY_MAX_BYTES = 0x100000000

export interface MachineCoreOptions {
  /** Guest RAM, and room after it for ROMs, video memory and the like (allocated by the caller from RAM_BASE + ramBytes). */
  readonly ramBytes: number
  readonly extraBytes: number
  readonly io: CpuIo
  /** Decoder tables for a processor with other features than the default. */
  readonly decoderTables?: Uint8Array
  /** Folder of core.wasm, interpreter.wasm and decoder-tables.bin. */
  readonly directory?: string
}

/** What an engine that translates provides: called from inside guest execution; may read and write memory and its own tables, but not run the guest. */
export interface RegionHost {
  /** A block has run HOT_THRESHOLD times. `block`: address of its header. Its BLOCK_ENTRY is looked at again afterwards. */
  wanted(vcpu: number, block: number): void
  /**
   * Decoded code of a page with CODE_PAGE_WATCHED set was dropped: no region that has any of these bytes may be entered any more. 0 bytes: nothing
   * that was decoded is left on any page.
   */
  codeDropped(gpa: number, bytes: number): void
  /** A block of a region does not find the x87's stack as it expects it; the region is being left. */
  blockRefused(gpa: number, key: number): void
}

const NO_REGIONS: RegionHost = { wanted: () => undefined, codeDropped: () => undefined, blockRefused: () => undefined }
/** Slots of the function table. */
export const REGION_TABLE_SLOTS = 16384

/** Functions of the core, by name; all numbers are i32 or f64. */
export type CoreFunction = (...args: readonly number[]) => number
/** Functions of the core with 64-bit parameters or results. */
export type CoreFunction64 = (...args: readonly (number | bigint)[]) => number | bigint

export interface MachineCore {
  readonly memory: WebAssembly.Memory
  /** Runs the vCPU until the budget is used up or something else ends it; EXIT_*. */
  readonly run: (vcpu: number) => number
  /** Functions of translated code, (vcpu, selector) -> STATUS_*, that the run loop calls by the slots in BLOCK_ENTRY words. */
  readonly regionTable: WebAssembly.Table
  /** Set by an engine that translates; until then nothing is done. */
  regionHost: RegionHost
  /** What translated code imports as module 'core': the core's functions, and the interpreter's that are made for it. */
  readonly coreExports: WebAssembly.Instance['exports']
  /** A function of the core. Throws when there is none. */
  core(name: string): CoreFunction
  core64(name: string): CoreFunction64
  /** Whether the core has a function. */
  has(name: string): boolean
}

interface Modules {
  readonly core: WebAssembly.Module
  readonly interpreter: WebAssembly.Module
  readonly decoderTables: Uint8Array
}

const loaded = new Map<string, Modules>()

export function createMachineCore(options: MachineCoreOptions): MachineCore {
  const modules = loadModules(options.directory ?? findDirectory())
  const memory = allocate(RAM_BASE + options.ramBytes + options.extraBytes)
  const tables = options.decoderTables ?? modules.decoderTables
  if (tables.length > DECODER_TABLES_BYTES) throw new VmmError('internal/bug', `decoder tables of ${tables.length} bytes do not fit`)
  new Uint8Array(memory.buffer, DECODER_TABLES, tables.length).set(tables)

  const host = {
    ...hostFunctions(options.io, memory),
    region_wanted: (vcpu: number, block: number): void => machine.regionHost.wanted(vcpu, block >>> 0),
    code_dropped: (address: number, bytes: number): void => machine.regionHost.codeDropped(address, bytes >>> 0),
    block_refused: (address: number, key: number): void => machine.regionHost.blockRefused(address, key >>> 0),
  }
  const regionTable = new WebAssembly.Table({ element: 'anyfunc', initial: REGION_TABLE_SLOTS, maximum: REGION_TABLE_SLOTS })
  const core = new WebAssembly.Instance(modules.core, { env: { memory }, host }).exports
  const interpreter = new WebAssembly.Instance(modules.interpreter, { env: { memory, regions: regionTable }, core }).exports
  const find = (name: string): CoreFunction => {
    const fn = core[name]
    if (typeof fn !== 'function') throw new VmmError('internal/bug', `the core has no function ${name}`)
    return fn as CoreFunction
  }
  const { run, ...shared } = interpreter
  if (typeof run !== 'function') throw new VmmError('internal/bug', 'the interpreter has no run loop')
  const machine: MachineCore = {
    memory,
    run: run as (vcpu: number) => number,
    regionTable,
    regionHost: NO_REGIONS,
    coreExports: { ...core, ...shared },
    core: find,
    core64: (name) => find(name) as CoreFunction64,
    has: (name) => typeof core[name] === 'function',
  }
  return machine
}

function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES)
  if (pages * PAGE_BYTES > MEMORY_MAX_BYTES) {
    throw new VmmError('memory/too-much', `the machine would need ${Math.ceil(bytes / 2 ** 20)} MiB; at most 4096 MiB are possible`)
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  } catch (cause) {
    throw new VmmError('memory/too-much', `the host has no ${Math.ceil(bytes / 2 ** 20)} MiB of memory for the machine`, { cause })
  }
}

/** What the core and the handlers import from the machine around them. */
function hostFunctions(io: CpuIo, memory: WebAssembly.Memory): Record<string, (...args: number[]) => number | void> {
  const view = new DataView(memory.buffer)
  const width = (bytes: number): 1 | 2 | 4 => (bytes === 1 || bytes === 2 ? bytes : 4)
  return {
    pio_read: (_vcpu, port, bytes) => io.pioRead(port! & 0xffff, width(bytes!)),
    pio_write: (_vcpu, port, bytes, value) => io.pioWrite(port! & 0xffff, width(bytes!), value! >>> 0),
    mmio_read: (_vcpu, address, bytes) => io.mmioRead(gpa(address!), width(bytes!)),
    mmio_write: (_vcpu, address, bytes, value) => io.mmioWrite(gpa(address!), width(bytes!), value! >>> 0),
    read_tsc: () => io.readTsc(),
    acknowledge_interrupt: () => io.acknowledgeInterrupt(),
    read_task_priority: () => io.readTaskPriority(),
    write_task_priority: (_vcpu, value) => io.writeTaskPriority(value!),
    read_msr: (vcpu, index) => {
      const value = io.readMsr(index! >>> 0)
      if (value === undefined) return 0
      view.setUint32(vcpu! + SCRATCH, value[0], true)
      view.setUint32(vcpu! + SCRATCH + 4, value[1], true)
      return 1
    },
    write_msr: (_vcpu, index, low, high) => (io.writeMsr(index! >>> 0, low! >>> 0, high! >>> 0) ? 1 : 0),
    call_hypervisor: (vcpu) => HYPERCALL_ANSWERS[io.hypercall?.((vcpu! - VCPU_BASE) / VCPU_STRIDE) ?? 'undefined'],
    float_error: () => (io.floatError?.() === true ? 1 : 0),
    unknown_opcode: (_vcpu, opcode) => io.unknownOpcode(opcode! >>> 0),
  }
}

function loadModules(directory: string): Modules {
  let modules = loaded.get(directory)
  if (modules === undefined) {
    tuneWebAssembly()
    const file = (name: string): Uint8Array<ArrayBuffer> => readPart(join(directory, name))
    modules = {
      core: new WebAssembly.Module(file('core.wasm')),
      interpreter: new WebAssembly.Module(file('interpreter.wasm')),
      decoderTables: file('decoder-tables.bin'),
    }
    loaded.set(directory, modules)
  }
  return modules
}

function readPart(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    throw new VmmError('installation/incomplete', `${path} cannot be read; install Vitrine again, or run npm run build:core in its sources`, { cause })
  }
}

/** out/core of the package, wherever this code runs from: sources, out/cli or out/main. */
function findDirectory(): string {
  let folder = ownFolder()
  for (;;) {
    for (const candidate of [join(folder, 'out/core'), join(folder, 'core')]) {
      if (existsSync(join(candidate, 'interpreter.wasm'))) return candidate
    }
    const parent = dirname(folder)
    if (parent === folder) throw new VmmError('installation/incomplete', 'out/core/interpreter.wasm is missing from the installation; install Vitrine again, or run npm run build:core in its sources')
    folder = parent
  }
}

/** CommonJS bundles have __dirname, modules import.meta.url. */
function ownFolder(): string {
  return typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url))
}
