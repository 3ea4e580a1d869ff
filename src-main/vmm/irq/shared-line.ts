import type { IrqLine } from './line'

/** Wired OR: the target is high while any source is. */
export class SharedLine {
  private high = 0

  constructor(private readonly target: IrqLine) {}

  /** A further source, low at first. */
  source(): IrqLine {
    let level = false
    return {
      setLevel: (high: boolean): void => {
        if (high === level) return
        level = high
        this.high += high ? 1 : -1
        if (this.high === (high ? 1 : 0)) this.target.setLevel(high)
      },
    }
  }
}

/** Drives several targets with one level. */
export function fanOut(...targets: readonly IrqLine[]): IrqLine {
  return {
    setLevel: (high: boolean): void => {
      for (const target of targets) target.setLevel(high)
    },
  }
}

/** The target is high while the line is low. The target's first level is set at once. */
export function invertedLine(target: IrqLine): IrqLine {
  target.setLevel(true)
  return { setLevel: (high: boolean): void => target.setLevel(!high) }
}

/** Passes changes only: for targets to which setting a level twice is not harmless. */
export function changesOnly(onChange: (high: boolean) => void): IrqLine {
  let level = false
  return {
    setLevel: (high: boolean): void => {
      if (high === level) return
      level = high
      onChange(high)
    },
  }
}

/** Low-to-high-to-low, for edge-triggered inputs. */
export function pulse(line: IrqLine): void {
  line.setLevel(true)
  line.setLevel(false)
}
