/** What a machine is made of; checked by whoever fills it in (the command line, later vm.json). */
export interface CpuModelOptions {
  /** 12 characters, as CPUID leaf 0 tells. */
  readonly vendor?: string
  readonly brand?: string
  readonly family?: number
  readonly model?: number
  readonly stepping?: number
  /** Names of CPUID features to hide. */
  readonly disabled?: readonly string[]
}

/** What runs the processor: lockstep is interpreter and translator side by side, compared all the time (for finding faults of Vitrine's own). */
export const ENGINES = ['interpreter', 'translator', 'lockstep'] as const
export type EngineChoice = (typeof ENGINES)[number]

/** What the board takes. */
export const MIN_MEMORY_MIB = 2
export const MAX_MEMORY_MIB = 3840
export const MAX_CPUS = 1
export const MAX_IDE_DRIVES = 4
export const MAX_SERIAL_PORTS = 4
/** A PCI BAR's size is a power of two. */
export const VIDEO_MEMORY_MIB = [4, 8, 16, 32, 64] as const
export type VideoMemoryMiB = (typeof VIDEO_MEMORY_MIB)[number]
export const DEFAULT_VIDEO_MEMORY_MIB = 16

/** Whether a write is done when the host's kernel has it (the guest's flush then brings it to the disk), or when the disk has it. */
export const DISK_CACHES = ['writeback', 'writethrough'] as const
export type DiskCache = (typeof DISK_CACHES)[number]

export interface DiskImage {
  readonly path: string
  readonly readOnly: boolean
  /** Left out: writeback. */
  readonly cache?: DiskCache | undefined
}

export interface MachineConfig {
  readonly engine: EngineChoice
  readonly memoryMiB: number
  /** Of the VGA; DEFAULT_VIDEO_MEMORY_MIB if not said. */
  readonly videoMemoryMiB?: VideoMemoryMiB
  readonly cpus: number
  readonly cpu: CpuModelOptions
  readonly clock: 'host' | 'instructions'
  /** 'builtin' or the path of a firmware image. */
  readonly firmware: string
  readonly vgaBios?: string
  readonly boot: readonly ('disk' | 'cdrom')[]
  /** once: after power-on, not after resets. */
  readonly bootMenu: boolean | 'once'
  readonly kernel?: string
  readonly initrd?: string
  readonly append: string
  readonly linuxEntry?: 16 | 32 | 64
  readonly modules: readonly { readonly path: string; readonly commandLine: string }[]
  readonly disks: readonly DiskImage[]
  /** Drives; without a path there is no disc in it. */
  readonly cdroms: readonly { readonly path?: string }[]
  /** Boot the demo guest from a disk in memory. */
  readonly demo: boolean
  readonly debugExit: boolean
}

/** Why a machine's run ended. */
export type MachineEnd =
  | { readonly kind: 'power-off' }
  | { readonly kind: 'debug-exit'; readonly status: number }
  | { readonly kind: 'triple-fault'; readonly dump: string }
  | { readonly kind: 'unimplemented'; readonly what: string; readonly dump: string }
  /** stop() was called. */
  | { readonly kind: 'stopped' }
  /** The asked number of instructions has retired. */
  | { readonly kind: 'stop-at' }
