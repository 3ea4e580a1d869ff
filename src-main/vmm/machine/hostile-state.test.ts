import { expect, it } from 'vitest'
import type { PlainData } from '../devices/device'
import { VmmError } from '../errors/vmm-error'
import { decodeContainer, encodeContainer } from '../snapshot/container'
import { BoardFuzzer } from '../testing/fuzz-board'
import { Random } from '../testing/random'
import type { MachineConfig } from './config'
import { createMachine } from './create-machine'
import type { Machine } from './machine'
import { loadMachine, saveMachine } from './saved-machine'

const ROUNDS = Number(process.env['VITRINE_FUZZ_STEPS'] ?? 150)
const CONFIG: MachineConfig = {
  engine: 'interpreter', memoryMiB: 2, cpus: 1, cpu: {}, clock: 'instructions', firmware: 'builtin', boot: ['disk'], bootMenu: false, append: '',
  modules: [], disks: [], cdroms: [], demo: true, debugExit: false,
}

type Tree = { [key: string]: PlainData } | PlainData[]
const isTree = (value: PlainData): value is Tree => typeof value === 'object' && value !== null && !(value instanceof Uint8Array)

const NUMBERS = [0, -1, 1, 7, 0xff, 0x100, 0xffff, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1, -(2 ** 53 - 1), 0.5]

/** Another value of any kind, edges of numbers most of the time. */
function other(random: Random): PlainData {
  const kind = random.below(12)
  if (kind < 8) return NUMBERS[random.below(NUMBERS.length)] ?? 0
  return [null, 'ffffffffffffffff', true, [] as PlainData[]][kind - 8] ?? {}
}

/** Changes a few leaves anywhere but in the memory blocks, which are tested with the container. */
function damage(tree: Tree, random: Random): void {
  const leaves: { readonly parent: Tree; readonly key: string }[] = []
  const collect = (value: Tree): void => {
    for (const [key, child] of Object.entries(value)) {
      if (key === 'memory' || key === 'schema') continue
      leaves.push({ parent: value, key })
      if (isTree(child)) collect(child)
    }
  }
  collect(tree)
  for (let i = 1 + random.below(6); i > 0; i--) {
    const leaf = leaves[random.below(leaves.length)]
    if (leaf) (leaf.parent as Record<string, PlainData>)[leaf.key] = other(random)
  }
}

/** What a loaded machine must be able to stand: a little of everything, and some instructions. */
async function exercise(machine: Machine, random: Random): Promise<void> {
  const { engine, vcpuBase, deadlines, clock } = machine.parts
  deadlines.runDue(clock.now())
  engine.run(vcpuBase, 2000)
  await new BoardFuzzer(machine, random).run(20)
}

it('a damaged saved state is refused, or makes a machine that harms nobody', async () => {
  const machine = await createMachine(CONFIG, { serial: [] })
  const { parts } = machine
  parts.engine.run(parts.vcpuBase, 200_000)
  const file = encodeContainer(saveMachine(machine.parts))
  const random = new Random(Number(process.env['VITRINE_FUZZ_SEEDS'] ?? 77))
  let refused = 0
  for (let round = 0; round < ROUNDS; round++) {
    const state = decodeContainer(file, 'state')
    if (!isTree(state)) throw new Error('no state')
    damage(state, random)
    const begin = performance.now()
    try {
      loadMachine(machine.parts, decodeContainer(encodeContainer(state), 'state'), 'state')
      await exercise(machine, random)
    } catch (error) {
      if (!(error instanceof VmmError)) throw new Error(`round ${round}`, { cause: error })
      refused++
    }
    expect(performance.now() - begin, `round ${round}`).toBeLessThan(5000)
  }
  expect(refused).toBeGreaterThan(0)
  expect(refused).toBeLessThan(ROUNDS)
}, 60_000)
