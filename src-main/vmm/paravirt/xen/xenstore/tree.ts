/**
 * The store's tree: immutable nodes, so that a transaction is a root of its own, and what has changed since it began is a comparison of numbers. Semantics:
 * docs/misc/xenstore.txt of Xen.
 */
import { fail } from './store-error'

/** Whose a node is, and who else may do what: the first entry names the owner, and what all others may. */
export interface Permission {
  readonly access: 'n' | 'r' | 'w' | 'b'
  readonly domain: number
}

export interface StoreNode {
  readonly value: Uint8Array
  readonly children: ReadonlyMap<string, StoreNode>
  readonly permissions: readonly Permission[]
  /** Grows with each change of value, permissions or the names of children. */
  readonly generation: number
}

export const MAX_PATH = 3072
const PART = /^[A-Za-z0-9\-_@]+$/

/** Parts of an absolute path; '/' is []. */
export function parsePath(path: string): readonly string[] {
  if (path === '/') return []
  if (path.length > MAX_PATH || !path.startsWith('/')) fail('EINVAL')
  const parts = path.slice(1).split('/')
  if (!parts.every((part) => PART.test(part))) fail('EINVAL')
  return parts
}

export function findNode(root: StoreNode, path: readonly string[]): StoreNode | undefined {
  let node: StoreNode | undefined = root
  for (const part of path) node = node?.children.get(part)
  return node
}

/** The deepest node on the way that there is. */
export function nearestNode(root: StoreNode, path: readonly string[]): { readonly node: StoreNode; readonly depth: number } {
  let node = root
  for (const [depth, part] of path.entries()) {
    const next = node.children.get(part)
    if (!next) return { node, depth }
    node = next
  }
  return { node, depth: path.length }
}

export function mayRead(node: StoreNode, domain: number): boolean {
  return domain === 0 || allows(node, domain, ['r', 'b'])
}
export function mayWrite(node: StoreNode, domain: number): boolean {
  return domain === 0 || allows(node, domain, ['w', 'b'])
}
export function ownerOf(node: StoreNode): number {
  return node.permissions[0]?.domain ?? 0
}

function allows(node: StoreNode, domain: number, wanted: readonly Permission['access'][]): boolean {
  const [owner, ...others] = node.permissions
  if (!owner || owner.domain === domain) return true
  return wanted.includes((others.find((entry) => entry.domain === domain) ?? owner).access)
}

export function nodesOwnedBy(node: StoreNode, domain: number): number {
  let count = ownerOf(node) === domain ? 1 : 0
  for (const child of node.children.values()) count += nodesOwnedBy(child, domain)
  return count
}

/** The tree with the node at `path` replaced; undefined: taken out. Its parent must be there. */
export function replaceNode(root: StoreNode, path: readonly string[], node: StoreNode | undefined, generation: number): StoreNode {
  const [part, ...rest] = path
  if (part === undefined) return node ?? root
  const child = root.children.get(part)
  const next = rest.length === 0 ? node : child && replaceNode(child, rest, node, generation)
  if (next === child) return root
  const children = new Map(root.children)
  if (next) children.set(part, next)
  else children.delete(part)
  const named = (child === undefined) !== (next === undefined)
  return { ...root, children, generation: named ? generation : root.generation }
}
