/** A window.vitrine for component tests. Import it before anything that imports api/client. */
import type { EventName, EventPayload, HostDescription, RequestInput, RequestName, VmCard, VmJson } from '../../../src-main/ipc/contract'

type Handlers = { [N in RequestName]?: (input: RequestInput<N>) => unknown }

/** What was asked, in order. */
export const asked: { readonly name: string; readonly input: unknown }[] = []
let handlers: Handlers = {}

/** `answers`: the values of requests; what has none is refused. */
export function answerWith(answers: Handlers): void {
  handlers = answers
  asked.length = 0
}

const requests = new Proxy({}, {
  get: (_, name: string) => async (input: never) => {
    asked.push({ name, input })
    const handler = handlers[name as RequestName]
    return handler ? { ok: true, value: handler(input) } : { ok: false, error: { code: 'internal/bug', message: `${name} is not answered here` } }
  },
})
const listeners = new Map<string, Set<(payload: never) => void>>()
const events = new Proxy({}, {
  get: (_, name: string) => (listener: (payload: never) => void) => {
    const heard = listeners.get(name) ?? new Set()
    listeners.set(name, heard.add(listener))
    return () => heard.delete(listener)
  },
})
Object.defineProperty(window, 'vitrine', { value: { requests, events } })

/** As the main process tells every window. */
export function tell<N extends EventName>(name: N, payload: EventPayload<N>): void {
  for (const listener of listeners.get(name) ?? []) listener(payload as never)
}

export const HOST: HostDescription = {
  memoryMiB: 16_384, freeMemoryMiB: 8192, cpus: 4, freeDiskBytes: 100 * 1024 ** 3,
  limits: { minMemoryMiB: 2, maxMemoryMiB: 3840, maxCpus: 1, maxIdeDrives: 4, maxSerialPorts: 4, maxDiskBytes: 2 ** 41 - 512, videoMemoryMiB: [4, 8, 16, 32, 64] }, cpuFeatures: ['FPU', 'SSE', 'SSE2'], engines: ['interpreter', 'translator', 'lockstep'], firmware: [],
}

export const VM_JSON: VmJson = {
  version: 1, id: 'id', name: 'Debian', description: '', guest: { family: 'linux', system: 'Debian GNU/Linux (64-bit)' },
  hardware: {
    memoryMiB: 512, display: { videoMemoryMiB: 16 }, processors: { count: 1, model: { disabled: [] } }, engine: 'translator', clock: 'host', firmware: { kind: 'builtin' }, boot: { order: ['disk', 'cdrom'], menu: false }, demoDisk: false,
    disks: [{ file: 'disk.img', readOnly: false, cache: 'writeback' }], cdroms: [{ file: '/isos/debian.iso', connected: true }], serialPorts: [{ kind: 'terminal' }],
  },
  options: { power: { powerOff: 'hard', reset: 'hard' }, onClose: 'ask', guestCrash: 'stop', logLevel: 'info', isolation: { paste: true } },
}

export const CARD: VmCard = {
  id: 'id', name: 'Debian', path: '/vms/Debian.vitrine', favourite: false, temporary: false, power: { type: 'powered-off' }, problems: [], description: '', guest: { ...VM_JSON.guest }, engine: 'translator', firmware: 'builtin',
  devices: [{ kind: 'disk', index: 0, file: 'disk.img', bytes: 8 * 1024 ** 3, readOnly: false }, { kind: 'display', videoMemoryMiB: 16 }], powerControls: { powerOff: 'hard', reset: 'hard' }, onClose: 'ask', paste: true,
}
