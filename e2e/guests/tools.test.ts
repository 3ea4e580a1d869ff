/** Test programs that come as kernels: memtest86+ and iPXE. */
import { describe, expect, it } from 'vitest'
import { IPXE, MEMTEST_IA32, MEMTEST_X64, missing } from './images/files'
import { runGuest } from './run-guest'

describe.each([
  ['x64', MEMTEST_X64],
  ['ia32', MEMTEST_IA32],
] as const)('memtest86+ %s', (name, path) => {
  const why = missing(path)
  it.skipIf(why !== undefined)(`finds no error in a minute${why ? ` (${why})` : ''}`, async () => {
    const run = await runGuest({
      name: `memtest-${name}`,
      args: ['--memory', '64', '--kernel', path],
      script: ['expect-screen Memtest86\\+', 'expect-screen Errors: +0', 'wait 60', 'screenshot @/after-a-minute.png', 'expect-screen Errors: +0'],
      timeoutSeconds: 400,
    })
    expect(run.errors).toBe('')
    expect(run.status).toBe(0)
  })
})

describe('iPXE', () => {
  const why = missing(IPXE)
  it.skipIf(why !== undefined)(`comes to its banner${why ? ` (${why})` : ''}`, async () => {
    const run = await runGuest({ name: 'ipxe', args: ['--memory', '64', '--kernel', IPXE], script: ['expect-screen iPXE .*Open Source Network Boot Firmware', 'screenshot @/banner.png'], timeoutSeconds: 200 })
    expect(run.errors).toBe('')
    expect(run.status).toBe(0)
  })
})
