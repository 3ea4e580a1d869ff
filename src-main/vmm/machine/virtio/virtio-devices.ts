/** The virtio devices that a configuration asks for, in the order of their places. */
import { HostEntropy, SeededEntropy } from '../../backends/entropy/entropy-source'
import type { CompletionGate } from '../../backends/completion-gate'
import { VirtioRng } from '../../devices/virtio/rng/rng'
import type { VirtioDevice } from '../../devices/virtio/virtio-device'
import type { DriveBay } from '../boards/drive-bay'
import type { MachineConfig } from '../config'

export interface VirtioParts {
  readonly config: MachineConfig
  readonly drives: DriveBay
  readonly gate: CompletionGate
}

export function virtioDevices({ config, gate }: VirtioParts): readonly VirtioDevice[] {
  return [...(config.rng === true ? [new VirtioRng(gate, config.clock === 'host' ? new HostEntropy() : new SeededEntropy())] : [])]
}
