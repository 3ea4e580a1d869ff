/**
 * Pages whose code keeps changing (a JIT in the guest, a loader that unpacks in place, data beside code) cost more to translate than they give back:
 * after several changes in a short time a page is left to the interpreter for a while, each time twice as long.
 */

/** Changes that are taken in good part. */
const CHANGES_MAX = 8
/** One rewriting of a page, which takes many writes, is one change. Instructions. */
const ONE_CHANGE = 200_000
/** So many instructions after the latest change all are forgotten. */
const FORGET_AFTER = 50_000_000
const SHORTEST_BAN = 20_000_000
const LONGEST_BAN = 2_000_000_000
/** Pages remembered; the guest chooses how many there are. */
const PAGES_MAX = 4096

interface History {
  changes: number
  last: number
  ban: number
  bannedUntil: number
}

export class PageHistory {
  private readonly pages = new Map<number, History>()
  /** How often a page was given up for a while. */
  bans = 0

  /** Translated code of the page was written to when `now` instructions had retired. */
  changed(page: number, now: number): void {
    const history = this.pages.get(page) ?? { changes: 0, last: -Infinity, ban: SHORTEST_BAN, bannedUntil: 0 }
    if (now - history.last < ONE_CHANGE) return
    history.changes = (now - history.last < FORGET_AFTER ? history.changes : 0) + 1
    history.last = now
    if (history.changes >= CHANGES_MAX) {
      this.bans++
      history.changes = 0
      history.bannedUntil = now + history.ban
      history.ban = Math.min(LONGEST_BAN, history.ban * 2)
    }
    // most recently changed last: the one forgotten is the one that has been quiet longest
    this.pages.delete(page)
    this.pages.set(page, history)
    if (this.pages.size > PAGES_MAX) for (const oldest of this.pages.keys()) return void this.pages.delete(oldest)
  }

  banned(page: number, now: number): boolean {
    const history = this.pages.get(page)
    return history !== undefined && now < history.bannedUntil
  }
}
