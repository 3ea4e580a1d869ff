/** Questions to a machine's thread: each is answered once, by its number, or not at all. */

/** Not answered by then: there is no answer. */
const PATIENCE_MS = 2000

export class Questions {
  private next = 1
  private readonly open = new Map<number, (answer: unknown) => void>()

  /** `send` gets the question's number. undefined: no answer. */
  ask<T>(send: (question: number) => void): Promise<T | undefined> {
    const question = this.next++
    return new Promise<T | undefined>((resolve) => {
      const timer = setTimeout(() => this.answer(question, undefined), PATIENCE_MS)
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
