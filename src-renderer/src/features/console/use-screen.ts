/** A canvas that a thread of its own draws a guest's screen on; it lives as long as the component. */
import { onBeforeUnmount, onMounted, type Ref } from 'vue'
import type { ConsoleUp } from '../../../../src-main/ipc/contract'
import { openConsolePort } from '../../api/client'
import { ownWorker } from '../../api/own-worker'
import type { FromScreen, ToScreen } from './screen-messages'
import workerUrl from './screen.worker?worker&url'

export interface GuestScreen {
  /** Shows the VM's screen here, and nowhere else. */
  open(vm: string): Promise<void>
  send(message: ConsoleUp): void
}

export function useScreen(canvas: Ref<HTMLCanvasElement | undefined>, listener: (message: FromScreen) => void): GuestScreen {
  let worker: Worker | undefined
  let gone = false
  const tell = (message: ToScreen, moved: Transferable[] = []): void => worker?.postMessage(message, moved)

  onMounted(() => {
    if (!canvas.value) return
    worker = ownWorker(workerUrl)
    worker.onmessage = ({ data }: MessageEvent<FromScreen>): void => {
      if (!gone) listener(data)
    }
    const offscreen = canvas.value.transferControlToOffscreen()
    tell({ kind: 'canvas', canvas: offscreen }, [offscreen])
  })
  onBeforeUnmount(() => {
    gone = true
    tell({ kind: 'close' })
  })

  return {
    send: (message) => tell({ kind: 'send', message }),
    async open(vm) {
      const port = await openConsolePort(vm)
      if (gone) port.close()
      else tell({ kind: 'stream', port }, [port])
    },
  }
}
