/** Devices' saved states as they would go to disk, for reading. */
import type { Device } from '../../devices/device'

export type StateJson = null | boolean | number | string | readonly StateJson[] | { readonly [key: string]: StateJson }

export interface DeviceStateView {
  readonly name: string
  /** Kind and version of the saved state, "pit-8254 1". */
  readonly schema: string
  readonly state: StateJson
}

/** Longer byte strings (frame buffers, sectors) are cut: their length is told. */
const MOST_BYTES = 64
const MOST_ITEMS = 512
const DEEPEST = 8

export function deviceStateViews(devices: readonly Device[]): readonly DeviceStateView[] {
  return devices.map((device) => {
    const { schema, ...state } = device.save()
    return { name: device.name, schema: schema.join(' '), state: readable(state, 0) }
  })
}

function readable(value: unknown, depth: number): StateJson {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`
  if (value instanceof Uint8Array) return bytesText(value)
  if (depth >= DEEPEST || typeof value !== 'object') return '…'
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item: unknown) => readable(item, depth + 1))
    return value.length > MOST_ITEMS ? [...items, `… ${value.length} in all`] : items
  }
  return Object.fromEntries(Object.entries(value).map(([key, field]: [string, unknown]) => [key, readable(field, depth + 1)]))
}

function bytesText(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, MOST_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return bytes.length > MOST_BYTES ? `${shown} … ${bytes.length} bytes` : shown
}
