/** `vitrine.log` of a VM: bounded, rotated, one line an event. Guests can cause lines, so neither size nor backlog grows without end. */
import { appendFile, rename, stat } from 'node:fs/promises'
import { hostTimestamp } from '../../time/host-clock'
import { VM_LOG, type VmFolder } from './vm-folder'
import { LOG_LEVELS, type LogLevel } from './vm-json/types'

const MAX_FILE_BYTES = 1 << 20
/** vitrine.log.1 is the youngest of the old ones. */
const OLD_FILES = 2
const MAX_BACKLOG = 1000
const MAX_LINE = 4000

export class VmLog {
  private readonly backlog: string[] = []
  private dropped = 0
  private writing: Promise<void> | undefined
  private readonly path: string

  constructor(
    folder: VmFolder,
    private readonly level: LogLevel,
    private readonly maxFileBytes: number = MAX_FILE_BYTES,
  ) {
    this.path = folder.file(VM_LOG)
  }

  write(level: LogLevel, message: string): void {
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(this.level)) return
    if (this.backlog.length >= MAX_BACKLOG) {
      this.dropped++
      return
    }
    this.backlog.push(`${hostTimestamp()} ${level.padEnd(7)} ${oneLine(message)}\n`)
    this.writing ??= this.drain()
  }

  /** Resolves when everything so far is in the file. */
  async flush(): Promise<void> {
    while (this.writing) await this.writing
  }

  private async drain(): Promise<void> {
    // Lines of the same turn go out together.
    await Promise.resolve()
    while (this.backlog.length > 0 || this.dropped > 0) {
      const lines = this.backlog.splice(0)
      if (this.dropped > 0) lines.push(`${hostTimestamp()} warning ${this.dropped} lines were dropped: they came faster than they could be written\n`)
      this.dropped = 0
      await this.append(lines.join(''))
    }
    this.writing = undefined
  }

  /** A log that cannot be written (disk full, folder gone) is no reason to disturb a VM. */
  private async append(text: string): Promise<void> {
    try {
      const size = await stat(this.path).then(({ size: bytes }) => bytes, () => 0)
      if (size > 0 && size + text.length > this.maxFileBytes) await this.rotate()
      await appendFile(this.path, text, { mode: 0o600 })
    } catch {
      this.backlog.length = 0
      this.dropped = 0
    }
  }

  private async rotate(): Promise<void> {
    for (let number = OLD_FILES; number >= 1; number--) await rename(number === 1 ? this.path : `${this.path}.${number - 1}`, `${this.path}.${number}`).catch(() => undefined)
  }
}

/** Line breaks as a mark; other control characters (a guest's text may have them) as codes, so that no terminal that shows the log obeys them. */
function oneLine(message: string): string {
  const plain = message.trimEnd().replace(/\r?\n/g, ' | ').replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return plain.length <= MAX_LINE ? plain : `${plain.slice(0, MAX_LINE)}...`
}
