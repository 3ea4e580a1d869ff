/** Xen's interface as a machine's configuration asks for it: its disks, adapters and console. The board has nothing to know of it. */
import { createHash } from 'node:crypto'
import type { CompletionGate } from '../backends/completion-gate'
import { NullCharBackend, type CharBackend } from '../backends/chardev/char-backend'
import type { NetBackend } from '../backends/net/net-backend'
import { XenNet } from '../devices/xen/net/xen-net'
import { XenBlock } from '../devices/xen/block/xen-block'
import { memoryMap, microvmMemoryMap } from '../firmware/memory-map'
import type { FrameMemory } from '../paravirt/xen/guest-frames'
import { XenInterface } from '../paravirt/xen/xen-interface'
import type { DriveBay } from './boards/drive-bay'
import type { MachineConfig } from './config'

export interface XenParts {
  readonly drives: DriveBay
  readonly gate: CompletionGate
  readonly memory: FrameMemory
  readonly debugConsole: CharBackend
  /** What the configuration's adapters are plugged into, in their order. */
  readonly networks: readonly NetBackend[]
  /** Of config.consoles, in its order. */
  readonly consoles: readonly CharBackend[]
}

/** What a domain is called that nobody has named. */
const NAME = 'vitrine'
/** Version 4, variant 1 (RFC 9562, 5.4): looks like any other UUID, but is the same at every start of the same machine. */
const UUID_BYTES = 16

export function createXen(config: MachineConfig, { drives, gate, memory, debugConsole, networks, consoles }: XenParts): XenInterface {
  const disks = drives.on('xen').flatMap((drive, index) => (drive.kind === 'disk' ? [new XenBlock({ index, backend: drive.medium, gate })] : []))
  const adapters = (config.nics ?? []).flatMap(({ model, mac }, index) => {
    const backend = networks[index]
    return model === 'xen' && backend ? [new XenNet({ index, backend, mac: mac ?? defaultMac(index) })] : []
  })
  const place = (config.consoles ?? []).indexOf('xen')
  return new XenInterface(
    {
      name: NAME,
      uuid: uuidOf(config),
      memoryMap: config.board === 'microvm' ? microvmMemoryMap : memoryMap,
      ...(place < 0 ? {} : { console: consoles[place] ?? new NullCharBackend() }),
      debugConsole,
      devices: [...disks, ...adapters],
    },
    memory,
  )
}

/** Of the range that Xen's adapters have (00:16:3E). */
function defaultMac(index: number): string {
  return `00:16:3e:00:00:${(index + 1).toString(16).padStart(2, '0')}`
}

function uuidOf({ disks, kernel, memoryMiB }: MachineConfig): Uint8Array {
  const uuid = createHash('sha256').update(JSON.stringify([disks.map(({ path }) => path), kernel, memoryMiB])).digest().subarray(0, UUID_BYTES)
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x40
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80
  return uuid
}
