/** Random numbers for guests. */
import { randomFill } from 'node:crypto'

export interface EntropySource {
  read(bytes: number): Promise<Uint8Array>
}

/** The host's own, fit for keys. */
export class HostEntropy implements EntropySource {
  read(bytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      randomFill(new Uint8Array(bytes), (error, filled) => (error ? reject(error) : resolve(filled)))
    })
  }
}

/** The same numbers each time, for runs that repeat (the instruction clock). Not secret. */
export class SeededEntropy implements EntropySource {
  /** xorshift32's state; part of no saved machine, so a run from a saved state has other numbers than the run that saved it. */
  private state = 0x6d2b79f5

  read(bytes: number): Promise<Uint8Array> {
    return Promise.resolve(Uint8Array.from({ length: bytes }, () => this.next() & 0xff))
  }

  private next(): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    return x >>> 8
  }
}
