// Small things that every set-up step uses.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Outside the checkout, so that clones share what is large. */
export const cacheFolder = join(process.env.VITRINE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vitrine'))

export function say(text) {
  process.stderr.write(`setup: ${text}\n`)
}

export function fail(text) {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

/** Runs a command with its output shown; ends the set-up with a clear line when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  if (result.status !== 0) fail(`setup: \`${command} ${args.join(' ')}\` failed (${result.error?.message ?? `exit ${result.status}`}); fix what it says above and run the command again`)
}

export function isMain(url) {
  return process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(url)
}

/** Hash of files and folders (sorted, by content); missing ones count as empty. */
export function hashOf(paths, keep = () => true) {
  const hash = createHash('sha256')
  const visit = (path) => {
    if (!existsSync(path)) return
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name))
    else if (keep(path)) hash.update(path.slice(root.length)).update(readFileSync(path))
  }
  paths.forEach((path) => visit(join(root, path)))
  return hash.digest('hex')
}

/** Runs `work` unless the stamp file already holds `hash`. */
export function once(stamp, hash, work) {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return false
  work()
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, hash)
  return true
}
