import { describe, expect, test } from 'vitest'
import type { Column, Comparison } from './compare'
import type { PeerName } from './peers'
import { geometricMean, lines, median, report } from './report'
import type { GuestRun } from './run'

function guestRun(seconds: Readonly<Record<string, number>>, over: Partial<GuestRun> = {}): GuestRun {
  const sections = new Map(Object.entries(seconds).map(([name, value]) => [name, { seconds: value, checksum: '11111111' }]))
  return { sections, processToInit: 3, kernelToInit: 2, instructions: undefined, mips: undefined, failure: undefined, ...over }
}

function comparison(columns: readonly Column[]): Comparison {
  const limits = { bootSeconds: 1, sectionSeconds: 1 }
  const options = { architectures: ['i386'] as const, engines: columns.map((column) => column.engine), prefixes: [], rounds: 1, scale: 100, limits, clock: 'wall' as const }
  return { options, sections: ['integer/crc', 'pointer/small', 'sse/nbody'], columns }
}

function column(engine: PeerName, ...runs: readonly GuestRun[]): Column {
  return { architecture: 'i386', engine, missing: undefined, runs: [...runs] }
}

test('median and geometric mean', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(median([])).toBeUndefined()
  expect(geometricMean([1, 4])).toBeCloseTo(2)
  expect(geometricMean([])).toBeUndefined()
})

describe('the table of targets', () => {
  const ours = column('ours', guestRun({ 'integer/crc': 1, 'pointer/small': 1, 'sse/nbody': 1 }))

  test('a ratio is the geometric mean of the peer\'s times by ours', () => {
    const { groups } = report(comparison([ours, column('v86', guestRun({ 'integer/crc': 8, 'pointer/small': 2, 'sse/nbody': 3 }))]))
    expect(groups.find((row) => row.what.startsWith('integer'))).toMatchObject({ peer: 'v86', sections: 2, met: true, target: 2 })
    expect(groups.find((row) => row.what.startsWith('integer'))?.ratio).toBeCloseTo(4)
    expect(groups.find((row) => row.what.startsWith('SSE2'))).toMatchObject({ met: false })
    expect(groups.find((row) => row.what.startsWith('kernel start'))).toMatchObject({ ratio: 1, met: false })
  })

  test('a section that was not reached keeps its target from being met, and says why', () => {
    const hung = guestRun({ 'integer/crc': 8, 'sse/nbody': 9 }, { failure: 'pointer/small made no progress for 1 s' })
    const result = report(comparison([ours, column('v86', hung)]))
    const row = result.groups.find((group) => group.what.startsWith('integer'))
    expect(row?.met).toBe(false)
    expect(row?.note).toContain('pointer/small made no progress')
    expect(lines(result, ['ours', 'v86']).join('\n')).toContain('[pointer/small]')
  })

  test('another checksum is told', () => {
    const wrong = guestRun({})
    const sections = new Map([['integer/crc', { seconds: 5, checksum: '22222222' }]])
    const { groups } = report(comparison([ours, column('qemu', { ...wrong, sections })]))
    const row = groups.find((group) => group.what.startsWith('integer'))
    expect(row?.note).toContain('checksum 22222222')
    expect(row?.met).toBe(false)
  })
})
