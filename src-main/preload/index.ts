/** Puts the contract's client on `window.vitrine`: one function per request and event, and nothing that takes a channel's name. */
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron'
import { channelOf, EVENT_NAMES, PORT_CHANNEL, PORT_MESSAGE, REQUEST_NAMES, STREAM_NAMES, type StreamName } from '../ipc/contract/channels'

const requests = Object.fromEntries(REQUEST_NAMES.map((name) => [name, (input?: unknown): Promise<unknown> => ipcRenderer.invoke(channelOf(name), input)]))

const events = Object.fromEntries(
  EVENT_NAMES.map((name) => [
    name,
    (listener: (payload: unknown) => void): (() => void) => {
      const heard = (_event: IpcRendererEvent, payload: unknown): void => listener(payload)
      ipcRenderer.on(channelOf(name), heard)
      return () => void ipcRenderer.off(channelOf(name), heard)
    },
  ]),
)

contextBridge.exposeInMainWorld('vitrine', { requests, events })

// Ports cannot cross the bridge; a window message hands them to the page, which is the only listener (no frames, own origin).
ipcRenderer.on(PORT_CHANNEL, (event, { stream }: { stream: StreamName }) => {
  const port = event.ports[0]
  if (port && STREAM_NAMES.includes(stream)) window.postMessage({ kind: PORT_MESSAGE, stream }, window.location.origin, [port])
})
