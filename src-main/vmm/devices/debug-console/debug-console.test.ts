import { expect, it } from 'vitest'
import { NullCharBackend, QueueCharBackend } from '../../backends/chardev/char-backend'
import { describeDevice } from '../../testing/describe-device'
import { DebugConsole } from './debug-console'

describeDevice(
  'debug-console',
  () => ({ device: new DebugConsole(new NullCharBackend()) }),
  ({ device }) => {
    if (device instanceof DebugConsole) device.pioWrite(0x80, 1, 0xaa)
  },
)

it('debug-console takes bytes on both ports and says that it is there', () => {
  const bytes: number[] = []
  const device = new DebugConsole(new QueueCharBackend((byte) => bytes.push(byte)))
  device.pioWrite(0xe9, 1, 0x41)
  device.pioWrite(0x402, 1, 0x42)
  expect(bytes).toEqual([0x41, 0x42])
  expect(device.pioRead(0xe9)).toBe(0xe9)
})
