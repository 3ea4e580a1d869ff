/** A disk that lives in memory: the demo guest's, and tests'. */
import type { BlockBackend } from './block-backend'

export class MemoryDisk implements BlockBackend {
  readonly readOnly: boolean = false

  constructor(
    readonly name: string,
    readonly contents: Uint8Array,
  ) {}

  get bytes(): number {
    return this.contents.length
  }

  read(offset: number, targets: readonly Uint8Array[]): Promise<void> {
    let at = offset
    for (const target of targets) {
      target.set(this.contents.subarray(at, at + target.length))
      at += target.length
    }
    return Promise.resolve()
  }

  write(offset: number, sources: readonly Uint8Array[]): Promise<void> {
    let at = offset
    for (const source of sources) {
      this.contents.set(source, at)
      at += source.length
    }
    return Promise.resolve()
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
