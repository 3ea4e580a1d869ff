import type { SavedState } from '../../device'

export interface VirtioBalloonState extends SavedState {
  readonly schema: readonly ['virtio-balloon', 1]
  /** What the host wants to be in the balloon, and how much the driver says there is: pages. */
  readonly wantedPages: number
  readonly actualPages: number
  readonly poison: number
  /** Agreed features that the device goes by. */
  readonly hasStatistics: boolean
  readonly hasPoison: boolean
  /** A bit for each page of RAM. */
  readonly held: Uint8Array
  readonly reportedBytes: number
  /** The buffer of statistics that waits for the host to ask. */
  readonly statisticsHead: number | null
  readonly statistics: readonly (readonly [tag: number, value: number])[]
}
