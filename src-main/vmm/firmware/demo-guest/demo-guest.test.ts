import { describe, expect, it } from 'vitest'
import { buildDemoDisk, buildDemoDiskFrom, DEMO_DISK_SECTORS } from '.'

describe('demo guest', () => {
  it('is a bootable disk of 1 MiB with the guest behind the boot sector', () => {
    const image = buildDemoDisk()
    expect(image.length).toBe(DEMO_DISK_SECTORS * 512)
    expect([image[510], image[511]]).toEqual([0x55, 0xaa])
    expect(Buffer.from(image).includes('vitrine> ')).toBe(true)
    // The sector that its disk command counts in is free.
    expect(image.subarray(1024 * 512, 1025 * 512).every((byte) => byte === 0)).toBe(true)
  })
  it('refuses a guest that does not fit', () => {
    expect(() => buildDemoDiskFrom({ boot: 'times 512 db 0', guest: 'times 30000 db 0' })).toThrow('more than 48')
  })
})
