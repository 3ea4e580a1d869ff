/** The virtio devices that are fuzzed, each with a request that it answers when it is in order. */
import { MemoryDisk } from '../backends/block/memory-disk'
import { NullConsole } from '../backends/chardev/console-backend'
import { SeededEntropy } from '../backends/entropy/entropy-source'
import { VirtioBalloon } from '../devices/virtio/balloon/balloon'
import { VirtioBlock } from '../devices/virtio/block/block'
import { VirtioConsole } from '../devices/virtio/console/console'
import { VirtioRng } from '../devices/virtio/rng/rng'
import type { FuzzTarget } from './fuzz-virtio'

const DISK_BYTES = 0x20000

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: 'rng', make: (gate) => new VirtioRng(gate, new SeededEntropy()), good: { queue: 0, out: [], room: [16] } },
  { name: 'balloon', make: (gate) => new VirtioBalloon(gate), good: { queue: 0, out: [Uint8Array.of(0x80, 2, 0, 0)], room: [] } },
  ...[false, true].map((exact): FuzzTarget => ({
    name: exact ? 'block (exact)' : 'block',
    make: (gate) => new VirtioBlock(new MemoryDisk('disk', new Uint8Array(DISK_BYTES)), { gate, exact, index: 0, serial: 'VT00001' }),
    good: { queue: 0, out: [new Uint8Array(16)], room: [512, 1] },
  })),
  { name: 'console', make: () => new VirtioConsole([{ backend: new NullConsole(), name: 'one' }, { backend: new NullConsole(), name: 'two' }]), good: { queue: 1, out: [Uint8Array.of(65)], room: [] } },
]
