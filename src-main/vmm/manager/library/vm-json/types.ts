/** What vm.json says once it has been read, with every default filled in. Types and words only: the window's settings dialog is made of them too. */
import type { DiskCache, EngineChoice, VideoMemoryMiB } from '../../../machine/config'

export const GUEST_FAMILIES = ['linux', 'windows', 'dos', 'bsd', 'other'] as const
export const CLOSE_ACTIONS = ['ask', 'keep-running', 'suspend', 'shut-down', 'power-off'] as const
export const CRASH_ACTIONS = ['stop', 'reset', 'keep'] as const
export const LOG_LEVELS = ['error', 'warning', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface CpuModelJson {
  readonly vendor?: string | undefined
  readonly brand?: string | undefined
  readonly family?: number | undefined
  readonly model?: number | undefined
  readonly stepping?: number | undefined
  readonly disabled: readonly string[]
}
export type FirmwareJson = { readonly kind: 'builtin' } | { readonly kind: 'file'; readonly file: string; readonly vgaBios?: string | undefined }
export interface KernelJson {
  readonly file: string
  readonly initrd?: string | undefined
  readonly commandLine: string
  readonly entry: 'auto' | 16 | 32 | 64
  readonly modules: readonly { readonly file: string; readonly commandLine: string }[]
}
export interface DiskJson {
  readonly file: string
  readonly readOnly: boolean
  readonly cache: DiskCache
}
export interface CdromJson {
  readonly file?: string | undefined
  readonly connected: boolean
}
export type SerialPortJson =
  | { readonly kind: 'terminal' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'tcp'; readonly port: number; readonly protocol: 'raw' | 'telnet' }
  | { readonly kind: 'none' }
export interface HardwareJson {
  readonly memoryMiB: number
  readonly processors: { readonly count: number; readonly model: CpuModelJson }
  readonly engine: EngineChoice
  readonly clock: 'host' | 'instructions'
  readonly firmware: FirmwareJson
  readonly boot: { readonly order: readonly ('disk' | 'cdrom')[]; readonly menu: boolean; readonly kernel?: KernelJson | undefined }
  readonly display: { readonly videoMemoryMiB: VideoMemoryMiB }
  readonly demoDisk: boolean
  readonly disks: readonly DiskJson[]
  readonly cdroms: readonly CdromJson[]
  readonly serialPorts: readonly SerialPortJson[]
}
export interface OptionsJson {
  readonly power: { readonly powerOff: 'soft' | 'hard'; readonly reset: 'soft' | 'hard' }
  readonly onClose: (typeof CLOSE_ACTIONS)[number]
  readonly guestCrash: (typeof CRASH_ACTIONS)[number]
  readonly logLevel: LogLevel
  readonly isolation: { readonly paste: boolean }
}
export interface VmJson {
  readonly version: number
  readonly id: string
  readonly name: string
  readonly description: string
  readonly guest: { readonly family: (typeof GUEST_FAMILIES)[number]; readonly system: string }
  readonly hardware: HardwareJson
  readonly options: OptionsJson
}
