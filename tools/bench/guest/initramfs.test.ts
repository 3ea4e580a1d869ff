import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { archive, initramfs } from './initramfs'

test('an entry is a header of 110 characters, the name, the data, each part padded to 4 bytes; the trailer ends the archive', () => {
  const bytes = archive([{ path: 'init', mode: 0o100755, data: Uint8Array.of(1, 2, 3, 4, 5) }])
  expect(bytes.subarray(0, 6).toString()).toBe('070701')
  expect(bytes.subarray(14, 22).toString()).toBe('000081ed')
  expect(bytes.subarray(54, 62).toString()).toBe('00000005')
  expect(bytes.subarray(94, 102).toString()).toBe('00000005')
  expect(bytes.subarray(110, 116).toString()).toBe('init\0\0')
  expect([...bytes.subarray(116, 124)]).toEqual([1, 2, 3, 4, 5, 0, 0, 0])
  expect(bytes.subarray(124 + 110).toString()).toBe('TRAILER!!!\0\0\0\0')
})

const noCpio = spawnSync('cpio', ['--version']).status !== 0

test.skipIf(noCpio)('cpio lists what was put in', () => {
  const result = spawnSync('cpio', ['-t'], { input: initramfs(Uint8Array.of(0x7f)), encoding: 'utf8' })
  expect(result.stdout.trim().split('\n')).toEqual(['dev', 'dev/console', 'dev/null', 'dev/zero', 'init'])
})
