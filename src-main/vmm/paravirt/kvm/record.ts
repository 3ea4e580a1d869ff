/** Records in the guest's memory that the guest reads while the host may write them: a version that is odd meanwhile, and another afterwards. */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa, type Gpa } from '../../support/branded'
import { ENABLED } from './registers'
import type { Msr } from './state'

/** The place that an MSR gives, whatever its low bits say. */
export function addressIn([low, high]: Msr, alignment: number): Gpa {
  return gpa(high * 0x100000000 + ((low & ~(alignment - 1)) >>> 0))
}

export const isEnabled = ([low]: Msr): boolean => (low & ENABLED) !== 0

/** `fill` writes the rest of the record, whose bytes are as the guest has them. */
export function updateRecord(memory: GuestMemory, address: Gpa, bytes: number, versionAt: number, fill: (record: DataView) => void): void {
  const data = new Uint8Array(bytes)
  memory.read(address, data)
  const record = new DataView(data.buffer)
  const busy = (record.getUint32(versionAt, true) | 1) >>> 0
  memory.writeU32(gpa(address + versionAt), busy)
  fill(record)
  record.setUint32(versionAt, busy, true)
  memory.write(address, data)
  memory.writeU32(gpa(address + versionAt), (busy + 1) >>> 0)
}
