/** The contract's transport over Electron: ipcMain for requests, webContents.send for events, MessageChannelMain for streams. */
import { isAbsolute } from 'node:path'
import { ipcMain, MessageChannelMain, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron'
import { channelOf, DROP_CHANNEL, MAX_DROPPED, PORT_CHANNEL, type EventName, type EventPayload, type Reply, type RequestName, type StreamName } from '../ipc/contract'
import type { StreamPort } from '../ipc/ports'
import type { Sender, Sent, ServerTransport, WindowId } from '../ipc/server'

const MAX_PATH = 4096

export class ElectronTransport implements ServerTransport {
  private readonly pages = new Map<WindowId, WebContents>()

  /** A window's page; until it is destroyed. */
  attach(window: WindowId, page: WebContents): void {
    this.pages.set(window, page)
    page.once('destroyed', () => this.pages.delete(window))
  }

  handle(name: RequestName, answer: (sender: Sender, payload: unknown) => Promise<Reply<unknown>>): void {
    ipcMain.handle(channelOf(name), async (event, payload: unknown) => answer(this.sender(event), payload))
  }

  /** What the preload script says was dropped. */
  onDropped(listener: (sender: Sender, paths: readonly string[]) => void): void {
    ipcMain.on(DROP_CHANNEL, (event, payload: unknown) => {
      if (!Array.isArray(payload)) return
      const paths = payload.slice(0, MAX_DROPPED).filter((path): path is string => typeof path === 'string' && path.length <= MAX_PATH && isAbsolute(path))
      if (paths.length > 0) listener(this.sender(event), paths)
    })
  }

  readonly emit = <N extends EventName>(name: N, payload: Sent<EventPayload<N>>): void => {
    for (const page of this.pages.values()) send(page, name, payload)
  }

  readonly emitTo = <N extends EventName>(window: WindowId, name: N, payload: Sent<EventPayload<N>>): void => {
    const page = this.pages.get(window)
    if (page) send(page, name, payload)
  }

  openPort<Down>(window: WindowId, stream: StreamName, number: number): StreamPort<Down> {
    const { port1, port2 } = new MessageChannelMain()
    this.pages.get(window)?.postMessage(PORT_CHANNEL, { stream, number }, [port2])
    port1.start()
    return {
      post: (message) => port1.postMessage(message),
      onMessage: (listener) => void port1.on('message', ({ data }: { data: unknown }) => listener(data)),
      onClose: (listener) => void port1.on('close', listener),
      close: () => port1.close(),
    }
  }

  /** Its window, when it is that window's own page and no frame inside it. */
  private sender(event: IpcMainEvent | IpcMainInvokeEvent): Sender {
    const frame = event.senderFrame
    const window = [...this.pages].find(([, page]) => page === event.sender)?.[0]
    return { url: frame?.url ?? '', window: frame && frame.parent === null ? window : undefined }
  }
}

function send(page: WebContents, name: EventName, payload: unknown): void {
  if (!page.isDestroyed() && !page.isCrashed()) page.send(channelOf(name), payload)
}
