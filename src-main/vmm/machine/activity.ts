/** Which devices were busy of late, for the lights of a status bar. */
import type { DriveFigures } from './metered-drive'

/** Names of drives as the VM's settings count them; the demo guest's disk is in nobody's list. */
export function driveNames(drives: readonly DriveFigures[], demo: boolean): readonly string[] {
  const next = { disk: demo ? -1 : 0, cdrom: 0 }
  return drives.map(({ kind }) => {
    const index = next[kind]++
    return index < 0 ? 'demo-disk' : `${kind}-${index}`
  })
}

export class ActivityWatch {
  private readonly seen = new Map<string, number>()

  /** Of devices whose counts have changed since the last call. The first counts from zero. */
  busy(counts: Iterable<readonly [string, number]>): readonly string[] {
    const names: string[] = []
    for (const [name, count] of counts) {
      if ((this.seen.get(name) ?? 0) !== count) names.push(name)
      this.seen.set(name, count)
    }
    return names
  }
}
