import * as reg from './registers'
import type { PitChannelState } from './state'

export function initialChannelState(gate: boolean): PitChannelState {
  return {
    mode: 0,
    bcd: false,
    rw: reg.RW_BOTH,
    gate,
    reload: 0,
    count: 0,
    running: false,
    startTick: 0,
    elapsed: 0,
    writeLow: -1,
    readHigh: false,
    latchedCount: -1,
    latchedStatus: -1,
  }
}

/**
 * One counter. Nothing is stepped: count and output are functions of the ticks since the count was loaded.
 * The load itself takes no clock here (the chip takes one).
 */
export class PitChannel {
  // volatile state
  state: PitChannelState

  constructor(gate: boolean) {
    this.state = initialChannelState(gate)
  }

  /** Periodic modes take a new count at the end of the running cycle. */
  private sync(tick: number): void {
    const s = this.state
    if ((s.mode !== 2 && s.mode !== 3) || s.count === 0 || s.reload === s.count) return
    const ticks = this.ticks(tick)
    if (ticks < s.count) return
    s.startTick = tick
    s.elapsed = ticks - s.count
    s.count = s.reload
  }

  /** Ticks counted in the running cycle(s). */
  private ticks(tick: number): number {
    const s = this.state
    return s.running ? s.elapsed + (tick - s.startTick) : s.elapsed
  }

  private start(tick: number): void {
    const s = this.state
    s.count = s.reload
    s.elapsed = 0
    s.startTick = tick
    // Modes 1 and 5 ignore the gate's level; the others count while it is high.
    s.running = s.gate || s.mode === 1 || s.mode === 5
  }

  writeControl(value: number, tick: number): void {
    const rw = (value >> reg.CW_RW_SHIFT) & 3
    if (rw === reg.RW_LATCH) {
      this.latchCount(tick)
      return
    }
    const mode = (value >> reg.CW_MODE_SHIFT) & 7
    this.state = {
      ...initialChannelState(this.state.gate),
      // Modes 6 and 7 are 2 and 3.
      mode: mode > 5 ? mode - 4 : mode,
      bcd: (value & reg.CW_BCD) !== 0,
      rw,
    }
  }

  latchCount(tick: number): void {
    if (this.state.latchedCount < 0) this.state.latchedCount = this.read16(tick)
  }

  latchStatus(tick: number): void {
    const s = this.state
    if (s.latchedStatus >= 0) return
    this.sync(tick)
    const nullCount = s.count === 0 || s.count !== s.reload ? reg.STATUS_NULL_COUNT : 0
    const out = this.out(tick) ? reg.STATUS_OUT : 0
    s.latchedStatus = out | nullCount | (s.rw << reg.CW_RW_SHIFT) | (s.mode << reg.CW_MODE_SHIFT) | (s.bcd ? reg.CW_BCD : 0)
  }

  /** A byte of the count register. */
  writeCount(value: number, tick: number): void {
    const s = this.state
    if (s.rw === reg.RW_LSB) this.writeReload(value, tick)
    else if (s.rw === reg.RW_MSB) this.writeReload(value << 8, tick)
    else if (s.writeLow < 0) {
      s.writeLow = value
      // Mode 0: the first byte stops the count, the output goes low.
      if (s.mode === 0) {
        s.count = 0
        s.running = false
        s.elapsed = 0
      }
    } else {
      const low = s.writeLow
      s.writeLow = -1
      this.writeReload((value << 8) | low, tick)
    }
  }

  private writeReload(value: number, tick: number): void {
    const s = this.state
    this.sync(tick)
    s.reload = s.bcd ? fromBcd(value) || 10000 : value || 0x10000
    switch (s.mode) {
      case 0:
      case 4:
        this.start(tick)
        break
      case 2:
      case 3:
        if (s.count === 0) this.start(tick)
        break
      // Modes 1 and 5 wait for the gate.
    }
  }

  setGate(high: boolean, tick: number): void {
    const s = this.state
    if (s.gate === high) return
    this.sync(tick)
    s.gate = high
    const rising = high
    if (s.mode === 1 || s.mode === 5) {
      if (rising && s.reload !== 0) this.start(tick)
      return
    }
    if (rising && (s.mode === 2 || s.mode === 3)) {
      if (s.reload !== 0) this.start(tick)
      return
    }
    s.elapsed = this.ticks(tick)
    s.startTick = tick
    s.running = high && s.count !== 0
  }

  out(tick: number): boolean {
    this.sync(tick)
    const s = this.state
    if (s.count === 0) return s.mode !== 0
    const ticks = this.ticks(tick)
    switch (s.mode) {
      case 0:
      case 1:
        return ticks >= s.count
      case 2:
        return !s.running || ticks % s.count !== s.count - 1
      case 3:
        return !s.running || ticks % s.count < Math.ceil(s.count / 2)
      default:
        return ticks !== s.count
    }
  }

  /** Tick (> `tick`) of the next low-to-high change of the output, or undefined. */
  nextRise(tick: number): number | undefined {
    this.sync(tick)
    const s = this.state
    if (s.count === 0 || !s.running) return undefined
    const ticks = this.ticks(tick)
    switch (s.mode) {
      case 0:
      case 1:
        return ticks < s.count ? tick + s.count - ticks : undefined
      case 2:
      case 3:
        return tick + s.count - (ticks % s.count)
      default:
        return ticks <= s.count ? tick + s.count + 1 - ticks : undefined
    }
  }

  private read16(tick: number): number {
    this.sync(tick)
    const s = this.state
    const ticks = this.ticks(tick)
    const wrap = s.bcd ? 10000 : 0x10000
    let value: number
    if (s.count === 0) value = s.reload
    else if (s.mode === 2) value = s.count - (ticks % s.count)
    else if (s.mode === 3) value = s.count - ((2 * ticks) % s.count)
    else value = (((s.count - ticks) % wrap) + wrap) % wrap
    value %= wrap
    return s.bcd ? toBcd(value) : value
  }

  read(tick: number): number {
    const s = this.state
    if (s.latchedStatus >= 0) {
      const status = s.latchedStatus
      s.latchedStatus = -1
      return status
    }
    const latched = s.latchedCount
    const value = latched >= 0 ? latched : this.read16(tick)
    if (s.rw !== reg.RW_BOTH) {
      s.latchedCount = -1
      return s.rw === reg.RW_LSB ? value & 0xff : value >> 8
    }
    const high = s.readHigh
    s.readHigh = !high
    if (high) s.latchedCount = -1
    return high ? value >> 8 : value & 0xff
  }
}

function fromBcd(value: number): number {
  return (value & 15) + ((value >> 4) & 15) * 10 + ((value >> 8) & 15) * 100 + ((value >> 12) & 15) * 1000
}

function toBcd(value: number): number {
  const digit = (n: number): number => Math.floor(value / n) % 10
  return digit(1) | (digit(10) << 4) | (digit(100) << 8) | (digit(1000) << 12)
}
