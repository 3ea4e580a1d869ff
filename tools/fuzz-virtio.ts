/**
 * Virtio devices against a hostile driver (testing/fuzz-virtio.ts).
 *   npm run fuzz:virtio -- [--minutes N] [--seed N] [--only device,device]
 * Exit status 1 when a device threw, took too long, wrote where it must not, or did not recover; the seed to repeat it with is printed.
 */
import { VirtioFuzzer } from '../src-main/vmm/testing/fuzz-virtio'
import { FUZZ_TARGETS } from '../src-main/vmm/testing/fuzz-virtio-targets'
import { Random } from '../src-main/vmm/testing/random'
import { TestGate } from '../src-main/vmm/testing/virtio-driver'

const SLOWEST_MS = 2000
const MOST_PENDING = 256
const ROUNDS_A_SEED = 50

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

const minutes = Number(option('minutes') ?? 1)
const firstSeed = Number(option('seed') ?? Date.now() % 0x7fffffff)
const only = option('only')?.split(',')
const targets = FUZZ_TARGETS.filter(({ name }) => only === undefined || only.includes(name))
const end = Date.now() + minutes * 60_000
let accesses = 0
let rounds = 0
let failures = 0
let wrong = 0
let slowest = { ms: 0, what: '' }
let seed = firstSeed

async function one(target: (typeof FUZZ_TARGETS)[number], kind: 'pci' | 'mmio'): Promise<void> {
  const where = `${target.name} by ${kind}, --seed ${seed} --only "${target.name}"`
  try {
    const report = await new VirtioFuzzer(target, new Random(seed), new TestGate(), kind).run(ROUNDS_A_SEED, () => Date.now() >= end)
    accesses += report.accesses
    rounds += report.rounds
    failures += report.failures
    if (report.slowest.ms > slowest.ms) slowest = report.slowest
    if (report.slowest.ms < SLOWEST_MS && report.mostPending < MOST_PENDING) return
    say(`${where}: ${report.slowest.what} took ${report.slowest.ms.toFixed(0)} ms; ${report.mostPending} requests to the host at a time`)
  } catch (error) {
    say(`${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
  wrong++
}

async function all(): Promise<void> {
  for (; Date.now() < end; seed++) for (const kind of ['pci', 'mmio'] as const) for (const target of targets) await one(target, kind)
  say(`seeds ${firstSeed}..${seed - 1}: ${rounds} rounds, ${accesses} accesses, ${failures} resets asked for; slowest ${slowest.ms.toFixed(1)} ms (${slowest.what}); ${wrong} wrong`)
  process.exitCode = wrong === 0 ? 0 : 1
}

void all()
