/** Guest RAM lives in the host's: a machine that is larger than the host would only ruin it. */
import { totalmem } from 'node:os'
import { VmmError } from '../errors/vmm-error'

const MIB = 0x100000

export function checkHostMemory(memoryMiB: number, hostBytes: number = totalmem()): void {
  if (memoryMiB * MIB <= hostBytes) return
  throw new VmmError('memory/too-much', `--memory ${memoryMiB}: more than the ${Math.floor(hostBytes / MIB)} MiB that this host has; choose less`)
}
