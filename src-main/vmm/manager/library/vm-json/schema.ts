/**
 * vm.json, the file that says what a VM is (docs/vm-json.md). Every key but `version`, `id` and `name` has a default, so that a file written by hand can
 * be short. Keys that are not known here are kept by whoever writes the file (json-document.ts). Each leaf says what is expected of it in words (expected.ts).
 */
import { z } from 'zod'
import { CPU_FEATURES } from '../../../cpu/cpuid'
import { DEFAULT_VIDEO_MEMORY_MIB, DISK_CACHES, ENGINES, MAX_MEMORY_MIB, MIN_MEMORY_MIB, VIDEO_MEMORY_MIB } from '../../../machine/config'
import { expected } from './expected'
import { CLOSE_ACTIONS, CRASH_ACTIONS, GUEST_FAMILIES, LOG_LEVELS, type CdromJson, type DiskJson, type SerialPortJson, type VmJson } from './types'

export const VM_JSON_VERSION = 1

const leaf = <T>(wanted: string, check: (value: unknown) => boolean): z.ZodType<T> => z.custom<T>(check, { error: wanted })
const choice = (words: readonly (string | number)[]): string => expected(words.length > 1 ? 'one-of' : 'value', { words: words.map((word) => JSON.stringify(word)).join(', ') })
const whole = (low: number, high: number): z.ZodType<number> => leaf(expected('whole', { low, high }), (value) => typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high)
const flag = (): z.ZodType<boolean> => leaf(expected('flag'), (value) => typeof value === 'boolean')
const oneOf = <const T extends readonly (string | number)[]>(...words: T): z.ZodType<T[number]> => leaf(choice(words), (value) => words.some((word) => word === value))
/** Without control characters: these texts go into one-line messages, logs and terminals. Lone surrogates would not survive a file. */
const isPlain = (value: unknown, most: number): value is string => typeof value === 'string' && value.length <= most && /^[^\p{Cc}\p{Cs}]*$/u.test(value)
const line = (most: number): z.ZodType<string> => leaf(expected('line', { most }), (value) => isPlain(value, most))
const path = (): z.ZodType<string> => leaf(expected('path'), (value) => isPlain(value, 4095) && value.trim() !== '')
const list = <T>(item: z.ZodType<T>, most: number): z.ZodType<T[]> => z.array(item, { error: expected('list') }).max(most, { error: expected('short-list', { most }) })
const group = <S extends z.ZodRawShape>(shape: S): z.ZodObject<S> => z.object(shape, { error: expected('object', { braces: '{ ... }' }) })

export const MAX_NAME_LENGTH = 80
const MAX_DESCRIPTION_LENGTH = 65536

export function isVmName(value: unknown): value is string {
  return isPlain(value, MAX_NAME_LENGTH) && value.trim() === value && value !== ''
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const Model = group({
  vendor: leaf<string>(expected('vendor'), (value) => typeof value === 'string' && /^[\x20-\x7e]{12}$/.test(value)).optional(),
  brand: leaf<string>(expected('brand'), (value) => typeof value === 'string' && /^[\x20-\x7e]{1,47}$/.test(value)).optional(),
  family: whole(0, 255).optional(),
  model: whole(0, 255).optional(),
  stepping: whole(0, 15).optional(),
  disabled: list(leaf<string>(expected('feature', { words: CPU_FEATURES.join(' ') }), (value) => typeof value === 'string' && CPU_FEATURES.includes(value.toUpperCase())), 100).default([]),
})
const Module = group({ file: path(), commandLine: line(4095).default('') })
const Kernel = group({
  file: path(),
  initrd: path().optional(),
  commandLine: line(4095).default(''),
  entry: oneOf('auto', 16, 32, 64).default('auto'),
  modules: list(Module, 32).default([]),
})
const Disk = group({ file: path(), readOnly: flag().default(false), cache: oneOf(...DISK_CACHES).default('writeback') })
const Cdrom = group({ file: path().optional(), connected: flag().default(true) })
const SERIAL_KINDS = [
  group({ kind: z.literal('terminal') }),
  group({ kind: z.literal('file'), file: path() }),
  group({ kind: z.literal('tcp'), port: whole(1, 65535), protocol: oneOf('raw', 'telnet').default('raw') }),
  group({ kind: z.literal('none') }),
] as const
const SerialPort = z.discriminatedUnion('kind', SERIAL_KINDS, { error: choice(['terminal', 'file', 'tcp', 'none']) })
const Firmware = z.discriminatedUnion('kind', [group({ kind: z.literal('builtin') }), group({ kind: z.literal('file'), file: path(), vgaBios: path().optional() })], { error: choice(['builtin', 'file']) })

const Hardware = group({
  memoryMiB: whole(MIN_MEMORY_MIB, MAX_MEMORY_MIB).default(256),
  processors: group({ count: whole(1, 64).default(1), model: Model.prefault({}) }).prefault({}),
  engine: oneOf(...ENGINES).default('translator'),
  clock: oneOf('host', 'instructions').default('host'),
  firmware: Firmware.prefault({ kind: 'builtin' }),
  boot: group({
    order: list(oneOf('disk', 'cdrom'), 2).default(['disk', 'cdrom']),
    menu: flag().default(false),
    kernel: Kernel.optional(),
  }).prefault({}),
  display: group({ videoMemoryMiB: oneOf(...VIDEO_MEMORY_MIB).default(DEFAULT_VIDEO_MEMORY_MIB) }).prefault({}),
  demoDisk: flag().default(false),
  disks: list<DiskJson>(Disk, 16).default([]),
  cdroms: list<CdromJson>(Cdrom, 16).default([]),
  serialPorts: list<SerialPortJson>(SerialPort, 4).default([{ kind: 'terminal' }]),
})

const Options = group({
  power: group({ powerOff: oneOf('soft', 'hard').default('hard'), reset: oneOf('soft', 'hard').default('hard') }).prefault({}),
  onClose: oneOf(...CLOSE_ACTIONS).default('ask'),
  guestCrash: oneOf(...CRASH_ACTIONS).default('stop'),
  logLevel: oneOf(...LOG_LEVELS).default('info'),
  isolation: group({ paste: flag().default(true) }).prefault({}),
})

export const vmJsonSchema: z.ZodType<VmJson> = group({
  version: oneOf(VM_JSON_VERSION),
  id: leaf<string>(expected('uuid'), (value) => typeof value === 'string' && UUID.test(value)),
  name: leaf<string>(expected('name', { most: MAX_NAME_LENGTH }), isVmName),
  description: leaf<string>(expected('text', { most: MAX_DESCRIPTION_LENGTH }), (value) => typeof value === 'string' && value.length <= MAX_DESCRIPTION_LENGTH).default(''),
  guest: group({ family: oneOf(...GUEST_FAMILIES).default('other'), system: line(200).default('') }).prefault({}),
  hardware: Hardware.prefault({}),
  options: Options.prefault({}),
})

/** Keys of the elements of each list of objects, by the list's place in the file. */
const ELEMENTS: Readonly<Record<string, readonly string[]>> = {
  'hardware.disks': Object.keys(Disk.shape),
  'hardware.cdroms': Object.keys(Cdrom.shape),
  'hardware.serialPorts': SERIAL_KINDS.flatMap((kind) => Object.keys(kind.shape)),
  'hardware.boot.kernel.modules': Object.keys(Module.shape),
}

/** Whether elements of the list at `place` have such a key; what they have besides is not ours to lose. */
export function isElementKey(place: readonly string[], key: string): boolean {
  return ELEMENTS[place.join('.')]?.includes(key) ?? false
}
