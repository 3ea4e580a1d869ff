/** `vitrine create NAME`: a VM from the machine options of `vitrine run`, with disks made for it. */
import { resolve } from 'node:path'
import { GUEST_FAMILIES, Library, MAX_DISK_BYTES, type Json, type MachineConfig, type NewDisk, type NewVm, type Patch } from '../../vmm'
import { bad, flag, list, splitArguments, text } from '../arguments'
import { parseRunOptions } from '../options'
import { theName } from './manage'
import { printJson, printLine, unwrap } from './output'

const OWN = { json: flag, description: text, guest: text, location: text, 'new-disk': list, serial: list, demo: flag } as const
/** As `vitrine run` understands them. */
const MACHINE = {
  engine: text, memory: text, 'video-memory': text, cpus: text, cpu: text, clock: text, firmware: text, 'vga-bios': text, boot: text, 'boot-menu': flag, kernel: text, initrd: text,
  append: text, 'linux-entry': text, module: list, disk: list, cdrom: list,
} as const

export async function create(args: readonly string[]): Promise<number> {
  const { request, json } = parseCreate(args)
  const vm = unwrap(await new Library({ program: 'vitrine create' }).create(request))
  if (json) printJson(vm)
  else printLine(`${vm.name} is made: ${vm.path}`)
  return 0
}

export function parseCreate(args: readonly string[]): { readonly request: NewVm; readonly json: boolean } {
  const { values, words, clear } = splitArguments(args, { ...OWN, ...MACHINE }, 1)
  const name = theName(words, 'the name')
  const { machine } = parseRunOptions(clear.filter((option) => Object.hasOwn(MACHINE, option.slice(2).split('=', 1)[0] ?? '')))
  const other = [...machine.disks, ...machine.cdroms].find(({ bus = 'ide' }) => bus !== 'ide')
  if (other) throw bad(`--disk, --cdrom ${other.path ?? ''}: a virtual machine of the library has its drives on IDE; leave out ",bus=${other.bus ?? ''}", or use vitrine run`)
  const newDisks = (values['new-disk'] ?? []).map(parseNewDisk)
  const settings = {
    ...(values.description === undefined ? {} : { description: values.description }),
    ...(values.guest === undefined ? {} : { guest: parseGuest(values.guest) }),
    hardware: { ...hardwareOf(machine), demoDisk: values.demo ?? false, ...(values.serial ? { serialPorts: values.serial.map(parseSerial) } : {}) },
  }
  return { request: { name, settings, newDisks, ...(values.location === undefined ? {} : { location: resolve(values.location) }) }, json: values.json ?? false }
}

/** As vm.json has it. Paths on the command line are relative to where it is typed, those in vm.json to the VM's folder. */
export function hardwareOf(machine: MachineConfig, typedIn: string = process.cwd()): Patch {
  const at = (path: string): string => resolve(typedIn, path)
  const { vendor, brand, family, model, stepping, disabled } = machine.cpu
  return {
    memoryMiB: machine.memoryMiB,
    ...(machine.videoMemoryMiB === undefined ? {} : { display: { videoMemoryMiB: machine.videoMemoryMiB } }),
    processors: { count: machine.cpus, model: { vendor, brand, family, model, stepping, disabled: [...(disabled ?? [])] } },
    engine: machine.engine,
    clock: machine.clock,
    firmware: machine.firmware === 'builtin' ? { kind: 'builtin' } : { kind: 'file', file: at(machine.firmware), vgaBios: machine.vgaBios === undefined ? undefined : at(machine.vgaBios) },
    boot: {
      order: [...machine.boot],
      menu: machine.bootMenu,
      ...(machine.kernel === undefined
        ? {}
        : {
            kernel: {
              file: at(machine.kernel),
              initrd: machine.initrd === undefined ? undefined : at(machine.initrd),
              commandLine: machine.append,
              entry: machine.linuxEntry ?? 'auto',
              modules: machine.modules.map(({ path, commandLine }) => ({ file: at(path), commandLine: commandLine.slice(path.length).trim() })),
            },
          }),
    },
    disks: machine.disks.map(({ path, readOnly, cache = 'writeback' }) => ({ file: at(path), readOnly, cache })),
    cdroms: machine.cdroms.map(({ path }): Json => (path === undefined ? {} : { file: at(path) })),
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

function parseNewDisk(value: string, i: number): NewDisk {
  const { size, unit, name } = /^(?<size>\d+(\.\d+)?)(?<unit>[KMGT]?)(,(?<name>[^/]+))?$/i.exec(value)?.groups ?? {}
  const bytes = Math.ceil((Number(size) * (UNITS[unit?.toUpperCase() ?? ''] ?? 1)) / 512) * 512
  if (!(bytes >= 512 && bytes <= MAX_DISK_BYTES)) throw bad(`--new-disk ${value}: must be a size such as 512M or 8G, up to 2T, and may have a file name: 8G,root.img`)
  return { file: name ?? (i === 0 ? 'disk.img' : `disk-${i + 1}.img`), bytes }
}

function parseGuest(value: string): Patch {
  const colon = value.indexOf(':')
  const word = colon < 0 ? value : value.slice(0, colon)
  const family = GUEST_FAMILIES.find((known) => known === word)
  if (family === undefined) throw bad(`--guest ${value}: must be FAMILY or FAMILY:SYSTEM, where the family is ${GUEST_FAMILIES.join(' or ')}`)
  return { family, ...(colon < 0 ? {} : { system: value.slice(colon + 1) }) }
}

function parseSerial(value: string): Json {
  const { kind = '', rest = '' } = /^(?<kind>[a-z]+)(:(?<rest>.+))?$/s.exec(value)?.groups ?? {}
  if ((kind === 'terminal' || kind === 'none') && rest === '') return { kind }
  if (kind === 'file' && rest !== '') return { kind, file: resolve(rest) }
  if ((kind === 'tcp' || kind === 'telnet') && /^\d{1,5}$/.test(rest)) return { kind: 'tcp', port: Number(rest), protocol: kind === 'tcp' ? 'raw' : 'telnet' }
  throw bad(`--serial ${value}: not known; choose terminal, file:PATH, tcp:PORT, telnet:PORT or none`)
}
