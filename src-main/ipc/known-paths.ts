/**
 * The paths that a page may name: what the user chose in a dialog, dropped on a window, or has in the library. A page that has gone astray can ask for no
 * other file. What is known for reading (a CD image) is not known for writing (a disk, a log).
 */
import { isAbsolute, resolve, sep } from 'node:path'
import { IpcError, type FilePurpose } from './contract'

export type PathUse = 'read' | 'write'

const WRITABLE: readonly FilePurpose[] = ['disk', 'folder', 'serial-log', 'screenshot']

export class KnownPaths {
  private readonly paths = new Map<string, PathUse>()

  /** From a dialog. */
  chosen(path: string, purpose: FilePurpose): void {
    this.know(path, WRITABLE.includes(purpose) ? 'write' : 'read')
  }

  /** Knowing it for writing, once, is for good: two dialogs may have the same file. */
  know(path: string, use: PathUse): void {
    const whole = resolve(path)
    if (this.paths.get(whole) !== 'write') this.paths.set(whole, use)
  }

  knows(path: string, use: PathUse): boolean {
    if (!isAbsolute(path)) return false
    const known = this.paths.get(resolve(path))
    return known === 'write' || known === use
  }

  /** Throws what the request is answered with. */
  check(path: string, use: PathUse): void {
    if (!this.knows(path, use)) throw refused(path)
  }

  /** Paths in a patch of vm.json. `folder`: the VM's, whose files it may name; undefined: it has none yet. `listed` are those that its vm.json names now. */
  checkPatch(patch: unknown, folder: string | undefined, listed: readonly NamedPath[] = []): void {
    for (const { path, use } of namedPaths(patch)) {
      const whole = folder === undefined ? path : resolve(folder, path)
      const own = folder === undefined ? isFileName(path) : whole.startsWith(folder + sep) && !isOfVitrine(whole.slice(folder.length + 1))
      const before = listed.some((other) => other.path === path && (other.use === 'write' || use === 'read'))
      if (!own && !before && !this.knows(whole, use)) throw refused(path)
    }
  }
}

export interface NamedPath {
  readonly path: string
  readonly use: PathUse
}

/** Keys of vm.json that hold paths, wherever they stand. */
const PATH_KEYS: readonly string[] = ['file', 'initrd', 'vgaBios']
/** Lists of what the guest writes to. */
const WRITTEN: readonly string[] = ['disks', 'serialPorts']
const MAX_DEPTH = 40

/** All paths in a piece of vm.json. */
export function namedPaths(value: unknown, use: PathUse = 'read', depth: number = 0): readonly NamedPath[] {
  if (typeof value !== 'object' || value === null) return []
  if (depth > MAX_DEPTH) throw new IpcError('ipc/bad-request', 'settings are nested too deep')
  if (Array.isArray(value)) return value.flatMap((item) => namedPaths(item, use, depth + 1))
  const own = 'readOnly' in value && value.readOnly === true ? 'read' : use
  return Object.entries(value).flatMap(([key, item]: [string, unknown]): readonly NamedPath[] =>
    PATH_KEYS.includes(key) && typeof item === 'string' ? [{ path: item, use: own }] : namedPaths(item, WRITTEN.includes(key) ? 'write' : own, depth + 1),
  )
}

/** Of a file in a folder that is still to be made. */
function isFileName(path: string): boolean {
  return path !== '' && !/[/\\]/.test(path) && !path.startsWith('.') && !isOfVitrine(path)
}

/** In a VM's folder: what is no disk, whatever a page says. */
function isOfVitrine(name: string): boolean {
  return /^(vm\.json.*|vitrine\.(log|lock).*|suspended\..*|crashed\.state|thumbnail\.png|\..*)$/i.test(name)
}

function refused(path: string): IpcError {
  return new IpcError('ipc/forbidden', `${path}: no path that was chosen, dropped or is in the library`)
}
