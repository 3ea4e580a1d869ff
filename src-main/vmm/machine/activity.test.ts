import { describe, expect, it } from 'vitest'
import { shrinkFrame } from '../backends/display/png'
import { ActivityWatch, driveNames } from './activity'
import { DriveMeter } from './metered-drive'

describe('activity', () => {
  it('names drives as the settings count them', () => {
    const drives = [new DriveMeter('ide0-master', 'disk'), new DriveMeter('ide0-slave', 'disk'), new DriveMeter('ide1-master', 'cdrom')]
    expect(driveNames(drives, false)).toEqual(['disk-0', 'disk-1', 'cdrom-0'])
    expect(driveNames(drives, true)).toEqual(['demo-disk', 'disk-0', 'cdrom-0'])
  })

  it('tells what has changed since the last look', () => {
    const watch = new ActivityWatch()
    expect(watch.busy([['a', 1], ['b', 0]])).toEqual(['a'])
    expect(watch.busy([['a', 1], ['b', 0]])).toEqual([])
    expect(watch.busy([['a', 1], ['b', 5]])).toEqual(['b'])
  })
})

describe('a smaller picture', () => {
  it('has the mean of what each pixel stands for, and the same shape', () => {
    const pixels = Uint32Array.of(0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ff00, 0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ff00)
    expect(shrinkFrame({ width: 4, height: 2, pixels }, 2)).toEqual({ width: 2, height: 1, pixels: Uint32Array.of(0xff000080, 0xff00ff00) })
    const frame = { width: 4, height: 2, pixels }
    expect(shrinkFrame(frame, 4)).toBe(frame)
    expect(shrinkFrame({ width: 1000, height: 1, pixels: new Uint32Array(1000) }, 320)).toMatchObject({ width: 320, height: 1 })
  })
})
