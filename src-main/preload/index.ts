/** Puts the contract's client on `window.vitrine`: one function per request and event, and nothing that takes a channel's name. */
import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron'
import { channelOf, DROP_CHANNEL, EVENT_NAMES, MAX_DROPPED, PORT_CHANNEL, PORT_MESSAGE, REQUEST_NAMES, STREAM_NAMES, type StreamName } from '../ipc/contract/channels'

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
ipcRenderer.on(PORT_CHANNEL, (event, { stream, number }: { stream: StreamName; number: number }) => {
  const port = event.ports[0]
  if (port && STREAM_NAMES.includes(stream)) window.postMessage({ kind: PORT_MESSAGE, stream, number }, window.location.origin, [port])
})

// Drops are heard here, in a world of our own: only the browser makes trusted events, so a page cannot say that a file was dropped that was not.
const isOfFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false

window.addEventListener('dragover', (event) => {
  if (isOfFiles(event)) event.preventDefault()
})
window.addEventListener(
  'drop',
  (event) => {
    if (!event.isTrusted || !isOfFiles(event)) return
    event.preventDefault()
    const paths = [...(event.dataTransfer?.files ?? [])].slice(0, MAX_DROPPED).map(pathOf).filter((path) => path !== '')
    if (paths.length > 0) ipcRenderer.send(DROP_CHANNEL, paths)
  },
  true,
)

/** Electron 32 and newer have webUtils for it, older ones a property of the file. */
function pathOf(file: File): string {
  const utilities = webUtils as typeof webUtils | undefined
  if (utilities) return utilities.getPathForFile(file)
  return 'path' in file && typeof file.path === 'string' ? file.path : ''
}
