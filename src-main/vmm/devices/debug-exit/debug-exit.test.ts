import { expect, it } from 'vitest'
import { describeDevice } from '../../testing/describe-device'
import { DebugExit } from './debug-exit'

describeDevice(
  'debug-exit',
  () => ({ device: new DebugExit(() => undefined) }),
  ({ device }) => {
    if (device instanceof DebugExit) device.pioWrite(0xf4, 1, 7)
  },
)

it('debug-exit turns the value into an odd status', () => {
  const statuses: number[] = []
  const device = new DebugExit((status) => statuses.push(status))
  device.pioWrite(0xf4, 1, 0x10)
  device.pioWrite(0xf4, 4, 0)
  expect(statuses).toEqual([0x21, 1])
})
