/** The one window: sandboxed, isolated, and unable to go anywhere else. */
import { BrowserWindow, nativeTheme, session } from 'electron'

export interface MainWindowOptions {
  readonly title: string
  readonly url: string
  readonly preload: string
}

/** What the page may ask of the system. */
const PERMISSIONS = new Set(['pointerLock', 'fullscreen', 'clipboard-sanitized-write'])
const BACKGROUND = { light: '#f3f3f4', dark: '#2a2b2e' }

export function createMainWindow(options: MainWindowOptions): BrowserWindow {
  const { defaultSession } = session
  defaultSession.setPermissionRequestHandler((_page, permission, answer) => answer(PERMISSIONS.has(permission)))
  defaultSession.setPermissionCheckHandler((_page, permission) => PERMISSIONS.has(permission))
  const window = new BrowserWindow({
    title: options.title,
    width: 1120,
    height: 860,
    minWidth: 640,
    minHeight: 480,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      preload: options.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  })
  const page = window.webContents
  page.setWindowOpenHandler(() => ({ action: 'deny' }))
  page.on('will-navigate', (event) => event.preventDefault())
  page.on('will-attach-webview', (event) => event.preventDefault())
  window.once('ready-to-show', () => window.show())
  // The page's own title names the VM.
  window.on('page-title-updated', (event) => event.preventDefault())
  // Reported by loadURL too, but there nobody waits for it.
  window.loadURL(options.url).catch((error: unknown) => {
    process.stderr.write(`vitrine: the window's page does not load: ${error instanceof Error ? error.message : String(error)}\n`)
  })
  return window
}
