/** A whole machine as plain data, and back. Saved only when no host I/O is pending (Machine.settle). */
import type { PlainData, SavedState } from '../devices/device'
import { BUDGET, HALTED, RETIRED, SLICE } from '../cpu/layout'
import { VmmError } from '../errors/vmm-error'
import { packMemory, unpackMemory, type SavedMemoryBlock } from '../snapshot/container'
import { PAGE_BYTES } from '../memory/guest-memory-impl'
import type { MachineParts } from './machine-parts'

const SCHEMA = ['machine', 1] as const
/** Those whose size is an option of the machine. */
const BLOCK_NAMES: Readonly<Record<string, string>> = { ram: 'memory', vram: 'video memory' }

/** `packed` is told how many bytes of memory have been packed so far, of how many. */
export function saveMachine(parts: MachineParts, packed: (done: number, total: number) => void = () => undefined): PlainData {
  const { board, vcpu, clock, memory } = parts
  const devices: Record<string, PlainData> = {}
  for (const device of board.allDevices) devices[device.name] = plain(device.save())
  const view = new DataView(memory.buffer)
  return {
    schema: SCHEMA,
    clock: { ...clock.save() },
    retired: vcpu.retired,
    halted: view.getInt32(parts.vcpuBase + HALTED, true),
    vcpu: plain(vcpu.save()),
    devices,
    memory: packBlocks(parts, packed),
  }
}

function packBlocks({ board, memory }: MachineParts, packed: (done: number, total: number) => void): readonly PlainData[] {
  const total = board.blocks.reduce((sum, { bytes }) => sum + bytes, 0)
  let before = 0
  return board.blocks.map(({ name, hostOffset, bytes }) => {
    const block = packMemory(name, new Uint8Array(memory.buffer, hostOffset, bytes), (done) => packed(before + done, total))
    before += bytes
    return plain(block)
  })
}

/** The machine must be freshly made from the same configuration. */
export function loadMachine(parts: MachineParts, saved: PlainData, name: string): void {
  try {
    restore(parts, saved, name)
  } catch (error) {
    // Devices check their schema, not every field: what a damaged file trips them over is the file's fault.
    if (error instanceof VmmError) throw error
    throw new VmmError('state/wrong-format', `saved state ${name}: damaged: its contents make no sense; the file cannot be used`, { cause: error })
  }
}

function restore(parts: MachineParts, saved: PlainData, name: string): void {
  const { board, vcpu, clock, memory, vcpuBase } = parts
  const bad = (what: string): VmmError => new VmmError('state/mismatch', `saved state ${name}: ${what}; give the machine options that it was saved with`)
  const state = record(saved)
  if (!state || !Array.isArray(state['schema']) || state['schema'][0] !== SCHEMA[0] || state['schema'][1] !== SCHEMA[1]) throw bad('not a machine of this version')
  const blocks = new Map(list(state['memory']).map((block) => [text(record(block)?.['name']), block]))
  if (blocks.size !== board.blocks.length) throw bad(`holds ${blocks.size} memory blocks, this machine has ${board.blocks.length}`)
  for (const block of board.blocks) {
    const packed = memoryBlock(blocks.get(block.name))
    if (!packed) throw bad(`has no memory block ${block.name}`)
    if (packed.bytes !== block.bytes) throw bad(`${BLOCK_NAMES[block.name] ?? `memory block ${block.name}`} has ${packed.bytes} bytes, this machine's has ${block.bytes}`)
    unpackMemory(packed, new Uint8Array(memory.buffer, block.hostOffset, block.bytes))
    if (block.name === 'ram') for (const { first, pages } of packed.runs) board.markTouched(first * PAGE_BYTES, pages * PAGE_BYTES)
  }
  const view = new DataView(memory.buffer)
  view.setBigUint64(vcpuBase + RETIRED, BigInt(number(state['retired'])), true)
  view.setInt32(vcpuBase + SLICE, 0, true)
  view.setInt32(vcpuBase + BUDGET, 0, true)
  const savedClock = record(state['clock'])
  clock.load({ now: time(savedClock?.['now']), skipped: time(savedClock?.['skipped']) })
  const devices = record(state['devices']) ?? {}
  const names = new Set(Object.keys(devices))
  for (const device of board.loadOrder) {
    const deviceState = record(devices[device.name])
    if (!deviceState) throw bad(`has no device ${device.name}`)
    names.delete(device.name)
    device.load(deviceState as unknown as SavedState) // checked by the device: its schema comes first
  }
  if (names.size > 0) throw bad(`has devices that this machine lacks: ${[...names].join(', ')}`)
  vcpu.load(state['vcpu'] as unknown as Parameters<typeof vcpu.load>[0]) // checked by load: its schema comes first
  view.setInt32(vcpuBase + HALTED, number(state['halted']), true)
}

/** Saved states are plain data by contract (devices/device.ts); the types of interfaces cannot say so. */
function plain(state: unknown): PlainData {
  return state as PlainData
}

function record(value: unknown): Readonly<Record<string, PlainData>> | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array) ? (value as Readonly<Record<string, PlainData>>) : undefined
}

function list(value: PlainData): readonly PlainData[] {
  return Array.isArray(value) ? (value as readonly PlainData[]) : []
}

function text(value: PlainData): string {
  return typeof value === 'string' ? value : ''
}

function number(value: PlainData): number {
  if (typeof value !== 'number') throw new VmmError('state/wrong-format', 'saved state: a number is missing; the file is damaged')
  return value
}

/** Nanoseconds; half of the exact numbers (52 days) are left for what the machine still runs. */
function time(value: PlainData): number {
  const ns = number(value)
  if (!Number.isInteger(ns) || ns < 0 || ns > Number.MAX_SAFE_INTEGER / 2) throw new VmmError('state/wrong-format', 'saved state: its time makes no sense; the file is damaged')
  return ns
}

function memoryBlock(value: PlainData): SavedMemoryBlock | undefined {
  const block = record(value)
  if (!block) return undefined
  return {
    name: text(block['name']),
    bytes: number(block['bytes']),
    runs: list(block['runs']).map((run) => {
      const fields = record(run)
      const data = fields?.['data']
      if (!(data instanceof Uint8Array)) throw new VmmError('state/wrong-format', 'saved state: memory is missing; the file is damaged')
      return { first: number(fields?.['first']), pages: number(fields?.['pages']), data }
    }),
  }
}
