/** A mistake in an assembly source: says where. */
export class SourceError extends Error {
  constructor(
    readonly file: string,
    readonly line: number,
    readonly reason: string,
  ) {
    super(`${file}:${line}: ${reason}`)
    this.name = 'SourceError'
  }
}

/** Thrown below the level that knows the line; the assembler adds it. */
export class Problem extends Error {}
