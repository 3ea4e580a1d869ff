import { describe, expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { RecordingLine } from '../../testing/fake-clock'
import { CoprocessorError } from './coprocessor-error'

describeDevice(
  'coprocessor-error',
  () => ({ device: new CoprocessorError({ irq: new RecordingLine(), ignoreErrors: () => undefined }) }),
  ({ device }) => {
    if (device instanceof CoprocessorError) device.raise()
  },
)

describe('CoprocessorError', () => {
  it('holds IRQ 13 until port F0h is written, which asserts IGNNE# while there is an error', () => {
    const irq = new RecordingLine()
    let ignored = 0
    const device = new CoprocessorError({ irq, ignoreErrors: () => ignored++ })
    device.pioWrite()
    expect(ignored).toBe(0)
    device.raise()
    expect(irq.level).toBe(true)
    device.pioWrite()
    expect([irq.level, ignored]).toEqual([false, 1])
  })
})
