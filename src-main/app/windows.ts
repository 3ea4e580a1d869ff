/** The app's windows: sandboxed, isolated, and unable to go anywhere else. */
import { BrowserWindow, nativeTheme, screen, session, type WebContents } from 'electron'
import type { WindowId } from '../ipc/server'
import type { Bounds, RememberedWindow } from '../ipc/window-memories'

export interface WindowsOptions {
  readonly url: string
  readonly isOwnPage: (url: string) => boolean
  readonly preload: string
  readonly icon: string
  /** Before its page loads. */
  readonly onOpened: (window: WindowId, page: WebContents, from: RememberedWindow) => void
  readonly onMoved: (window: WindowId, bounds: Bounds) => void
  readonly onFullScreen: (window: WindowId, on: boolean) => void
  /** false: not now; whoever says so sees to it. Not asked of a window whose page is dead. */
  readonly mayClose: (window: WindowId) => boolean
  readonly onClosed: (window: WindowId) => void
}

/** What the page may ask of the system. keyboardLock: in full screen, keys that the system would take are the guest's too. */
const PERMISSIONS: ReadonlySet<string> = new Set(['pointerLock', 'fullscreen', 'keyboardLock', 'clipboard-sanitized-write'])
const BACKGROUND = { light: '#f3f3f4', dark: '#2a2b2e' }
const DEFAULT_SIZE = { width: 1200, height: 860 }
const MIN_SIZE = { minWidth: 760, minHeight: 520 }
const MOVED_AFTER_MS = 300
const RELOAD_AFTER_MS = 500
/** Of a window's page, in so long: more, and it stays dead. */
const MAX_DEATHS = 3
const FORGIVEN_AFTER_MS = 60_000

export class Windows {
  private readonly windows = new Map<WindowId, BrowserWindow>()
  private count = 0
  /** All of them may go, unasked. */
  private letGo = false

  constructor(private readonly options: WindowsOptions) {
    const { defaultSession } = session
    defaultSession.setPermissionRequestHandler((_page, permission, answer) => answer(PERMISSIONS.has(permission)))
    defaultSession.setPermissionCheckHandler((_page, permission) => PERMISSIONS.has(permission))
    nativeTheme.on('updated', () => {
      for (const window of this.windows.values()) window.setBackgroundColor(background())
    })
  }

  get number(): number {
    return this.windows.size
  }

  get haveFocus(): boolean {
    return [...this.windows.values()].some((window) => window.isFocused())
  }

  get(window: WindowId): BrowserWindow | undefined {
    return this.windows.get(window)
  }

  /** The one with the focus, or the latest one. */
  get current(): WindowId | undefined {
    const focused = [...this.windows].find(([, window]) => window.isFocused())
    return focused?.[0] ?? [...this.windows.keys()].at(-1)
  }

  open(from: RememberedWindow = { memory: {} }): WindowId {
    const id = ++this.count
    const place = from.bounds && visible(from.bounds)
    const window = new BrowserWindow({
      title: 'Vitrine',
      icon: this.options.icon,
      ...DEFAULT_SIZE, ...MIN_SIZE, ...place,
      show: false,
      autoHideMenuBar: true,
      backgroundColor: background(),
      webPreferences: {
        preload: this.options.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        nodeIntegrationInWorker: false,
        webSecurity: true,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false,
        // A guest's screen goes on in thumbnails and when the window is covered.
        backgroundThrottling: false,
      },
    })
    this.windows.set(id, window)
    if (from.bounds?.maximized === true) window.maximize()
    confine(window.webContents)
    this.listen(id, window)
    this.options.onOpened(id, window.webContents, from)
    // Reported by loadURL too, but there nobody waits for it.
    window.loadURL(this.options.url).catch((error: unknown) => {
      process.stderr.write(`vitrine: the window's page does not load: ${error instanceof Error ? error.message : String(error)}\n`)
    })
    return id
  }

  /** In front of everything; restores it if it is an icon. */
  show(id: WindowId): void {
    const window = this.windows.get(id)
    if (!window) return
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
  }

  closeAll(): void {
    this.letGo = true
    for (const window of this.windows.values()) window.close()
    this.letGo = false
  }

  grow(id: WindowId, width: number, height: number): void {
    const window = this.windows.get(id)
    if (!window || window.isMaximized() || window.isFullScreen()) return
    const { workArea } = screen.getDisplayMatching(window.getBounds())
    const [wide = 0, high = 0] = window.getSize()
    const [x = 0, y = 0] = window.getPosition()
    const next = { width: clamp(wide + width, MIN_SIZE.minWidth, workArea.width), height: clamp(high + height, MIN_SIZE.minHeight, workArea.height) }
    window.setBounds({ ...next, x: clamp(x, workArea.x, workArea.x + workArea.width - next.width), y: clamp(y, workArea.y, workArea.y + workArea.height - next.height) })
  }

  private listen(id: WindowId, window: BrowserWindow): void {
    let timer: NodeJS.Timeout | undefined
    const moved = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined
        if (!window.isDestroyed() && !window.isMinimized() && !window.isFullScreen()) this.options.onMoved(id, { ...window.getNormalBounds(), maximized: window.isMaximized() })
      }, MOVED_AFTER_MS)
    }
    window.once('ready-to-show', () => window.show())
    window.on('resize', moved)
    window.on('move', moved)
    window.on('enter-full-screen', () => this.options.onFullScreen(id, true))
    window.on('leave-full-screen', () => this.options.onFullScreen(id, false))
    window.on('close', (event) => {
      if (!this.letGo && !window.webContents.isCrashed() && !this.options.mayClose(id)) event.preventDefault()
    })
    window.on('closed', () => {
      clearTimeout(timer)
      this.windows.delete(id)
      this.options.onClosed(id)
    })
    // An empty page can be gone to without a question; ours comes back.
    window.webContents.on('did-navigate', (_event, url) => {
      if (!this.options.isOwnPage(url)) window.loadURL(this.options.url).catch(() => undefined)
    })
    // A page that died is loaded again, unless it keeps dying; the VMs have noticed nothing.
    let deaths = 0
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      process.stderr.write(`vitrine: a window's page has ended: ${reason}\n`)
      if (reason === 'clean-exit' || ++deaths > MAX_DEATHS) return
      setTimeout(() => window.isDestroyed() || window.webContents.reload(), RELOAD_AFTER_MS)
      setTimeout(() => deaths--, FORGIVEN_AFTER_MS).unref()
    })
  }
}

function confine(page: WebContents): void {
  page.setWindowOpenHandler(() => ({ action: 'deny' }))
  page.on('will-navigate', (event) => event.preventDefault())
  page.on('will-redirect', (event) => event.preventDefault())
  page.on('will-frame-navigate', (event) => event.preventDefault())
  page.on('will-attach-webview', (event) => event.preventDefault())
  page.on('did-finish-load', () => void page.setVisualZoomLevelLimits(1, 1).catch(() => undefined))
}

/** On a screen that is there now. */
function visible({ x, y, width, height }: Bounds): Partial<Bounds> {
  const { workArea } = screen.getDisplayMatching({ x, y, width, height })
  const size = { width: Math.min(width, workArea.width), height: Math.min(height, workArea.height) }
  const isSeen = x + size.width > workArea.x + 50 && x < workArea.x + workArea.width - 50 && y >= workArea.y && y < workArea.y + workArea.height - 50
  return isSeen ? { x, y, ...size } : size
}

function background(): string {
  return nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value))
}
