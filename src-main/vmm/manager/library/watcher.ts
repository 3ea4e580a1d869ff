/**
 * Tells that something may have changed in folders: the host's notifications, gathered for a moment, and for what cannot be watched (not there, too many watches, a network
 * file system) a slow look around. Whether something has changed is for the listener to find out.
 */
import { watch, type FSWatcher } from 'node:fs'

/** Editors write in several steps, some by emptying the file first. */
const GATHER_MS = 150
const LOOK_AROUND_MS = 2000

interface Watched {
  readonly key: string
  watcher: FSWatcher | undefined
}

export class FolderWatcher {
  private readonly watched = new Map<string, Watched>()
  private readonly changed = new Set<string>()
  private gathering: NodeJS.Timeout | undefined
  private readonly lookAround: NodeJS.Timeout
  private closed = false

  /** `onChange` gets the keys of folders in which something may have changed. */
  constructor(
    private readonly onChange: (keys: ReadonlySet<string>) => void,
    /** Whether an event about a file of a watched folder can mean something. */
    private readonly matters: (event: string, name: string) => boolean = () => true,
  ) {
    this.lookAround = setInterval(() => this.look(), LOOK_AROUND_MS)
    this.lookAround.unref()
  }

  /** Exactly these folders, each with the key under which it is told; several may have the same. */
  follow(folders: ReadonlyMap<string, string>): void {
    for (const [path, { watcher }] of this.watched) {
      if (folders.has(path)) continue
      watcher?.close()
      this.watched.delete(path)
    }
    for (const [path, key] of folders) {
      const old = this.watched.get(path)
      if (old?.key === key && old.watcher) continue
      old?.watcher?.close()
      const entry: Watched = { key, watcher: undefined }
      this.watched.set(path, entry)
      this.start(path, entry)
    }
  }

  close(): void {
    this.closed = true
    clearInterval(this.lookAround)
    clearTimeout(this.gathering)
    this.follow(new Map())
  }

  private start(path: string, entry: Watched): void {
    try {
      const watcher = watch(path, { persistent: false }, (event, name) => {
        if (name === null || this.matters(event, name) || path.endsWith(`/${name}`)) this.tell(entry.key)
        // The folder itself was moved or removed: the watch follows it, but the path is what counts.
        if (event === 'rename' && name !== null && path.endsWith(`/${name}`)) this.stop(entry)
      })
      watcher.on('error', () => this.stop(entry))
      entry.watcher = watcher
    } catch {
      entry.watcher = undefined
    }
  }

  private stop(entry: Watched): void {
    entry.watcher?.close()
    entry.watcher = undefined
    this.tell(entry.key)
  }

  private look(): void {
    for (const [path, entry] of this.watched) {
      if (entry.watcher) continue
      this.start(path, entry)
      this.tell(entry.key)
    }
  }

  private tell(key: string): void {
    if (this.closed) return
    this.changed.add(key)
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined
      const keys = new Set(this.changed)
      this.changed.clear()
      this.onChange(keys)
    }, GATHER_MS)
    this.gathering.unref()
  }
}
