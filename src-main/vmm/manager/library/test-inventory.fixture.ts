import { addMachine, type Inventory } from './inventory'
import { ok, type Result } from './problem'

export { InventoryFile } from './inventory'

export function setLatest(now: Inventory, id: string): Result<Inventory> {
  return ok(addMachine(now, { id, path: `/${id}`, name: id }))
}
