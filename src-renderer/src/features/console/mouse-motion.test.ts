import { describe, expect, it } from 'vitest'
import { MouseMotion, type MouseMessage } from './mouse-motion'

function fixture() {
  const sent: MouseMessage[] = []
  const frames: (() => void)[] = []
  const motion = new MouseMotion(
    (message) => sent.push(message),
    (work) => frames.push(work),
  )
  return { motion, sent, frame: () => frames.splice(0).forEach((work) => work()) }
}

describe('mouse motion', () => {
  it('collects movement into one message a frame; fractions add up', () => {
    const { motion, sent, frame } = fixture()
    for (let i = 0; i < 4; i++) motion.move(1.5, -0.5)
    expect(sent).toEqual([])
    frame()
    expect(sent).toEqual([{ dx: 6, dy: -2, dz: 0, buttons: 0 }])
    frame()
    expect(sent).toHaveLength(1)
  })

  it('sends a button at once, with the movement before it', () => {
    const { motion, sent, frame } = fixture()
    motion.move(3, 4)
    motion.press(1)
    frame()
    expect(sent).toEqual([{ dx: 3, dy: 4, dz: 0, buttons: 1 }])
  })

  it('holds buttons while moving and lets go of them at the end', () => {
    const { motion, sent, frame } = fixture()
    motion.press(4)
    motion.move(1, 1)
    frame()
    motion.wheel(-1)
    motion.releaseAll()
    motion.releaseAll()
    expect(sent.map(({ buttons, dz }) => [buttons, dz])).toEqual([[4, 0], [4, 0], [4, -1], [0, 0]])
  })

  it('counts the notches of a wheel, and adds up the small movements of touch pads', () => {
    const { motion, sent } = fixture()
    motion.scroll(120)
    motion.scroll(-53)
    for (let i = 0; i < 20; i++) motion.scroll(5)
    motion.scroll(30)
    motion.scroll(-30)
    motion.scroll(100_000)
    expect(sent.map(({ dz }) => dz)).toEqual([1, -1, 1, 1, 7])
  })
})
