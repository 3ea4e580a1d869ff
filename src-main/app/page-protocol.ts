/** The window's page comes over a scheme of its own instead of file: — it has an origin, a policy, and reaches no file but its own. */
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { protocol } from 'electron'

const SCHEME = 'vitrine'
const HOST = 'app'
export const PAGE_URL = `${SCHEME}://${HOST}/index.html`

/**
 * No script but ours, nothing from elsewhere, no string ever parsed as HTML (trusted types; Vue's compiler output has a policy of its own).
 * Style elements are allowed inline because xterm makes its own; they cannot run anything.
 */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'", "worker-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", 'trusted-types vue vitrine-worker',
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
  '.png': 'image/png', '.woff2': 'font/woff2', '.json': 'application/json', '.map': 'application/json',
}

/** Must run before the app is ready. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }])
}

/** Serves the files of a folder, and none outside it. */
export function servePage(folder: string): void {
  protocol.handle(SCHEME, async (request) => {
    const { host, pathname } = new URL(request.url)
    const path = normalize(join(folder, decodeURIComponent(pathname)))
    const type = TYPES[extname(path)]
    if (host !== HOST || !path.startsWith(folder + sep) || type === undefined) return new Response('Not found', { status: 404 })
    try {
      return new Response(await readFile(path), {
        headers: { 'content-type': type, 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' },
      })
    } catch {
      return new Response('Not found', { status: 404 })
    }
  })
}

/** Whether a URL is our own page (or the development server's, when there is one). */
export function isOwnPage(url: string, developmentUrl: string | undefined): boolean {
  const origin = (of: string): string => `${new URL(of).protocol}//${new URL(of).host}`
  try {
    return origin(url) === `${SCHEME}://${HOST}` || (developmentUrl !== undefined && origin(url) === origin(developmentUrl))
  } catch {
    return false
  }
}
