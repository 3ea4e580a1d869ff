/** A window that is hidden or minimized is not painted; once in this time it takes a frame all the same, since thumbnails elsewhere live on them. */
const UNSEEN_MS = 1000

/** At the next repaint, or soon when there is none. */
export function afterRepaint(work: () => void): void {
  const frame = requestAnimationFrame(() => {
    clearTimeout(timer)
    work()
  })
  const timer = setTimeout(() => {
    cancelAnimationFrame(frame)
    work()
  }, UNSEEN_MS)
}
