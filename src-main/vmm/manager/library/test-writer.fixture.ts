/** Run as a process by tests, which kill it: changes a VM's description, or an inventory, again and again. */
import { InventoryFile, setLatest } from './test-inventory.fixture'
import { VmFolder } from './vm-folder'

const [what = '', path = '', label = '', count = '1000000'] = process.argv.slice(2)

async function main(): Promise<void> {
  process.stdout.write('ready\n')
  for (let i = 0; i < Number(count); i++) {
    const done = what === 'vm' ? await new VmFolder(path).change({ description: label.repeat(1 + ((i * 7919) % 5000)) }, 'writer') : await new InventoryFile(path, 'writer').update((now) => setLatest(now, `${label}${i}`))
    if (!done.ok) throw new Error(done.problem.message)
  }
}

void main()
