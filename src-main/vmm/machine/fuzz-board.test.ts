import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeContainer } from '../snapshot/container'
import { BoardFuzzer } from '../testing/fuzz-board'
import { Random } from '../testing/random'
import type { MachineConfig } from './config'
import { createMachine } from './create-machine'
import { saveMachine } from './saved-machine'

const STEPS = Number(process.env['VITRINE_FUZZ_STEPS'] ?? 6000)
const SEEDS = (process.env['VITRINE_FUZZ_SEEDS'] ?? '1,2').split(',').map(Number)
const MIB = 0x100000
/** No guest may hold the machine's thread longer by one access; generous, for slow and busy hosts. */
const SLOWEST_MS = 2000
const HEAP_GROWTH_BYTES = 192 * MIB

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vitrine-fuzz-'))
  await writeFile(join(folder, 'cd.iso'), new Uint8Array(256 * 2048))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const config = (): MachineConfig => ({
  engine: 'interpreter',
  memoryMiB: 8,
  cpus: 1,
  cpu: {},
  clock: 'instructions',
  firmware: 'builtin',
  boot: ['disk'],
  bootMenu: false,
  append: '',
  modules: [],
  disks: [],
  cdroms: [{ path: join(folder, 'cd.iso') }],
  demo: true,
  debugExit: false,
})

describe('a board under a hostile guest', () => {
  it.each(SEEDS)('throws nothing, hangs nowhere and does not grow (seed %i)', async (seed) => {
    const machine = await createMachine(config(), { serial: [] })
    const { parts } = machine
    try {
      const random = new Random(seed)
      await new BoardFuzzer(machine, random).run(200)
      const before = process.memoryUsage()
      const report = await new BoardFuzzer(machine, random).run(STEPS)
      const after = process.memoryUsage()
      if (process.env['VITRINE_FUZZ_STEPS'] !== undefined) process.stderr.write(`${JSON.stringify(report)} ${after.heapUsed - before.heapUsed} ${after.arrayBuffers - before.arrayBuffers}\n`)
      expect(report.slowest.ms, report.slowest.what).toBeLessThan(SLOWEST_MS)
      expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(HEAP_GROWTH_BYTES)
      expect(report.mostPending).toBeLessThan(64)
      expect(report.mostTimers).toBeLessThan(128)
      expect(parts.board.pio.routesInUse().length).toBeLessThan(64)
      expect(parts.board.mmio.routesInUse().length).toBeLessThan(64)
      // Whatever state that was, it can be saved.
      for (let i = 0; i < 1000 && parts.gate.pending > 0; i++) {
        const next = parts.deadlines.next()
        if (next !== undefined) void parts.clock.idle(next, parts.wakeable)
        parts.deadlines.runDue(parts.clock.now())
        await new Promise((resolve) => setImmediate(resolve))
        parts.gate.deliver()
      }
      expect(parts.gate.pending).toBe(0)
      expect(encodeContainer(saveMachine(machine.parts)).length).toBeGreaterThan(0)
    } finally {
      await machine.close()
    }
  }, 60_000)
})
