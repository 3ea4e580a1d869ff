/** The contract's transport over Electron: ipcMain for requests, webContents.send for events, MessageChannelMain for streams. */
import { ipcMain, MessageChannelMain, type WebContents } from 'electron'
import { channelOf, PORT_CHANNEL, type EventName, type EventPayload, type Reply, type RequestName, type StreamName } from '../ipc/contract'
import type { StreamPort } from '../ipc/ports'
import type { Sender, ServerTransport } from '../ipc/server'

export class ElectronTransport implements ServerTransport {
  private page: WebContents | undefined

  /** Events and ports go to this page from now on. */
  attach(page: WebContents): void {
    this.page = page
    page.once('destroyed', () => {
      if (this.page === page) this.page = undefined
    })
  }

  handle(name: RequestName, answer: (sender: Sender, payload: unknown) => Promise<Reply<unknown>>): void {
    ipcMain.handle(channelOf(name), async (event, payload: unknown) => {
      const frame = event.senderFrame
      return answer({ url: frame?.url ?? '', topFrame: frame !== null && event.sender === this.page && frame.parent === null }, payload)
    })
  }

  emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
    this.page?.send(channelOf(name), payload)
  }

  openPort<Down>(stream: StreamName): StreamPort<Down> {
    const { port1, port2 } = new MessageChannelMain()
    this.page?.postMessage(PORT_CHANNEL, { stream }, [port2])
    port1.start()
    return {
      post: (message) => port1.postMessage(message),
      onMessage: (listener) => void port1.on('message', ({ data }: { data: unknown }) => listener(data)),
      onClose: (listener) => void port1.on('close', listener),
      close: () => port1.close(),
    }
  }
}
