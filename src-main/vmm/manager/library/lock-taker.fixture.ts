/** Run as a process by lock.test.ts: takes a lock when told the time, says how it went, and holds it until it is killed or told to let go. */
import { takeLock } from './lock'

const [folder = '', mode = 'hold'] = process.argv.slice(2)

async function main(): Promise<void> {
  process.stdout.write('ready\n')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const lock = await takeLock(folder, `taker ${process.pid}`)
  process.stdout.write(lock.ok ? 'taken\n' : `refused ${lock.problem.code} ${lock.problem.message}\n`)
  if (!lock.ok) process.exit(0)
  if (mode === 'release') {
    await lock.value.release()
    process.exit(0)
  }
  await new Promise((resolve) => process.stdin.once('data', resolve))
  await lock.value.release()
  process.exit(0)
}

void main()
