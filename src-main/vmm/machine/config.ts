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

/** pc: a 440FX/PIIX3 PC. microvm: no legacy devices, virtio by MMIO, direct boot only. */
export const BOARDS = ['pc', 'microvm'] as const
export type BoardChoice = (typeof BOARDS)[number]

/** The hypervisor interface that CPUID tells of. minimal: a signature and nothing else; none: as on bare hardware. */
export const PARAVIRT_INTERFACES = ['none', 'minimal', 'kvm', 'xen', 'vmware'] as const
export type ParavirtInterface = (typeof PARAVIRT_INTERFACES)[number]

/** How a disk is attached. scsi: by a virtio SCSI host bus adapter; xen: a paravirtual Xen block device. */
export const DISK_BUSES = ['ide', 'virtio', 'scsi', 'xen'] as const
export type DiskBus = (typeof DISK_BUSES)[number]
export const CDROM_BUSES = ['ide', 'scsi'] as const
export type CdromBus = (typeof CDROM_BUSES)[number]

export const NIC_MODELS = ['virtio', 'xen'] as const
export type NicModel = (typeof NIC_MODELS)[number]

export interface NicConfig {
  readonly model: NicModel
  /** loopback: every frame comes back with its addresses exchanged. pcap: frames are written to a file. none: the cable is not plugged in. */
  readonly network: { readonly kind: 'none' } | { readonly kind: 'loopback' } | { readonly kind: 'pcap'; readonly path: string }
  /** Six bytes, such as 52:54:00:12:34:56; made from the adapter's place when not said. */
  readonly mac?: string
}

/** A terminal besides the serial ports. */
export const CONSOLE_KINDS = ['virtio', 'xen'] as const
export type ConsoleKind = (typeof CONSOLE_KINDS)[number]

export interface ShareConfig {
  /** Folder of the host. */
  readonly path: string
  /** What the guest mounts: 1 to 31 characters. */
  readonly tag: string
  readonly readOnly: boolean
}

export const POINTERS = ['ps2', 'virtio'] as const
export const KEYBOARDS = ['ps2', 'virtio'] as const
export const DISPLAYS = ['vga', 'virtio'] as const

/** What takes part knowingly: each is absent unless said. */
export interface ParavirtualDevices {
  readonly nics?: readonly NicConfig[]
  readonly consoles?: readonly ConsoleKind[]
  readonly shares?: readonly ShareConfig[]
  readonly balloon?: boolean
  readonly rng?: boolean
  /** Context ID of the guest: 3 to 2^32 - 2. */
  readonly vsock?: { readonly cid: number; readonly socketFolder: string }
  readonly pointer?: (typeof POINTERS)[number]
  readonly keyboard?: (typeof KEYBOARDS)[number]
  readonly display?: (typeof DISPLAYS)[number]
}

/** Whether a write is done when the host's kernel has it (the guest's flush then brings it to the disk), or when the disk has it. */
export const DISK_CACHES = ['writeback', 'writethrough'] as const
export type DiskCache = (typeof DISK_CACHES)[number]

export interface DiskImage {
  readonly path: string
  readonly readOnly: boolean
  /** Left out: writeback. */
  readonly cache?: DiskCache | undefined
  /** ide if not said (virtio on a microvm). */
  readonly bus?: DiskBus
}

export interface MachineConfig extends ParavirtualDevices {
  readonly engine: EngineChoice
  /** pc if not said. */
  readonly board?: BoardChoice
  /** minimal if not said. */
  readonly paravirt?: ParavirtInterface
  /** Names of that interface's features to leave out. */
  readonly paravirtDisabled?: readonly string[]
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
  readonly cdroms: readonly { readonly path?: string; readonly bus?: CdromBus }[]
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
