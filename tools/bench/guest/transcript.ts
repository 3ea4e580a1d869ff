/** What a guest says on its serial line (resources/bench-guest/main.c), with the times at which it was heard. */

export interface SectionResult {
  readonly seconds: number
  readonly checksum: string
}

/** The first that the kernel says is in its decompressor; what comes before is firmware and loading. */
const KERNEL_STARTS = /KASLR disabled|Decompressing Linux|Linux version/

/** Reads the lines as they come; times are seconds since the process was started. */
export class Transcript {
  readonly sections: Map<string, SectionResult> = new Map()
  kernelAt: number | undefined
  initAt: number | undefined
  done: boolean = false
  /** The section that has begun and not ended. */
  running: { readonly name: string; readonly at: number } | undefined
  /** The last lines that are not the protocol's: what a guest says before it dies. */
  readonly other: string[] = []
  private rest = ''

  hear(text: string, at: number): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.line(line.trim(), at)
  }

  private line(line: string, at: number): void {
    if (this.kernelAt === undefined && KERNEL_STARTS.test(line)) this.kernelAt = at
    const [, verb, name = '', checksum = ''] = /@(init|begin|end|done|failed)(?: (\S+))?(?: ([0-9a-f]{8}))?/.exec(line) ?? []
    switch (verb) {
      case 'init':
        this.initAt = at
        break
      case 'begin':
        this.running = { name, at }
        break
      case 'end':
        if (this.running?.name === name) this.sections.set(name, { seconds: at - this.running.at, checksum })
        this.running = undefined
        break
      case 'done':
        this.done = true
        break
      default:
        if (line !== '') this.other.push(line)
        if (this.other.length > 3) this.other.shift()
    }
  }
}
