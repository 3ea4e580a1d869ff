/** Guest images are built once into the cache outside the checkout, whole or not at all. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const cacheFolder: string = join(process.env['VITRINE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vitrine'), 'guests')

/**
 * Path of an image called `name`, built by `build(scratch, target)` when the cache has none for this recipe. `recipe` names everything that the
 * image depends on: a source file, whose text counts, and any further strings.
 */
export function cached(name: string, recipe: readonly string[], build: (scratch: string, target: string) => void): string {
  const hash = createHash('sha256').update(recipe.join('\0')).digest('hex').slice(0, 12)
  const dot = name.lastIndexOf('.')
  const path = join(cacheFolder, `${name.slice(0, dot)}-${hash}${name.slice(dot)}`)
  if (existsSync(path)) return path
  mkdirSync(cacheFolder, { recursive: true })
  const scratch = mkdtempSync(join(cacheFolder, 'building-'))
  try {
    const target = join(scratch, 'image')
    build(scratch, target)
    renameSync(target, path)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return path
}

/** Text of a source file of ours: a change of the recipe's code makes a new image. */
export function sourceOf(url: string): string {
  return readFileSync(fileURLToPath(url), 'utf8')
}

/** Identity of an installed file: another version makes a new image. */
export function stamp(path: string): string {
  const info = statSync(path)
  return `${path} ${info.size} ${Math.floor(info.mtimeMs)}`
}

export function tool(program: string, args: readonly string[], options: { readonly input?: string; readonly cwd?: string } = {}): void {
  const result = spawnSync(program, args, { ...options, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.error?.message ?? `exit ${result.status}`}\n${(result.stderr ?? '').slice(-2000)}`)
}
