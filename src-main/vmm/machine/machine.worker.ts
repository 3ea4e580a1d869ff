/** Entry of a machine's worker thread. */
import { parentPort } from 'node:worker_threads'
import { MachineServer } from './machine-server'

if (parentPort) {
  const server = new MachineServer(parentPort)
  process.on('uncaughtException', (error) => void server.failed(error))
}
