/**
 * Interpreter and translator side by side, compared at every exit of a region: a Debian kernel from power-on through user space to power-off. The program that it runs is
 * the bench's: integer code, SSE2, x87, system calls, fork and exec, page faults, gzip, checksums at each end.
 */
import { describe, expect, it } from 'vitest'
import { bootArguments } from '../../tools/bench/guest/peers'
import { buildGuestProgram } from '../../tools/bench/guest/program'
import { installerKernel, missing, type Architecture } from './images/files'
import { runGuest } from './run-guest'

/** Per cent of the bench's work. */
const SCALE = '1'
const SECTIONS = ['integer', 'sse', 'x87', 'system', 'memory']
const INSTRUCTIONS_MIN = 500_000_000
const TIMEOUT_SECONDS = 850

const ARCHITECTURES: readonly Architecture[] = ['amd64', 'i386']

describe.each(ARCHITECTURES)('interpreter and translator in lockstep, %s', (architecture) => {
  const why = process.env['VITRINE_LONG'] === '1' ? missing(installerKernel(architecture)) : 'long: npm run test:guests'
  it.skipIf(why !== undefined)(`agree from power-on to power-off of a Debian kernel${why ? ` (${why})` : ''}`, async () => {
    const guest = buildGuestProgram(architecture)
    const args = [...bootArguments(guest, ['run', SCALE, ...SECTIONS]), '--clock', 'instructions']
    const { status, serial, errors, stats } = await runGuest({ name: `lockstep-${architecture}`, args, timeoutSeconds: TIMEOUT_SECONDS, engine: 'lockstep' })
    expect(errors).toBe('')
    expect(status).toBe(0)
    for (const section of ['integer/sort', 'sse/nbody', 'x87/nbody', 'system/fork-exec', 'memory/gzip']) expect(serial).toMatch(new RegExp(`@end ${section} [0-9a-f]{8}`))
    expect(serial).toContain('@done')
    expect(stats?.instructions).toBeGreaterThan(INSTRUCTIONS_MIN)
  })
})
