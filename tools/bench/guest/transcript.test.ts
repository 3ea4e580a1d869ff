import { expect, test } from 'vitest'
import { Transcript } from './transcript'

test('times are those of the markers, however the text is cut', () => {
  const transcript = new Transcript()
  transcript.hear('SeaBIOS\r\nKASLR disab', 0.5)
  transcript.hear('led\r\n@in', 1)
  transcript.hear('it\r\n@begin integer/crc\r\n', 3)
  transcript.hear('[ 1.0] a word of the kernel\n@end integer/crc 0123abcd\r\n@begin sse/nbody\n', 4.5)
  expect(transcript.kernelAt).toBe(1)
  expect(transcript.initAt).toBe(3)
  expect([...transcript.sections]).toEqual([['integer/crc', { seconds: 1.5, checksum: '0123abcd' }]])
  expect(transcript.running).toEqual({ name: 'sse/nbody', at: 4.5 })
  expect(transcript.done).toBe(false)
  transcript.hear('@end sse/nbody 00000000\n@done\n', 6)
  expect(transcript.done).toBe(true)
  expect(transcript.running).toBeUndefined()
})

test('what else the guest says is kept, its last lines only', () => {
  const transcript = new Transcript()
  transcript.hear('a\nb\nc\nKernel panic\n', 1)
  expect(transcript.other).toEqual(['b', 'c', 'Kernel panic'])
})
