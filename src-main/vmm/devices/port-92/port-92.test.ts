import { describe, expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { RecordingLine } from '../../testing/fake-clock'
import { Port92 } from './port-92'

function ready(): { port: Port92; a20: RecordingLine; resets: () => number } {
  const a20 = new RecordingLine()
  let count = 0
  const port = new Port92({ a20, requestReset: () => count++ })
  return { port, a20, resets: () => count }
}

describeDevice(
  'port-92',
  () => ({ device: ready().port }),
  ({ device }) => {
    if (device instanceof Port92) device.pioWrite(0x92, 1, 0xc0)
  },
)

describe('Port92', () => {
  it('gates A20', () => {
    const { port, a20 } = ready()
    expect(a20.level).toBe(true)
    port.pioWrite(0x92, 1, 0)
    expect(a20.level).toBe(false)
    port.pioWrite(0x92, 1, 2)
    expect(a20.level).toBe(true)
  })

  it('resets on the rise of bit 0 only', () => {
    const { port, resets } = ready()
    port.pioWrite(0x92, 1, 3)
    port.pioWrite(0x92, 1, 3)
    expect(resets()).toBe(1)
  })
})
