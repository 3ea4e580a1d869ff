import { describe, expect, it } from 'vitest'
import { executeDisk, type DiskAction } from './scsi-disk'

function run(cdb: readonly number[], readOnly: boolean = false): DiskAction {
  const bytes = new Uint8Array(32)
  bytes.set(cdb)
  return executeDisk({ blocks: 0x20000, readOnly, serial: 'VT00001' }, new DataView(bytes.buffer))
}

describe('commands of a SCSI disk', () => {
  it('take 0 blocks of READ (6) as 256, and 21 bits of address', () => {
    expect(run([0x08, 0xe1, 0, 5, 0])).toEqual({ kind: 'read', lba: 0x10005, count: 256, durable: false })
  })

  it('may force writes to last', () => {
    expect(run([0x2a, 8, 0, 0, 0, 1, 0, 0, 2])).toMatchObject({ kind: 'write', durable: true })
  })

  it('refuse writes to a disk that is write-protected, and MODE SENSE says so', () => {
    expect(run([0x2a, 0, 0, 0, 0, 1, 0, 0, 2], true)).toEqual({ kind: 'sense', sense: { key: 7, code: 0x27, qualifier: 0 } })
    expect(run([0x1a, 0, 8, 0, 255], true)).toMatchObject({ data: expect.objectContaining({ 2: 0x90 }) as unknown })
  })

  it('refuse pages that are not there', () => {
    expect(run([0x12, 1, 0xb5, 0, 64])).toMatchObject({ kind: 'sense' })
    expect(run([0x1a, 0, 0x1c, 0, 255])).toMatchObject({ kind: 'sense' })
  })

  it('write zeroes only without a buffer and without unmapping', () => {
    expect(run([0x93, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 3])).toEqual({ kind: 'zeroes', lba: 9, count: 3 })
    expect(run([0x93, 9, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 3])).toMatchObject({ kind: 'sense' })
  })
})
