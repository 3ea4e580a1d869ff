/** The virtio devices that a configuration asks for, in the order of their places. */
import { HostEntropy, SeededEntropy } from '../../backends/entropy/entropy-source'
import type { CompletionGate } from '../../backends/completion-gate'
import { VirtioBlock } from '../../devices/virtio/block/block'
import { VirtioRng } from '../../devices/virtio/rng/rng'
import type { VirtioDevice } from '../../devices/virtio/virtio-device'
import type { DriveBay } from '../boards/drive-bay'
import type { MachineConfig } from '../config'

export interface VirtioParts {
  readonly config: MachineConfig
  readonly drives: DriveBay
  readonly gate: CompletionGate
}

export function virtioDevices({ config, drives, gate }: VirtioParts): readonly VirtioDevice[] {
  const disks = drives.on('virtio').flatMap((drive, index) => (drive.kind === 'disk' ? [new VirtioBlock(drive.medium, gate, { index, serial: drive.serial })] : []))
  return [...disks, ...(config.rng === true ? [new VirtioRng(gate, config.clock === 'host' ? new HostEntropy() : new SeededEntropy())] : [])]
}
