import { describe, expect, it } from 'vitest'
import { fitPicture, textColumns } from './scaling'

const room = { width: 1000, height: 700 }
const guest = { width: 640, height: 400 }

describe('fitPicture', () => {
  it('keeps the aspect and fills one side', () => {
    expect(fitPicture(room, guest, 1, 'fit')).toEqual({ width: 1000, height: 625, crisp: false })
  })

  it('shows whole multiples without smoothing', () => {
    expect(fitPicture({ width: 1400, height: 900 }, guest, 1, 'integer')).toEqual({ width: 1280, height: 800, crisp: true })
    // at 150 % a guest pixel is two device pixels, 4/3 of a CSS pixel
    const shown = fitPicture(room, guest, 1.5, 'integer')
    expect(shown.crisp).toBe(true)
    expect(shown.width).toBeCloseTo((640 * 2) / 1.5)
  })

  it('centres at one device pixel for each of the guest\'s', () => {
    expect(fitPicture(room, guest, 2, 'center')).toEqual({ width: 320, height: 200, crisp: true })
  })

  it('never needs more than the room', () => {
    for (const mode of ['center', 'integer', 'fit'] as const) expect(fitPicture({ width: 320, height: 100 }, guest, 1, mode)).toEqual({ width: 160, height: 100, crisp: false })
  })

  it('fills the room when stretched', () => {
    expect(fitPicture(room, guest, 1, 'stretch')).toEqual({ ...room, crisp: false })
  })

  it('shows nothing without a picture or a room', () => {
    expect(fitPicture(room, { width: 0, height: 0 }, 1, 'fit').width).toBe(0)
    expect(fitPicture({ width: 0, height: 10 }, guest, 1, 'fit').width).toBe(0)
  })
})

describe('textColumns', () => {
  it.each([[720, 80], [640, 80], [360, 40], [320, 40], [1056, 132], [1188, 132]])('%i pixels', (pixels, columns) => {
    expect(textColumns(pixels)).toBe(columns)
  })
})
