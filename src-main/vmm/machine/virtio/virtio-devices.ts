/** The virtio devices that a configuration asks for, in the order of their places. */
import { HostEntropy, SeededEntropy } from '../../backends/entropy/entropy-source'
import { NullConsole, type ConsoleBackend } from '../../backends/chardev/console-backend'
import type { CompletionGate } from '../../backends/completion-gate'
import { VirtioBalloon } from '../../devices/virtio/balloon/balloon'
import { VirtioBlock } from '../../devices/virtio/block/block'
import { VirtioConsole } from '../../devices/virtio/console/console'
import { VirtioNet } from '../../devices/virtio/net/net'
import { VirtioRng } from '../../devices/virtio/rng/rng'
import { VirtioScsi, type VirtioScsiOptions } from '../../devices/virtio/scsi/scsi'
import type { VirtioDevice } from '../../devices/virtio/virtio-device'
import { NoNet } from '../../backends/net/pcap-net'
import type { NetBackend } from '../../backends/net/net-backend'
import { VmmError } from '../../errors/vmm-error'
import type { DriveBay } from '../boards/drive-bay'
import type { MachineConfig } from '../config'
import { macOf } from './networks'

export interface VirtioParts {
  readonly config: MachineConfig
  readonly drives: DriveBay
  readonly gate: CompletionGate
  /** Of the configuration's adapters, in their order. */
  readonly networks: readonly NetBackend[]
  /** Terminals, in the order of the configuration's consoles. */
  readonly consoles: readonly ConsoleBackend[]
  /** Takes what goes wrong on the host's side, for the machine's log. */
  readonly warn?: ((message: string) => void) | undefined
}

export function virtioDevices({ config, drives, gate, consoles, networks, warn }: VirtioParts): readonly VirtioDevice[] {
  refuseUnbuilt(config)
  const io = { gate, exact: config.clock !== 'host' || config.engine === 'lockstep', ...(warn && { warn }) }
  const disks = drives.on('virtio').flatMap((drive, index) => (drive.kind === 'disk' ? [new VirtioBlock(drive.medium, { ...io, index, serial: drive.serial })] : []))
  const terminals = (config.consoles ?? []).flatMap((kind, i) => (kind === 'virtio' ? [{ backend: consoles[i] ?? new NullConsole(), name: `vitrine.console.${i}` }] : []))
  const nics = (config.nics ?? []).flatMap(({ model, mac }, index) => (model === 'virtio' ? [new VirtioNet(networks[index] ?? new NoNet(), { index, mac: mac ?? macOf(index) })] : []))
  return [
    ...disks,
    ...nics,
    ...scsiAdapter(drives, io),
    ...(terminals.length > 0 ? [new VirtioConsole(terminals)] : []),
    ...(config.rng === true ? [new VirtioRng(gate, config.clock === 'host' ? new HostEntropy() : new SeededEntropy())] : []),
    ...(config.balloon === true ? [new VirtioBalloon(gate)] : []),
  ]
}

/** What the command line knows already, and no device carries out yet. */
function refuseUnbuilt({ shares = [], vsock, keyboard, pointer, display }: MachineConfig): void {
  const missing = [
    ['--share', shares.length > 0],
    ['--vsock', vsock !== undefined],
    ['--keyboard virtio', keyboard === 'virtio'],
    ['--pointer virtio', pointer === 'virtio'],
    ['--display virtio', display === 'virtio'],
  ] as const
  for (const [option, wanted] of missing) if (wanted) throw new VmmError('config/contradiction', `${option}: this version of Vitrine has no such device yet; leave it out`)
}

/** One adapter for all drives on that bus; none without. */
function scsiAdapter(drives: DriveBay, options: VirtioScsiOptions): readonly VirtioDevice[] {
  const units = drives.on('scsi')
  if (units.length === 0) return []
  const adapter = new VirtioScsi(units, options)
  units.filter(({ kind }) => kind === 'cdrom').forEach(({ position }, i) => {
    const drive = adapter.cdDrives[i]
    if (drive) drives.isCdDrive(position, drive)
  })
  return [adapter]
}
