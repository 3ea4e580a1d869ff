/** Keyboard and mouse of the guest screen: a click or Ctrl+G grabs them, Ctrl+Alt gives them back. */
import { onBeforeUnmount, onMounted, type Ref } from 'vue'
import type { ConsoleUp } from '../../../../src-main/ipc/contract'
import { useViewStore } from '../../stores/view'
import { KeyGrab } from './key-grab'
import { MouseMotion } from './mouse-motion'

/** An Escape that the page saw itself is not the one that the browser took to free the pointer. */
const ESCAPE_SEEN_MS = 300

export interface GuestInput {
  grab(): void
  release(): void
  /** Keys pressed together, then let go. */
  tap(codes: readonly string[]): void
}

/** `usable`: whether there is a guest that listens. */
export function useInput(element: Ref<HTMLElement | undefined>, usable: () => boolean, send: (message: ConsoleUp) => void): GuestInput {
  const view = useViewStore()
  let escapeSeen = -Infinity
  const passed = (message: ConsoleUp): void => {
    view.flash('input')
    send(message)
  }
  const keys = new KeyGrab(({ code, pressed }) => passed({ kind: 'key', code, pressed }), release)
  const mouse = new MouseMotion((message) => passed({ kind: 'mouse', ...message }), (work) => void requestAnimationFrame(work))

  function grab(): void {
    if (!usable()) return
    element.value?.focus()
    view.setGrabbed(true)
    lockPointer()
  }

  function lockPointer(): void {
    const locking: unknown = element.value?.requestPointerLock()
    // Without a lock the keyboard is grabbed all the same, and the mouse moves the guest's while it is over the screen.
    if (locking instanceof Promise) locking.catch(() => undefined)
  }

  function release(): void {
    keys.releaseAll()
    mouse.releaseAll()
    view.setGrabbed(false)
    if (document.pointerLockElement) document.exitPointerLock()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (!view.grabbed) {
      if (event.target === element.value && event.code === 'Enter' && usable()) {
        event.preventDefault()
        grab()
      }
      return
    }
    event.preventDefault()
    event.stopPropagation()
    if (event.code === 'Escape') escapeSeen = event.timeStamp
    keys.down(event.code)
  }

  function onKeyUp(event: KeyboardEvent): void {
    if (!view.grabbed) return
    event.preventDefault()
    event.stopPropagation()
    keys.up(event.code)
  }

  function onMouseDown(event: MouseEvent): void {
    event.preventDefault()
    if (!view.grabbed) return grab()
    if (!document.pointerLockElement) lockPointer()
    mouse.press(event.buttons)
  }

  function onMouseUp(event: MouseEvent): void {
    if (view.grabbed) mouse.press(event.buttons)
  }

  function onMouseMove(event: MouseEvent): void {
    if (view.grabbed) mouse.move(event.movementX, event.movementY)
  }

  function onWheel(event: WheelEvent): void {
    if (!view.grabbed) return
    event.preventDefault()
    mouse.wheel(Math.sign(event.deltaY))
  }

  /** The browser frees the pointer on Escape and keeps that key for itself: the guest gets it from here. */
  function onLockChange(): void {
    if (document.pointerLockElement || !view.grabbed) return
    if (!document.hasFocus()) return release()
    if (performance.now() - escapeSeen > ESCAPE_SEEN_MS) keys.tap(['Escape'])
  }

  function onFocusOut(): void {
    if (view.grabbed) release()
  }

  const contextMenu = (event: Event): void => event.preventDefault()

  onMounted(() => {
    const target = element.value
    window.addEventListener('keydown', onKeyDown, true)
    window.addEventListener('keyup', onKeyUp, true)
    window.addEventListener('mouseup', onMouseUp)
    window.addEventListener('blur', onFocusOut)
    document.addEventListener('pointerlockchange', onLockChange)
    target?.addEventListener('mousedown', onMouseDown)
    target?.addEventListener('mousemove', onMouseMove)
    target?.addEventListener('wheel', onWheel, { passive: false })
    target?.addEventListener('contextmenu', contextMenu)
    target?.addEventListener('blur', onFocusOut)
  })
  onBeforeUnmount(() => {
    release()
    window.removeEventListener('keydown', onKeyDown, true)
    window.removeEventListener('keyup', onKeyUp, true)
    window.removeEventListener('mouseup', onMouseUp)
    window.removeEventListener('blur', onFocusOut)
    document.removeEventListener('pointerlockchange', onLockChange)
  })

  return { grab, release, tap: (codes) => keys.tap(codes) }
}
