/**
 * With --clock instructions a run is a function of its inputs: twice the same, the same with a save, a new process and a load in between, and the same on
 * the interpreter and on the translator.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readContainer } from '../../src-main/vmm/snapshot/container'
import { installerInitrd, installerKernel, missing } from './images/files'
import { runGuest, withScratch } from './run-guest'

/** The kernel has decompressed itself and runs with paging, timers and interrupts at the first; much of its start lies between the two. */
const SAVE_AT = 2_600_000_000
const STOP_AT = 3_200_000_000

interface SavedVcpu {
  readonly vcpu: { readonly tlb: Uint8Array }
}

/**
 * A saved machine without what its TLB holds, which is not architectural: a region remembers pages and looks them up less often, and when a region takes over
 * from the interpreter depends on the compile thread.
 */
async function comparable(path: string): Promise<string> {
  const { vcpu, ...rest } = (await readContainer(path)) as unknown as SavedVcpu
  const text = JSON.stringify([rest, { ...vcpu, tlb: undefined }], (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value))
  return createHash('sha256').update(text).digest('hex')
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('--clock instructions', () => {
  const why = missing(installerKernel('i386'), installerInitrd('i386'))
  it.skipIf(why !== undefined)(`Debian's kernel is in the same state after N instructions, saved and loaded or not${why ? ` (${why})` : ''}`, async () => {
    await withScratch(async (folder) => {
      const machine = ['--memory', '256', '--clock', 'instructions', '--kernel', installerKernel('i386'), '--initrd', installerInitrd('i386'), '--append', 'console=ttyS0']
      const state = (name: string): string => join(folder, name)
      const run = async (name: string, args: readonly string[], engine: 'interpreter' | 'translator' = 'translator'): Promise<void> => {
        const { status, errors } = await runGuest({ name: `replay-${name}`, engine, args: [...machine, ...args, '--save-state', state(name)], timeoutSeconds: 400 })
        expect(errors).toBe('')
        expect(status).toBe(0)
      }
      await run('whole', ['--stop-at', String(STOP_AT)])
      await run('half', ['--stop-at', String(SAVE_AT)])
      await run('continued', ['--load-state', state('half'), '--stop-at', String(STOP_AT)])
      expect(await comparable(state('continued'))).toBe(await comparable(state('whole')))
      await run('again', ['--stop-at', String(SAVE_AT)])
      expect(await comparable(state('again'))).toBe(await comparable(state('half')))
      await run('interpreted', ['--stop-at', String(SAVE_AT)], 'interpreter')
      expect(await comparable(state('interpreted'))).toBe(await comparable(state('half')))
    })
  })
})
