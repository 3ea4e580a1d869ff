import { describe, expect, it } from 'vitest'
import { fitPicture } from './scaling'

const text = { width: 720, height: 400 }

describe('size of the guest picture', () => {
  it('is a whole multiple where there is room', () => {
    expect(fitPicture({ width: 1500, height: 900 }, text, 1, false)).toEqual({ width: 1440, height: 800, crisp: true })
    expect(fitPicture({ width: 1400, height: 900 }, text, 1, false)).toEqual({ width: 720, height: 400, crisp: true })
  })

  it('counts device pixels on dense screens', () => {
    expect(fitPicture({ width: 1100, height: 700 }, text, 2, false)).toEqual({ width: 1080, height: 600, crisp: true })
  })

  it('shrinks with its aspect kept when there is no room', () => {
    expect(fitPicture({ width: 360, height: 900 }, text, 1, false)).toEqual({ width: 360, height: 200, crisp: false })
  })

  it('fills the room when stretched', () => {
    expect(fitPicture({ width: 1080, height: 900 }, text, 1, true)).toEqual({ width: 1080, height: 600, crisp: false })
  })

  it('is nothing before there is a picture or room for one', () => {
    expect(fitPicture({ width: 500, height: 500 }, { width: 0, height: 0 }, 1, false)).toEqual({ width: 0, height: 0, crisp: true })
    expect(fitPicture({ width: 0, height: 500 }, text, 1, true)).toEqual({ width: 0, height: 0, crisp: true })
  })
})
