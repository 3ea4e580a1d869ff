/** What a guest writes to a serial port, into a file as well. Its bytes count as taken when they are written, so a slow disk makes the guest wait. */
import { open, type FileHandle } from 'node:fs/promises'
import { fail, fileProblem, ok, type Problem, type Result } from '../vmm'

export class SerialLog {
  private tail: Promise<void> = Promise.resolve()
  private broken = false

  private constructor(
    private readonly file: FileHandle,
    readonly path: string,
    private readonly failed: (problem: Problem) => void,
  ) {}

  /** Appends to what is there. `failed`: told once, when it cannot be written any more. */
  static async open(path: string, failed: (problem: Problem) => void): Promise<Result<SerialLog>> {
    try {
      return ok(new SerialLog(await open(path, 'a', 0o600), path, failed))
    } catch (error) {
      return fail(fileProblem(error, path))
    }
  }

  write(bytes: Uint8Array): void {
    const copy = bytes.slice()
    this.tail = this.tail.then(async () => {
      if (this.broken) return
      try {
        await this.file.appendFile(copy)
      } catch (error) {
        this.broken = true // a full disk is no reason to stop the guest
        this.failed(fileProblem(error, this.path))
      }
    })
  }

  /** Resolves when everything so far is in the file. */
  async flush(): Promise<void> {
    await this.tail
  }

  async close(): Promise<void> {
    await this.tail
    await this.file.close().catch(() => undefined)
  }
}
