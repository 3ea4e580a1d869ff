import { describe, expect, it } from 'vitest'
import type { Width } from '../bus/width'
import type { Claim, Device, SavedState } from '../devices/device'
import type { FakeClock } from './fake-clock'

/** A device under test with the clock it lives on. A new one for each test. */
export interface DeviceFixture<S extends SavedState> {
  readonly device: Device<S>
  readonly clock?: FakeClock
  /** More ranges to exercise than the fixed claims: PCI BARs, with addresses as the handler sees them. */
  readonly moreClaims?: readonly Claim[]
}

const WIDTHS: readonly Width[] = [1, 2, 4]
const MAX_ADDRESSES = 512

/** Text of a saved state in which byte arrays count by content. */
export function stateText(state: SavedState): string {
  return JSON.stringify(state, (_key, value: unknown) =>
    value instanceof Uint8Array ? `bytes:${Buffer.from(value).toString('hex')}` : value,
  )
}

/** Seeded: a failure repeats. */
export function randomNumbers(seed: number): () => number {
  let x = seed >>> 0 || 1
  return (): number => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    x >>>= 0
    return x
  }
}

function addresses(claim: Claim): readonly number[] {
  const first = claim.kind === 'pio' ? claim.first : 0
  const count = claim.last - claim.first + 1
  const step = Math.max(1, Math.floor(count / MAX_ADDRESSES))
  const list: number[] = []
  for (let i = 0; i < count; i += step) list.push(first + i)
  return list
}

function read(claim: Claim, address: number, width: Width): unknown {
  return claim.kind === 'pio' ? claim.handler.pioRead(address, width) : claim.handler.mmioRead(address, width)
}

function write(claim: Claim, address: number, width: Width, value: number): unknown {
  return claim.kind === 'pio' ? claim.handler.pioWrite(address, width, value) : claim.handler.mmioWrite(address, width, value)
}

function fits(claim: Claim, address: number, width: Width): boolean {
  if (claim.kind === 'pio') return address + width - 1 <= claim.last && (claim.split === undefined || width === 1)
  return address + width - 1 <= claim.last - claim.first
}

function expectAnswer(answer: unknown, width: Width, where: string): void {
  if (typeof answer === 'object' && answer !== null && 'fault' in answer) return
  const limit = width === 4 ? 0xffffffff : width === 2 ? 0xffff : 0xff
  if (typeof answer !== 'number' || !Number.isInteger(answer) || answer < 0 || answer > limit) {
    expect.fail(`${where} answered ${String(answer)} for width ${width}`)
  }
}

/**
 * The conformance suite of every device. `mutate` does with the device what a guest would, so that its saved state differs from that of a
 * new one afterwards.
 */
export function describeDevice<S extends SavedState>(
  name: string,
  create: () => DeviceFixture<S>,
  mutate: (fixture: DeviceFixture<S>) => void,
): void {
  const claimsOf = (fixture: DeviceFixture<S>): readonly Claim[] => [...fixture.device.claims, ...(fixture.moreClaims ?? [])]

  describe(`${name} conforms`, () => {
    it('reset is idempotent', () => {
      const fixture = create()
      mutate(fixture)
      fixture.device.reset('power-on')
      const once = stateText(fixture.device.save())
      fixture.device.reset('power-on')
      expect(stateText(fixture.device.save())).toBe(once)
    })

    it('what a guest does shows in the saved state', () => {
      const fixture = create()
      const before = stateText(fixture.device.save())
      mutate(fixture)
      expect(stateText(fixture.device.save())).not.toBe(before)
    })

    it('save, change, load, save gives equal states', () => {
      const fixture = create()
      mutate(fixture)
      const saved = fixture.device.save()
      const text = stateText(saved)
      fixture.device.reset('power-on')
      fixture.device.load(saved)
      expect(stateText(fixture.device.save())).toBe(text)
      // The saved state is a copy: nothing that happened to the device since changed it.
      expect(stateText(saved)).toBe(text)
    })

    it('a new device takes over a saved state', () => {
      const first = create()
      mutate(first)
      const saved = first.device.save()
      const second = create()
      second.device.load(saved)
      expect(stateText(second.device.save())).toBe(stateText(saved))
    })

    it('refuses the state of another version', () => {
      const { device } = create()
      const state = device.save()
      expect(() => device.load({ ...state, schema: [state.schema[0], 999] })).toThrow(/version 999/)
    })

    it('claims are well formed', () => {
      for (const claim of claimsOf(create())) {
        expect(claim.first).toBeGreaterThanOrEqual(0)
        expect(claim.last).toBeGreaterThanOrEqual(claim.first)
        if (claim.kind === 'pio') expect(claim.last).toBeLessThan(0x10000)
      }
    })

    it('every claimed address answers every width', () => {
      const fixture = create()
      for (const claim of claimsOf(fixture)) {
        for (const address of addresses(claim)) {
          for (const width of WIDTHS) {
            if (fits(claim, address, width)) expectAnswer(read(claim, address, width), width, `${claim.name}+${address.toString(16)}h`)
          }
        }
      }
    })

    it('survives hostile accesses', () => {
      const fixture = create()
      const random = randomNumbers(0x5eed)
      const claims = claimsOf(fixture)
      if (claims.length === 0) return
      for (let i = 0; i < 20_000; i++) {
        const claim = claims[random() % claims.length]
        if (claim === undefined) continue
        const list = addresses(claim)
        const address = list[random() % list.length] ?? 0
        const width = WIDTHS[random() % 3] ?? 1
        if (!fits(claim, address, width)) continue
        const where = `${claim.name}+${address.toString(16)}h`
        if (random() % 2 === 0) {
          const value = random() % 8 === 0 ? 0xffffffff : random()
          const answer = write(claim, address, width, width === 4 ? value : value & (width === 2 ? 0xffff : 0xff))
          if (answer !== undefined) expectAnswer(answer, width, where)
        } else {
          expectAnswer(read(claim, address, width), width, where)
        }
        if (i % 64 === 0) fixture.clock?.jump(random() % 3_000_000)
        if (i % 64 === 0) fixture.clock?.queue.runDue(fixture.clock.now())
      }
      const saved = fixture.device.save()
      const text = stateText(saved)
      const second = create()
      second.device.load(saved)
      expect(stateText(second.device.save())).toBe(text)
    })
  })
}
