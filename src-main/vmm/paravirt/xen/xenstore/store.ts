/** The store: a tree of values with permissions, watches on it, and transactions that are tried again when someone came between. */
import { fail } from './store-error'
import { findNode, mayRead, mayWrite, nearestNode, nodesOwnedBy, ownerOf, parsePath, replaceNode, type Permission, type StoreNode } from './tree'

/** What a domain may have: as xenstored's defaults. */
const MAX_NODES = 1000
const MAX_VALUE = 2048
const MAX_PERMISSIONS = 16
const MAX_TRANSACTIONS = 10
const MAX_DEPTH = 32

export type StoreWatcher = (path: string) => void

interface Watch {
  readonly path: string
  readonly heard: StoreWatcher
}

type Change =
  | { readonly kind: 'write'; readonly path: readonly string[]; readonly value: Uint8Array }
  | { readonly kind: 'mkdir'; readonly path: readonly string[] }
  | { readonly kind: 'remove'; readonly path: readonly string[] }
  | { readonly kind: 'permissions'; readonly path: readonly string[]; readonly permissions: readonly Permission[] }

interface Transaction {
  readonly domain: number
  /** Fails at its end whatever happens: it was begun before the machine was saved. */
  readonly doomed: boolean
  root: StoreNode
  readonly changes: Change[]
  /** Generation of each node that was looked at or changed, when it began; -1: there was none. */
  readonly seen: Map<string, number>
  readonly base: StoreNode
}

export interface SavedNode {
  readonly value: Uint8Array
  readonly permissions: string
  readonly children: readonly (readonly [name: string, node: SavedNode])[]
}

export interface StoreState {
  readonly root: SavedNode
  readonly transactions: readonly (readonly [id: number, domain: number])[]
  readonly lastTransaction: number
}

const NOTHING = new Uint8Array(0)
const encoder = new TextEncoder()
const decoder = new TextDecoder('latin1')

const emptyRoot = (): StoreNode => ({ value: NOTHING, children: new Map(), permissions: [{ access: 'r', domain: 0 }], generation: 0 })

export class Store {
  private root: StoreNode = emptyRoot()
  private generation = 0
  private readonly watches = new Set<Watch>()
  private readonly transactions = new Map<number, Transaction>()
  private lastTransaction = 0

  // ---- requests; `transaction` 0: none -----------------------------------------------------------------------------------------------

  read(domain: number, path: string, transaction = 0): Uint8Array {
    return this.readable(domain, path, transaction).value
  }

  directory(domain: number, path: string, transaction = 0): readonly string[] {
    return [...this.readable(domain, path, transaction).children.keys()]
  }

  /** Grows with each change of what is in the directory. */
  generationOf(domain: number, path: string, transaction = 0): number {
    return this.readable(domain, path, transaction).generation
  }

  permissions(domain: number, path: string, transaction = 0): readonly Permission[] {
    return this.readable(domain, path, transaction).permissions
  }

  write(domain: number, path: string, value: Uint8Array, transaction = 0): void {
    if (domain !== 0 && value.length > MAX_VALUE) fail('ENOSPC')
    this.change(domain, { kind: 'write', path: parsePath(path), value }, transaction)
  }

  makeDirectory(domain: number, path: string, transaction = 0): void {
    this.change(domain, { kind: 'mkdir', path: parsePath(path) }, transaction)
  }

  remove(domain: number, path: string, transaction = 0): void {
    const parts = parsePath(path)
    if (parts.length === 0) fail('EINVAL')
    this.change(domain, { kind: 'remove', path: parts }, transaction)
  }

  setPermissions(domain: number, path: string, permissions: readonly Permission[], transaction = 0): void {
    if (permissions.length === 0 || permissions.length > MAX_PERMISSIONS) fail('EINVAL')
    this.change(domain, { kind: 'permissions', path: parsePath(path), permissions }, transaction)
  }

