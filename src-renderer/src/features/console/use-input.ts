/** Keyboard and mouse of the guest screen: a click, Enter or Ctrl+G grabs them, Ctrl+Alt gives them back. Keys go by their place (KeyboardEvent.code): layouts, dead keys and input methods of the host do not touch them. */
import { onBeforeUnmount, onMounted, type Ref } from 'vue'
import type { ConsoleUp } from '../../../../src-main/ipc/contract'
import { findCommand, runCommand } from '../../stores/commands'
import { useInputStore } from '../../stores/input'
import { usePreferencesStore } from '../../stores/preferences'
import { KeyGrab } from './key-grab'
import { MouseMotion } from './mouse-motion'

/** An Escape that the page saw itself is not the one that the browser took to free the pointer. */
const ESCAPE_SEEN_MS = 300

/** Wheels that count in lines move three lines a notch. */
const LINE_PIXELS = 100 / 3

/** With Ctrl+Alt these stay the window's, also while the guest has the keyboard. */
const WINDOW_KEYS: Readonly<Partial<Record<string, string>>> = { Enter: 'console.full-screen', Insert: 'console.send-ctrl-alt-delete', PrintScreen: 'console.capture', Tab: 'tabs.next-vm' }
/** In full screen, where no tab can be seen, these too; in a window guests' desktops have them. */
const FULL_SCREEN_KEYS: typeof WINDOW_KEYS = { ArrowLeft: 'tabs.previous-vm', ArrowRight: 'tabs.next-vm' }

export interface GuestInput {
  grab(): void
  release(): void
  /** Keys pressed together, then let go. */
  tap(codes: readonly string[]): void
}

/** `usable`: whether there is a guest that listens. */
export function useInput(element: Ref<HTMLElement | undefined>, usable: () => boolean, send: (message: ConsoleUp) => void): GuestInput {
  const input = useInputStore()
  const { preferences } = usePreferencesStore()
  let escapeSeen = -Infinity
  const keys = new KeyGrab({
    keyboard: /Windows/.test(navigator.userAgent) ? 'windows' : /Macintosh/.test(navigator.userAgent) ? 'mac' : 'other',
    send: ({ code, pressed }) => send({ kind: 'key', code, pressed }),
    release: () => {
      release()
      if (input.fullScreen) runCommand('console.full-screen')
    },
    takes: (code) => {
      const id = WINDOW_KEYS[code] ?? (input.fullScreen ? FULL_SCREEN_KEYS[code] : undefined)
      if (id === undefined || !(findCommand(id)?.enabled?.() ?? true)) return undefined
      return () => runCommand(id)
    },
  })
  const mouse = new MouseMotion((message) => send({ kind: 'mouse', ...message }), (work) => void requestAnimationFrame(work))

  function grab(): void {
    if (!usable()) return
    element.value?.focus()
    input.setGrabbed(true)
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
    input.setGrabbed(false)
    if (document.pointerLockElement) document.exitPointerLock()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (!input.grabbed) {
      if (event.code === 'F11' && !event.ctrlKey && !event.altKey && !event.shiftKey && !event.metaKey) {
        event.preventDefault()
        return runCommand('console.full-screen')
      }
      if (event.target !== element.value || !usable() || event.ctrlKey || event.altKey || event.metaKey) return
      const isText = event.key.length === 1
      if (event.code !== 'Enter' && !(preferences.grabOnKey && isText)) return
      event.preventDefault()
      grab()
      if (isText) keys.down(event.code)
      return
    }
    event.preventDefault()
    event.stopPropagation()
    if (event.code === 'Escape') escapeSeen = event.timeStamp
    keys.down(event.code, event.key)
  }

  function onKeyUp(event: KeyboardEvent): void {
    if (!input.grabbed) return
    event.preventDefault()
    event.stopPropagation()
    keys.up(event.code)
  }

  function onMouseDown(event: MouseEvent): void {
    event.preventDefault()
    if (!input.grabbed) {
      element.value?.focus()
      return preferences.grabOnClick ? grab() : undefined
    }
    if (!document.pointerLockElement) lockPointer()
    mouse.press(event.buttons)
  }

  function onMouseUp(event: MouseEvent): void {
    if (input.grabbed) mouse.press(event.buttons)
  }

  function onMouseMove(event: MouseEvent): void {
    if (input.grabbed) mouse.move(event.movementX, event.movementY)
  }

  function onWheel(event: WheelEvent): void {
    if (!input.grabbed) return
    event.preventDefault()
    mouse.scroll(event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE_PIXELS)
  }

  /** The browser frees the pointer on Escape and keeps that key for itself: the guest gets it from here. */
  function onLockChange(): void {
    if (document.pointerLockElement || !input.grabbed) return
    if (!document.hasFocus()) return release()
    if (performance.now() - escapeSeen > ESCAPE_SEEN_MS) keys.tap(['Escape'])
  }

  function onFocusOut(): void {
    if (input.grabbed) release()
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
