/**
 * Control flow of a region as nested structure: strongly connected parts become loops, the rest stands in topological order, so that every jump is a
 * branch to an enclosing label. A loop with one entry has no dispatcher; one with several (guest code may jump anywhere, regions may be entered
 * inside loops) gets a number that tells at which entry it goes on.
 */

export type StructureNode =
  | { readonly kind: 'block'; readonly block: number }
  /** `entries` of more than one: the loop begins with a dispatcher. */
  | { readonly kind: 'loop'; readonly entries: readonly number[]; readonly body: readonly StructureNode[] }

/** Nodes in an order in which all jumps between them go forward. `successors` may name blocks outside `blocks`; they are ignored. */
export function structure(blocks: readonly number[], roots: ReadonlySet<number>, successors: (block: number) => readonly number[]): readonly StructureNode[] {
  const inside = new Set(blocks)
  const edges = (block: number): readonly number[] => successors(block).filter((target) => inside.has(target))
  return components(blocks, edges).map((part) => {
    const [only] = part
    if (only === undefined) throw new Error('an empty component')
    if (part.length === 1 && !edges(only).includes(only)) return { kind: 'block', block: only }
    const members = new Set(part)
    const entered = new Set<number>(part.filter((block) => roots.has(block)))
    for (const block of blocks) if (!members.has(block)) for (const target of edges(block)) if (members.has(target)) entered.add(target)
    if (entered.size === 0) entered.add(only)
    const entries = part.filter((block) => entered.has(block))
    const body = structure(part, entered, (block) => successors(block).filter((target) => !entered.has(target)))
    return { kind: 'loop', entries, body }
  })
}

/** Strongly connected components in topological order (Tarjan's algorithm gives them in reverse). */
function components(blocks: readonly number[], edges: (block: number) => readonly number[]): readonly (readonly number[])[] {
  const index = new Map<number, number>()
  const low = new Map<number, number>()
  const stack: number[] = []
  const onStack = new Set<number>()
  const found: number[][] = []
  const visit = (block: number): void => {
    const own = index.size
    index.set(block, own)
    low.set(block, own)
    stack.push(block)
    onStack.add(block)
    for (const target of edges(block)) {
      if (!index.has(target)) {
        visit(target)
        low.set(block, Math.min(low.get(block)!, low.get(target)!))
      } else if (onStack.has(target)) {
        low.set(block, Math.min(low.get(block)!, index.get(target)!))
      }
    }
    if (low.get(block) !== own) return
    const part: number[] = []
    for (;;) {
      const member = stack.pop()!
      onStack.delete(member)
      part.push(member)
      if (member === block) break
    }
    // the order of the code, whatever the walk found first
    found.push(part.sort((a, b) => a - b))
  }
  for (const block of blocks) if (!index.has(block)) visit(block)
  return found.reverse()
}
