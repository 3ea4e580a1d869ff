/** The thread that draws a guest's screen: frames come here straight from the main process, and the page, its menus and its keys never wait for them. */
import type { ConsoleDown, ConsoleUp } from '../../../../src-main/ipc/contract'
import { afterRepaint } from './after-repaint'
import { FrameCanvas } from './frame-canvas'
import type { FromScreen, ToScreen } from './screen-messages'

let drawing: FrameCanvas | undefined
let port: MessagePort | undefined

self.onmessage = ({ data }: MessageEvent<ToScreen>): void => {
  switch (data.kind) {
    case 'canvas':
      drawing = new FrameCanvas(data.canvas)
      return
    case 'stream': {
      port?.close()
      const mine = data.port
      port = mine
      mine.onmessage = (event: MessageEvent<ConsoleDown>): void => {
        if (port === mine) received(event.data)
      }
      return
    }
    case 'send':
      return send(data.message)
    case 'close':
      port?.close()
      return self.close()
  }
}

function received(message: ConsoleDown): void {
  if (message.kind === 'taken-over') return tell(message)
  if (drawing?.draw(message)) tell({ kind: 'size', width: message.width, height: message.height })
  afterRepaint(() => send({ kind: 'shown' }))
}

function send(message: ConsoleUp): void {
  port?.postMessage(message)
}

function tell(message: FromScreen): void {
  self.postMessage(message)
}