  private readable(domain: number, path: string, id: number): StoreNode {
    const parts = parsePath(path)
    const transaction = this.transactionOf(domain, id)
    const root = transaction?.root ?? this.root
    const node = findNode(root, parts)
    if (transaction) note(transaction, parts)
    // Who may not see the parent is not told whether there is a child.
    if (!node) return fail(mayRead(nearestNode(root, parts).node, domain) ? 'ENOENT' : 'EACCES')
    return mayRead(node, domain) ? node : fail('EACCES')
  }

  private change(domain: number, change: Change, id: number): void {
    const transaction = this.transactionOf(domain, id)
    if (transaction) {
      note(transaction, change.path)
      note(transaction, change.path.slice(0, nearestNode(transaction.base, change.path).depth))
      if (transaction.changes.length >= MAX_NODES) fail('ENOSPC')
      transaction.root = this.apply(transaction.root, domain, change)
      transaction.changes.push(change)
      return
    }
    const next = this.apply(this.root, domain, change)
    const before = this.root
    this.root = next
    if (next !== before || change.kind !== 'mkdir') this.fire(change)
  }

  private apply(root: StoreNode, domain: number, change: Change): StoreNode {
    const { path } = change
    const node = findNode(root, path)
    const generation = ++this.generation
    if (change.kind === 'remove') {
      if (!node) {
        // As xenstored: no complaint when the parent is there.
        return findNode(root, path.slice(0, -1)) ? root : fail('ENOENT')
      }
      if (!mayWrite(node, domain)) fail('EACCES')
      return replaceNode(root, path, undefined, generation)
    }
    if (change.kind === 'permissions') {
      if (!node) return fail('ENOENT')
      if (domain !== 0 && (ownerOf(node) !== domain || change.permissions[0]?.domain !== domain)) fail('EACCES')
      return replaceNode(root, path, { ...node, permissions: change.permissions, generation }, generation)
    }
    if (node) {
      if (!mayWrite(node, domain)) fail('EACCES')
      return change.kind === 'mkdir' ? root : replaceNode(root, path, { ...node, value: change.value, generation }, generation)
    }
    return this.create(root, domain, path, change.kind === 'write' ? change.value : NOTHING)
  }

  /** With all parents that are missing; each inherits the permissions of its own parent. */
  private create(root: StoreNode, domain: number, path: readonly string[], value: Uint8Array): StoreNode {
    const { node: parent, depth } = nearestNode(root, path)
    if (!mayWrite(parent, domain)) fail('EACCES')
    if (path.length > MAX_DEPTH) fail('EINVAL')
    if (domain !== 0 && nodesOwnedBy(root, domain) + path.length - depth > MAX_NODES) fail('ENOSPC')
    const [owner = { access: 'n', domain: 0 } as const, ...others] = parent.permissions
    const permissions = domain === 0 ? parent.permissions : [{ access: owner.access, domain }, ...others]
    let next = root
    for (let length = depth + 1; length <= path.length; length++) {
      const generation = ++this.generation
      next = replaceNode(next, path.slice(0, length), { value: length === path.length ? value : NOTHING, children: new Map(), permissions, generation }, generation)
    }
    return next
  }

  // ---- transactions ------------------------------------------------------------------------------------------------------------------

  begin(domain: number): number {
    if ([...this.transactions.values()].filter((transaction) => transaction.domain === domain).length >= MAX_TRANSACTIONS) fail('ENOSPC')
    do this.lastTransaction = (this.lastTransaction + 1) >>> 0 || 1
    while (this.transactions.has(this.lastTransaction))
    this.transactions.set(this.lastTransaction, { domain, doomed: false, base: this.root, root: this.root, changes: [], seen: new Map() })
    return this.lastTransaction
  }

  end(domain: number, id: number, commit: boolean): void {
    const transaction = this.transactionOf(domain, id)
    if (!transaction) return fail('ENOENT')
    this.transactions.delete(id)
    if (!commit) return
    if (transaction.doomed) fail('EAGAIN')
    for (const [path, generation] of transaction.seen) if (generation !== generationAt(this.root, parsePath(path))) fail('EAGAIN')
    let next = this.root
    for (const change of transaction.changes) next = this.apply(next, domain, change)
    this.root = next
    for (const change of transaction.changes) this.fire(change)
  }

