/** Everything volatile in one counter. Tick numbers count PIT clocks since virtual time 0. */
export interface PitChannelState {
  mode: number
  bcd: boolean
  /** RW field of the control word: 1 LSB, 2 MSB, 3 LSB then MSB. */
  rw: number
  gate: boolean
  /** Count register (CR): 1..65536, or 0 while none was written since the control word. */
  reload: number
  /** Count being counted down (initial value of the running cycle). 0: not loaded. */
  count: number
  /** The counter runs since `startTick`; `elapsed` ticks had passed before. */
  running: boolean
  startTick: number
  elapsed: number
  /** First byte of a two-byte write, or -1. */
  writeLow: number
  /** The next read of a two-byte read gives the MSB. */
  readHigh: boolean
  /** Latched count, or -1; latched status, or -1. */
  latchedCount: number
  latchedStatus: number
}

export interface PitStateV1 {
  readonly schema: readonly ['pit-8254', 1]
  readonly channels: readonly PitChannelState[]
  readonly control61: number
  readonly irqLevel: boolean
  /** Next rise of channel 0's output, or null. */
  readonly deadline: number | null
}
