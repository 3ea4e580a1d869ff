/** The options for guests that know that they are virtual: board, interface, and the devices that take part knowingly. */
import { join, resolve } from 'node:path'
import {
  BOARDS, CDROM_BUSES, CONSOLE_KINDS, DISK_BUSES, DISPLAYS, KEYBOARDS, MAX_IDE_DRIVES, NIC_MODELS, PARAVIRT_INTERFACES, POINTERS, VmmError,
  type CdromBus, type ConsoleKind, type DiskBus, type DiskImage, type MachineConfig, type NicConfig, type ParavirtInterface, type ParavirtualDevices, type ShareConfig,
} from '../vmm'
import { bad, choice, flag, list, text, type OptionValues } from './arguments'

type Text = typeof text
export const PARAVIRTUAL_OPTIONS: {
  readonly board: Text; readonly paravirt: Text; readonly nic: typeof list; readonly console: Text; readonly share: typeof list; readonly balloon: typeof flag
  readonly rng: typeof flag; readonly vsock: Text; readonly keyboard: Text; readonly pointer: Text; readonly display: Text
} = { board: text, paravirt: text, nic: list, console: text, share: list, balloon: flag, rng: flag, vsock: text, keyboard: text, pointer: text, display: text }

export type ParavirtualValues = OptionValues<typeof PARAVIRTUAL_OPTIONS>

/** Where the terminal of `run` is: a serial port, or a console that the guest drives knowingly. */
const TERMINALS = ['serial', ...CONSOLE_KINDS] as const

export type ParavirtualConfig = ParavirtualDevices & Pick<MachineConfig, 'board' | 'paravirt' | 'paravirtDisabled'>

/** INTERFACE[,FEATURE=off]... Which features there are is the interface's to say. */
function parseInterface(value: string | undefined, otherwise: ParavirtInterface): Pick<MachineConfig, 'paravirt' | 'paravirtDisabled'> {
  const [name, ...settings] = value?.split(',') ?? []
  const disabled = settings.map((setting) => {
    const [feature, state, ...more] = setting.split('=')
    if (feature === undefined || feature === '' || state !== 'off' || more.length > 0) throw bad(`--paravirt ${value}: what follows the interface is FEATURE=off, separated by commas`)
    return feature
  })
  return { paravirt: choice('paravirt', name, PARAVIRT_INTERFACES, otherwise), ...(disabled.length > 0 ? { paravirtDisabled: disabled } : {}) }
}

export function parseParavirtual(values: ParavirtualValues): ParavirtualConfig {
  const board = choice('board', values.board, BOARDS, 'pc')
  const terminal = choice('console', values.console, TERMINALS, 'serial')
  const consoles: readonly ConsoleKind[] = terminal === 'serial' ? [] : [terminal]
  return {
    board,
    ...parseInterface(values.paravirt, board === 'microvm' ? 'kvm' : 'minimal'),
    ...(values.nic ? { nics: values.nic.map(parseNic).filter((nic) => nic !== undefined) } : {}),
    ...(consoles.length > 0 ? { consoles } : {}),
    ...(values.share ? { shares: refuseSameTag(values.share.map(parseShare)) } : {}),
    ...(values.balloon ? { balloon: true } : {}),
    ...(values.rng ? { rng: true } : {}),
    ...(values.vsock === undefined ? {} : { vsock: parseVsock(values.vsock) }),
    ...(values.keyboard === undefined ? {} : { keyboard: choice('keyboard', values.keyboard, KEYBOARDS, 'ps2') }),
    ...(values.pointer === undefined ? {} : { pointer: choice('pointer', values.pointer, POINTERS, 'ps2') }),
    ...(values.display === undefined ? {} : { display: choice('display', values.display, DISPLAYS, 'vga') }),
  }
}

/** PATH[,bus=ide|virtio|scsi|xen][,ro][,writethrough], in any order. A path may have commas of its own. */
export function parseDisk(value: string): DiskImage {
  const { path, settings } = splitSettings('disk', value, ['ro', 'bus', 'writethrough'])
  const bus = settings.get('bus')
  return {
    path,
    readOnly: settings.has('ro'),
    ...(settings.has('writethrough') ? { cache: 'writethrough' } : {}),
    ...(bus === undefined ? {} : { bus: choice('disk ...,bus', bus, DISK_BUSES, 'ide') }),
  }
}

export function parseCdrom(value: string): { readonly path: string; readonly bus?: CdromBus } {
  const { path, settings } = splitSettings('cdrom', value, ['bus'])
  const bus = settings.get('bus')
  return { path, ...(bus === undefined ? {} : { bus: choice('cdrom ...,bus', bus, CDROM_BUSES, 'ide') }) }
}

