/** Questions to a machine's thread: each is answered once, by its number, or not at all. */

/** Not answered by then: there is no answer. */
const PATIENCE_MS = 5000

export class Questions {
  private next = 1
  private readonly open = new Map<number, (answer: unknown) => void>()

  /** `send` gets the question's number. undefined: no answer. `patience`: Infinity for what takes as long as it takes. */
  ask<T>(send: (question: number) => void, patience: number = PATIENCE_MS): Promise<T | undefined> {
    const question = this.next++
    return new Promise<T | undefined>((resolve) => {
      const timer = patience === Infinity ? undefined : setTimeout(() => this.answer(question, undefined), patience)
      this.open.set(question, (answer) => {
        clearTimeout(timer)
        resolve(answer as T | undefined)
      })
      send(question)
    })
  }

  answer(question: number, answer: unknown): void {
    this.open.get(question)?.(answer)
    this.open.delete(question)
  }

  /** Nobody is there to answer any more. */
  giveUp(): void {
    for (const question of [...this.open.keys()]) this.answer(question, undefined)
  }
}
