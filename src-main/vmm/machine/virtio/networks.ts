/** What a machine's network adapters are plugged into. */
import { MirrorNet } from '../../backends/net/mirror-net'
import type { NetBackend } from '../../backends/net/net-backend'
import { NoNet, PcapNet } from '../../backends/net/pcap-net'
import type { DeadlineQueue } from '../../time/deadline-queue'
import type { MachineConfig } from '../config'

/** In the order of the configuration's adapters. */
export function openNetworks({ nics = [] }: MachineConfig, deadlines: DeadlineQueue): readonly NetBackend[] {
  return nics.map(({ network }, index): NetBackend => {
    if (network.kind === 'none') return new NoNet()
    if (network.kind === 'pcap') return PcapNet.open(network.path, () => deadlines.now())
    let work: (() => void) | undefined
    const timer = deadlines.createTimer(`mirror network ${index}`, () => work?.())
    return new MirrorNet((next) => {
      work = next
      timer.arm(deadlines.now())
    })
  })
}

/** Of an adapter that is given no address: QEMU's prefix, and its number. */
export function macOf(index: number): string {
  return `52:54:00:12:34:${(0x56 + index).toString(16).padStart(2, '0')}`
}
