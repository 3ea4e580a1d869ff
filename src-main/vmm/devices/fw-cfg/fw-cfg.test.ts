import { describe, expect, it } from 'vitest'
import { GuestMemoryImpl, linearMemoryBytes } from '../../memory/guest-memory-impl'
import { gpa } from '../../support/branded'
import { describeDevice } from '../../testing/describe-device'
import { FwCfg } from './fw-cfg'

const memory = (): GuestMemoryImpl => new GuestMemoryImpl(new ArrayBuffer(linearMemoryBytes(0x200000, [])), 0x200000)

describeDevice(
  'fw-cfg',
  () => ({ device: new FwCfg(memory()) }),
  ({ device }) => {
    for (const claim of device.claims) {
      if (claim.kind !== 'pio') continue
      if (claim.name === 'selector') claim.handler.pioWrite(0x510, 2, 0x19)
      else claim.handler.pioWrite(0x514, 4, 0x01020304)
    }
  },
)

describe('FwCfg', () => {
  it('shows its signature byte by byte, then zeros', () => {
    const device = new FwCfg(memory())
    device.pioWrite(0x510, 2, 0)
    expect([0, 1, 2, 3, 4].map(() => device.pioRead(0x511, 1))).toEqual([0x51, 0x45, 0x4d, 0x55, 0])
  })

  it('copies a file by DMA and clears the control word', () => {
    const ram = memory()
    const device = new FwCfg(ram)
    device.addFile('etc/test', Uint8Array.of(1, 2, 3, 4))
    const view = new DataView(new ArrayBuffer(16))
    view.setUint32(0, (0x20 << 16) | 8 | 2)
    view.setUint32(4, 4)
    view.setBigUint64(8, 0x5000n)
    ram.write(gpa(0x4000), new Uint8Array(view.buffer))
    device.pioWrite(0x518, 4, 0x00400000) // 4000h, big-endian
    expect(ram.readU32(gpa(0x5000))).toBe(0x04030201)
    expect(ram.readU32(gpa(0x4000))).toBe(0)
  })

  it('refuses a DMA write with the error bit', () => {
    const ram = memory()
    const device = new FwCfg(ram)
    ram.writeU32(gpa(0x4000), 0x10000000) // write
    device.pioWrite(0x518, 4, 0x00400000)
    expect(ram.readU32(gpa(0x4000))).toBe(0x01000000)
  })
})