  private transactionOf(domain: number, id: number): Transaction | undefined {
    if (id === 0) return undefined
    const transaction = this.transactions.get(id)
    return transaction?.domain === domain ? transaction : fail('ENOENT')
  }

  /** When a domain is gone or has lost its connection. */
  dropTransactions(domain: number): void {
    for (const [id, transaction] of this.transactions) if (transaction.domain === domain) this.transactions.delete(id)
  }

  // ---- watches -----------------------------------------------------------------------------------------------------------------------

  /** Hears of every change at the path and below. Who watches is told once at the start. Returns how to end it. */
  watch(path: string, heard: StoreWatcher): () => void {
    const watch = { path, heard }
    this.watches.add(watch)
    heard(path)
    return () => void this.watches.delete(watch)
  }

  private fire({ kind, path }: Change): void {
    const changed = `/${path.join('/')}`
    for (const watch of [...this.watches]) {
      if (watch.path === changed || watch.path === '/' || changed.startsWith(`${watch.path}/`)) watch.heard(changed)
      // What was below a node that is gone is gone too.
      else if (kind === 'remove' && watch.path.startsWith(`${changed}/`)) watch.heard(watch.path)
    }
  }

  // ---- for the toolstack and back ends: domain 0 -----------------------------------------------------------------------------------

  text(path: string): string | undefined {
    const node = findNode(this.root, parsePath(path))
    return node && decoder.decode(node.value)
  }

  put(path: string, value: string | number, permissions?: readonly Permission[]): void {
    this.write(0, path, encoder.encode(String(value)))
    if (permissions) this.setPermissions(0, path, permissions)
  }

  exists(path: string): boolean {
    return findNode(this.root, parsePath(path)) !== undefined
  }

  // ---- reset, saved state ------------------------------------------------------------------------------------------------------------

  /** Watches stay: they belong to who set them. */
  clear(): void {
    this.root = emptyRoot()
    this.transactions.clear()
  }

  save(): StoreState {
    return {
      root: savedNode(this.root),
      transactions: [...this.transactions].map(([id, { domain }]) => [id, domain] as const),
      lastTransaction: this.lastTransaction,
    }
  }

  load(state: StoreState): void {
    this.root = this.loadedNode(state.root, 0)
    this.lastTransaction = state.lastTransaction >>> 0
    this.transactions.clear()
    for (const [id, domain] of state.transactions.slice(0, MAX_TRANSACTIONS)) {
      this.transactions.set(id, { domain, doomed: true, base: this.root, root: this.root, changes: [], seen: new Map() })
    }
  }

  private loadedNode(saved: SavedNode, depth: number): StoreNode {
    if (depth > MAX_DEPTH) fail('EINVAL')
    const children = new Map(saved.children.map(([name, child]) => [name, this.loadedNode(child, depth + 1)] as const))
    return { value: saved.value, children, permissions: saved.permissions.split(' ').map(parsePermission), generation: ++this.generation }
  }
}

function generationAt(root: StoreNode, path: readonly string[]): number {
  return findNode(root, path)?.generation ?? -1
}

function note({ seen, base }: Transaction, path: readonly string[]): void {
  const key = `/${path.join('/')}`
  if (!seen.has(key)) seen.set(key, generationAt(base, path))
}

function savedNode(node: StoreNode): SavedNode {
  return { value: node.value, permissions: node.permissions.map(formatPermission).join(' '), children: [...node.children].map(([name, child]) => [name, savedNode(child)] as const) }
}

export function formatPermission({ access, domain }: Permission): string {
  return `${access}${domain}`
}

/** 'r1' and the like. */
export function parsePermission(text: string): Permission {
  const { access, domain } = /^(?<access>[nrwb])(?<domain>\d{1,5})$/.exec(text)?.groups ?? {}
  if (access !== 'n' && access !== 'r' && access !== 'w' && access !== 'b') return fail('EINVAL')
  return { access, domain: Number(domain) }
}
