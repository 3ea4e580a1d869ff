/** Entry of a machine's worker thread: one machine from power-on to its end, driven by the mailbox. */
import { parentPort, type MessagePort } from 'node:worker_threads'
import { QueueCharBackend } from '../backends/chardev/char-backend'
import { assertNever } from '../errors/assert-never'
import { VmmError } from '../errors/vmm-error'
import { createMachine } from './create-machine'
import type { Machine } from './machine'
import type { Frame, FromMachine, MachineAnswer, ToMachine } from './protocol'
import { ScreenStream } from './screen-stream'

/** Serial bytes under way to the host; past this the guest's UART waits. */
const SERIAL_HIGH_WATER = 1 << 16

export function serveMachine(port: MessagePort): void {
  let machine: Machine | undefined
  let screen: ScreenStream | undefined
  let state: 'running' | 'paused' = 'running'
  const send = (message: FromMachine, moved: readonly ArrayBuffer[] = []): void => port.postMessage(message, moved)
  const answer = (question: number, given: MachineAnswer): void => send({ kind: 'answer', question, answer: given })
  // Pixels move to the host's thread instead of being copied.
  const sendFrame = (frame: Frame): void => send({ kind: 'frame', frame }, frame.rects.flatMap(({ rgba: { buffer } }) => (buffer instanceof ArrayBuffer ? [buffer] : [])))
  const output: number[] = []
  let underWay = 0

  const serial = new QueueCharBackend((byte) => void output.push(byte))
  const accept = serial.write.bind(serial)
  serial.write = (byte: number): boolean => underWay + output.length < SERIAL_HIGH_WATER && accept(byte)

  function flushSerial(): void {
    if (output.length === 0) return
    const bytes = Uint8Array.from(output)
    output.length = 0
    underWay += bytes.length
    send({ kind: 'serial', bytes })
  }

  async function start(message: Extract<ToMachine, { kind: 'start' }>): Promise<void> {
    try {
      const created = await createMachine(message.config, { serial: [serial], ...(message.coreDirectory === undefined ? {} : { coreDirectory: message.coreDirectory }) })
      machine = created
      screen = new ScreenStream(created, sendFrame)
      created.onTurn = (): void => {
        flushSerial()
        screen?.turn()
      }
      created.onPause = (paused): void => {
        state = paused ? 'paused' : 'running'
        send({ kind: 'state', state })
      }
      send({ kind: 'state', state })
      const end = await created.run()
      flushSerial()
      screen.finish()
      await created.close()
      send({ kind: 'ended', end })
    } catch (error) {
      const code = error instanceof VmmError ? error.code : 'internal/bug'
      send({ kind: 'failed', code, message: error instanceof Error ? (error instanceof VmmError ? error.message : (error.stack ?? error.message)) : String(error) })
    } finally {
      port.close()
    }
  }

  port.on('message', (message: ToMachine) => {
    if (message.kind === 'start') return void start(message)
    const running = machine
    if (!running) return
    switch (message.kind) {
      case 'pause':
        return running.pause()
      case 'resume':
        return running.resume()
      case 'reset':
        return running.reset()
      case 'power-off':
        return running.powerOff()
      case 'power-button':
        return running.pressPowerButton()
      case 'key':
        return running.key({ code: message.code, pressed: message.pressed })
      case 'mouse':
        return running.mouse(message.dx, message.dy, message.dz, message.buttons)
      case 'serial':
        return running.post(() => serial.send(message.bytes))
      case 'frame-shown':
        return screen?.shown()
      case 'serial-taken':
        underWay = Math.max(0, underWay - message.bytes)
        return running.post(() => serial.onWritable?.())
      case 'stats':
        return answer(message.question, { kind: 'stats', stats: running.stats() })
      case 'regions':
        return answer(message.question, { kind: 'regions', list: { engine: running.parts.engine.name, regions: running.regions?.hottestRegions(message.count) } })
      case 'region':
        return answer(message.question, { kind: 'region', region: running.regions?.region(message.id) })
      default:
        assertNever(message)
    }
  })
}

if (parentPort) serveMachine(parentPort)
