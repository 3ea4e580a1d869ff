/** Entry of the desktop app: wires the window, the contract and the VM together, and nothing else. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { app, dialog, Menu } from 'electron'
import { machineFromArguments, type AppMachine } from './app/command-line'
import { ElectronTransport } from './app/electron-transport'
import { createMainWindow } from './app/main-window'
import { buildMenu } from './app/menu'
import { isOwnPage, PAGE_URL, registerPageScheme, servePage } from './app/page-protocol'
import { serveRequests } from './ipc/server'
import { VmService } from './ipc/vm-service'
import { VmmError } from './vmm'

const VM_ID = 'vm-1'
const EXIT_BAD_INPUT = 2
const developmentUrl = app.isPackaged ? undefined : process.env['ELECTRON_RENDERER_URL']

function run(machine: AppMachine): void {
  const transport = new ElectronTransport()
  const title = `${machine.name} - Vitrine`
  servePage(join(__dirname, '..', 'renderer'))
  const window = createMainWindow({ title, url: developmentUrl ?? PAGE_URL, preload: join(__dirname, '..', 'preload', 'index.cjs') })
  const service = new VmService({
    id: VM_ID,
    ...machine,
    workers: () => new Worker(join(__dirname, 'machine.cjs')),
    stateChanged: (event) => {
      showMenu()
      transport.emit('vm.state-changed', event)
    },
    openPort: (stream) => transport.openPort(stream),
    setInputGrabbed: (grabbed) => window.webContents.setIgnoreMenuShortcuts(grabbed),
  })
  function showMenu(): void {
    if (window.isDestroyed()) return
    const menu = buildMenu(service.controller.state.type, {
      act: (intent) => void service.controller.act(intent),
      choose: (choice) => transport.emit('menu.chosen', { choice }),
      about: () => void dialog.showMessageBox(window, { title: 'About Vitrine', message: `Vitrine ${app.getVersion()}`, detail: 'A virtual machine manager with its own x86 virtual machine monitor.' }),
    })
    Menu.setApplicationMenu(menu)
  }
  transport.attach(window.webContents)
  serveRequests(transport, ({ url, topFrame }) => topFrame && isOwnPage(url, developmentUrl), service.handlers)
  showMenu()
  service.controller.act('power-on')
  // Closing the window powers the VM off; without a window there is nothing left to do.
  app.on('window-all-closed', () => {
    service.controller.terminate().finally(() => app.quit())
  })
}

function machine(): AppMachine | undefined {
  try {
    return machineFromArguments(process.argv, app.getAppPath())
  } catch (error) {
    process.stderr.write(`vitrine: ${error instanceof VmmError ? error.message : String(error)}\n`)
    return undefined
  }
}

app.setName('Vitrine')
const asked = machine()
if (asked) {
  registerPageScheme()
  app.whenReady().then(
    () => run(asked),
    () => app.exit(1),
  )
} else app.exit(EXIT_BAD_INPUT)