/** What the boards cannot have, said before anything is opened. */
export function checkBuses(disks: readonly { readonly bus?: DiskBus }[], cdroms: readonly { readonly bus?: CdromBus }[], { board, paravirt }: ParavirtualConfig): void {
  const standard = board === 'microvm' ? undefined : 'ide'
  const ide = [...disks, ...cdroms].filter(({ bus = standard }) => bus === 'ide').length
  if (ide > MAX_IDE_DRIVES) throw new VmmError('config/contradiction', `--disk, --cdrom: ${ide} drives, but the IDE controller takes ${MAX_IDE_DRIVES}; leave some out, or add ",bus=virtio"`)
  if (board === 'microvm' && ide > 0) throw new VmmError('config/contradiction', '--disk, --cdrom: a microvm has no IDE controller; leave out ",bus=ide", or --board microvm')
  if (paravirt !== 'xen' && disks.some(({ bus }) => bus === 'xen')) throw new VmmError('config/contradiction', '--disk: ",bus=xen" needs --paravirt xen; add it, or choose another bus')
}

function parseNic(value: string): NicConfig | undefined {
  const { path: kind, settings } = splitSettings('nic', value, ['model', 'mac'])
  if (kind === 'none' && settings.size === 0) return undefined
  const mac = settings.get('mac')
  if (mac !== undefined && !isUnicastMac(mac)) throw bad(`--nic ${value}: mac must be six bytes of an address for one adapter, such as 52:54:00:12:34:56`)
  return { model: choice('nic ...,model', settings.get('model'), NIC_MODELS, 'virtio'), network: parseNetwork(value, kind), ...(mac === undefined ? {} : { mac: mac.toLowerCase() }) }
}

function parseNetwork(value: string, kind: string): NicConfig['network'] {
  if (kind === 'none' || kind === 'loopback') return { kind }
  if (kind.startsWith('pcap:') && kind.length > 5) return { kind: 'pcap', path: kind.slice(5) }
  throw bad(`--nic ${value}: not known; choose none, loopback or pcap:FILE`)
}

function isUnicastMac(mac: string): boolean {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac) && (parseInt(mac.slice(0, 2), 16) & 1) === 0 && !/^(00:){5}00$/.test(mac)
}

const MAX_TAG = 31

function parseShare(value: string): ShareConfig {
  const { path, settings } = splitSettings('share', value, ['tag', 'ro'])
  const tag = settings.get('tag')
  if (tag === undefined || tag === '' || Buffer.byteLength(tag) > MAX_TAG) throw bad(`--share ${value}: needs a name for the guest to mount it by, of 1 to ${MAX_TAG} characters: ${path},tag=NAME`)
  return { path, tag, readOnly: settings.has('ro') }
}

function refuseSameTag(shares: readonly ShareConfig[]): readonly ShareConfig[] {
  const twice = shares.find(({ tag }, i) => shares.findIndex((other) => other.tag === tag) < i)
  if (twice) throw new VmmError('config/contradiction', `--share ${twice.path},tag=${twice.tag}: another folder has that name; choose a different one`)
  return shares
}

const FIRST_CID = 3
const LAST_CID = 0xfffffffe

/** CID[,FOLDER]: sockets of the host are made in the folder, or where the command is typed. */
function parseVsock(value: string): { readonly cid: number; readonly socketFolder: string } {
  const comma = value.indexOf(',')
  const number = comma < 0 ? value : value.slice(0, comma)
  const cid = Number(number)
  if (!/^\d+$/.test(number) || cid < FIRST_CID || cid > LAST_CID) throw bad(`--vsock ${value}: must be a context ID from ${FIRST_CID} to ${LAST_CID}`)
  return { cid, socketFolder: comma < 0 ? join(process.cwd(), `vsock-${cid}`) : resolve(value.slice(comma + 1)) }
}

/** Takes known `,key=value` and `,key` off the end; what is left is a path. */
function splitSettings(option: string, value: string, known: readonly string[]): { readonly path: string; readonly settings: ReadonlyMap<string, string> } {
  const settings = new Map<string, string>()
  let path = value
  for (;;) {
    const { before, key, setting = '' } = /^(?<before>.*),(?<key>[a-z]+)(?:=(?<setting>[^,]*))?$/s.exec(path)?.groups ?? {}
    if (before === undefined || key === undefined || !known.includes(key)) break
    if (settings.has(key)) throw new VmmError('config/contradiction', `--${option} ${value}: says ${key} twice; leave one out`)
    settings.set(key, setting)
    path = before
  }
  if (path === '') throw bad(`--${option} ${value}: ${option === 'nic' ? 'no network' : 'no path'}; see vitrine --help`)
  return { path, settings }
}
