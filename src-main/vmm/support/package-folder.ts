/** Finds files that ship with the program, wherever this code runs from: sources, out/cli or out/main. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VmmError } from '../errors/vmm-error'

/** Absolute path of a file named relative to the package's folder, e.g. 'resources/fonts/vga-8x16.bin'. */
export function packageFile(relative: string): string {
  // CommonJS bundles have __dirname, modules import.meta.url.
  const start = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url))
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, relative)
    if (existsSync(candidate)) return candidate
    if (dirname(folder) === folder) throw new VmmError('installation/incomplete', `${relative} is missing from the installation; install Vitrine again, or run npm run setup in its sources`)
  }
}
