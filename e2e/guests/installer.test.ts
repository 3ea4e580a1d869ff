/** Debian's installer by direct boot: an unmodified kernel and initrd, to its first dialog on the serial console. */
import { describe, expect, it } from 'vitest'
import { installerInitrd, installerKernel, missing, type Architecture } from './images/files'
import { runGuest } from './run-guest'

const ARCHITECTURES: readonly Architecture[] = ['amd64', 'i386']

describe.each(ARCHITECTURES)('Debian installer, %s, direct boot', (architecture) => {
  const why = missing(installerKernel(architecture), installerInitrd(architecture))
  it.skipIf(why !== undefined)(`reaches its first dialog and answers a key${why ? ` (${why})` : ''}`, async () => {
    const run = await runGuest({
      name: `installer-${architecture}`,
      args: ['--memory', '1024', '--kernel', installerKernel(architecture), '--initrd', installerInitrd(architecture), '--append', 'console=ttyS0'],
      script: ['expect Select a language', 'expect <Go Back>', 'wait 0.5', 'send \\e[B', 'wait 0.5', 'send \\r', 'expect Select your location'],
      timeoutSeconds: 800,
    })
    expect(run.errors).toBe('')
    expect(run.status).toBe(0)
    expect(run.serial).toMatch(/Linux version 6\.1/)
    expect(run.stats?.unknownOpcodes).toEqual({})
  })
})
