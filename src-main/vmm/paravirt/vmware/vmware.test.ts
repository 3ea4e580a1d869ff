import { describe, expect, it } from 'vitest'
import { FAKE_EPOCH_MS, FakeHypervisorHost } from '../../testing/fake-hypervisor-host'
import { randomNumbers } from '../../testing/describe-device'
import * as reg from './registers'
import { Vmware } from './vmware'

function world(disabled: readonly string[] = []): { readonly vmware: Vmware; readonly host: FakeHypervisorHost; readonly call: (command: number, rbx?: number, type?: number) => number } {
  const host = new FakeHypervisorHost()
  const vmware = new Vmware(disabled)
  vmware.connect(host)
  vmware.reset()
  const call = (command: number, rbx = 0, type = 0): number => {
    host.cpu.setGpr32('rax', reg.MAGIC)
    host.cpu.setGpr32('rbx', rbx)
    host.cpu.setGpr32('rcx', (type << 16) | command)
    const answer = vmware.pioRead(reg.PORT, 4)
    if (typeof answer !== 'number') throw new Error(answer.fault)
    return answer
  }
  return { vmware, host, call }
}

/** The guest's side of a channel. */
class GuestChannel {
  private readonly id: number
  private readonly cookie: readonly [number, number]

  constructor(private readonly w: ReturnType<typeof world>, protocol: number) {
    expect(this.request(reg.MESSAGE_OPEN, protocol | reg.OPEN_WITH_COOKIE)).toBe(reg.STATUS_SUCCESS)
    this.id = w.host.cpu.gpr32('rdx') >>> 16
    this.cookie = [w.host.cpu.gpr32('rsi'), w.host.cpu.gpr32('rdi')]
  }

  /** The status. */
  request(type: number, rbx: number): number {
    const { cpu } = this.w.host
    if (this.cookie !== undefined) {
      cpu.setGpr32('rsi', this.cookie[0])
      cpu.setGpr32('rdi', this.cookie[1])
      cpu.setGpr32('rdx', (this.id << 16) | reg.PORT)
    }
    this.w.call(reg.CMD_MESSAGE, rbx, type)
    return cpu.gpr32('rcx') >>> 16
  }

  send(text: string, asString = false): void {
    const bytes = new TextEncoder().encode(text)
    const { cpu } = this.w.host
    expect(this.request(reg.MESSAGE_SEND_SIZE, bytes.length)).toBe(reg.STATUS_SUCCESS | reg.STATUS_HIGH_BANDWIDTH)
    for (let i = 0; i < bytes.length && !asString; i += 4) {
      const word = [0, 1, 2, 3].reduce((all, n) => all + (bytes[i + n] ?? 0) * 2 ** (8 * n), 0)
      expect(this.request(reg.MESSAGE_SEND_PAYLOAD, word)).toBe(reg.STATUS_SUCCESS)
    }
    if (!asString) return
    cpu.setGpr32('rbx', reg.STATUS_SUCCESS << 16)
    cpu.setGpr32('rbp', this.cookie[0])
    cpu.setGpr32('rdi', this.cookie[1])
    for (const byte of bytes) expect(this.w.vmware.pioWrite(reg.PORT_HIGH_BANDWIDTH, 1, byte)).toBeUndefined()
    expect(cpu.gpr32('rbx') >>> 16).toBe(reg.STATUS_SUCCESS)
  }

  receive(asString = false): string | undefined {
    const { cpu } = this.w.host
    if ((this.request(reg.MESSAGE_RECEIVE_SIZE, 0) & reg.STATUS_DO_RECEIVE) === 0) return undefined
    const size = cpu.gpr32('rbx')
    const bytes: number[] = []
    if (asString) {
      cpu.setGpr32('rbx', reg.STATUS_SUCCESS << 16)
      cpu.setGpr32('rdx', (this.id << 16) | reg.PORT_HIGH_BANDWIDTH)
      cpu.setGpr32('rsi', this.cookie[0])
      cpu.setGpr32('rbp', this.cookie[1])
      while (bytes.length < size) bytes.push(this.w.vmware.pioRead(reg.PORT_HIGH_BANDWIDTH, 1) as number)
    }
    while (bytes.length < size) {
      expect(this.request(reg.MESSAGE_RECEIVE_PAYLOAD, reg.STATUS_SUCCESS)).toBe(reg.STATUS_SUCCESS)
      for (let i = 0; i < 4; i++) bytes.push((cpu.gpr32('rbx') >>> (8 * i)) & 0xff)
    }
    expect(this.request(reg.MESSAGE_RECEIVE_STATUS, reg.STATUS_SUCCESS)).toBe(reg.STATUS_SUCCESS)
    return new TextDecoder().decode(Uint8Array.from(bytes.slice(0, size)))
  }

  ask(text: string, asString = false): string | undefined {
    this.send(text, asString)
    return this.receive(asString)
  }
}

describe('the backdoor', () => {
  it('is open to programs, and known by its version', () => {
    const { host, call, vmware } = world()
    expect(host.cpu.ports).toEqual([reg.PORT, reg.PORT_LAST])
    expect([call(reg.CMD_GET_VERSION), host.cpu.gpr32('rbx')]).toEqual([6, reg.MAGIC])
    expect([call(reg.CMD_GET_HZ), host.cpu.gpr32('rbx')]).toEqual([1_000_000_000, 0])
    expect([call(200), call(reg.CMD_GET_MEMORY_SIZE)]).toEqual([0xffffffff, 2])
    host.cpu.setGpr32('rax', 5)
    expect(vmware.pioRead(reg.PORT, 4)).toBe(0xffffffff)
    expect(vmware.pioRead(reg.PORT, 1)).toHaveProperty('fault')
  })
  it('tells the time', () => {
    const { host, call } = world()
    host.time.advance(1_500_000_000)
    expect([call(reg.CMD_GET_TIME), host.cpu.gpr32('rbx')]).toEqual([FAKE_EPOCH_MS / 1000 + 1, 500_000])
    expect([call(reg.CMD_GET_TIME_FULL), host.cpu.gpr32('rdx'), host.cpu.gpr32('rsi')]).toEqual([reg.MAGIC, FAKE_EPOCH_MS / 1000 + 1, 0])
  })
  it('has no commands of features that are off', () => {
    const { call } = world(['time', 'tools', 'pointer'])
    expect([reg.CMD_GET_TIME, reg.CMD_MESSAGE, reg.CMD_POINTER_STATUS].map((command) => call(command))).toEqual([0xffffffff, 0xffffffff, 0xffffffff])
  })
})

describe('tools', () => {
  it.each([[false], [true]])('ask and are answered (as strings: %s)', (asString) => {
    const w = world()
    const rpc = new GuestChannel(w, reg.PROTOCOL_RPCI)
    expect(rpc.ask('info-set guestinfo.ip 192.0.2.7', asString)).toBe('1 ')
    expect(rpc.ask('info-get guestinfo.ip', asString)).toBe('1 192.0.2.7')
    expect(rpc.ask('info-get guestinfo.x', asString)).toBe('0 No value found')
    expect(rpc.ask('SetGuestInfo  1 a-guest\u0007', asString)).toBe('1 ')
    expect(rpc.ask('format c:', asString)).toBe('0 Unknown command')
    expect(w.vmware.figures().guest).toEqual({ address: '192.0.2.7', hostName: 'a-guest' })
  })
  it('report themselves, are greeted, and are asked to shut down', () => {
    const w = world()
    expect(w.vmware.askGuest('shutdown')).toBe(false)
    const tclo = new GuestChannel(w, reg.PROTOCOL_TCLO)
    tclo.send('')
    expect(tclo.receive()).toBe('reset')
    expect(tclo.receive()).toBeUndefined()
    tclo.send('OK ATR toolbox')
    expect(w.vmware.figures()).toMatchObject({ inUse: ['tools'], guest: { tools: 'toolbox' } })
    expect(tclo.receive()).toBe('Capabilities_Register')
    new GuestChannel(w, reg.PROTOCOL_RPCI).ask('tools.capability.resolution_set 1')
    tclo.send('OK ')
    expect(tclo.receive()).toBe('Set_Option broadcastIP 1')
    tclo.send('OK ')
    expect([w.vmware.askGuest('shutdown'), w.vmware.setResolution(1280, 800), w.vmware.askGuest('restart')]).toEqual([true, true, true])
    expect(tclo.receive()).toBe('OS_Halt')
    // saved while an answer is awaited
    const other = world()
    other.vmware.load(structuredClone(w.vmware.save()))
    Object.assign(tclo, { w: other })
    tclo.send('ERROR not now')
    expect(tclo.receive()).toBe('Resolution_Set 1280 800')
  })
  it('cannot use the channel of another program, nor one that is closed', () => {
    const w = world()
    const one = new GuestChannel(w, reg.PROTOCOL_RPCI)
    const two = new GuestChannel(w, reg.PROTOCOL_RPCI)
    Object.assign(two, { id: (one as unknown as { id: number }).id })
    expect(two.request(reg.MESSAGE_SEND_SIZE, 4)).toBe(0)
    expect(one.request(reg.MESSAGE_CLOSE, 0)).toBe(reg.STATUS_SUCCESS)
    expect(one.request(reg.MESSAGE_SEND_SIZE, 4)).toBe(0)
  })
})

describe('the pointer', () => {
  it('hands out places once it is on and absolute', () => {
    const { call, host, vmware } = world()
    expect(call(reg.CMD_POINTER_STATUS)).toBe(reg.POINTER_ERROR)
    call(reg.CMD_POINTER_COMMAND, reg.POINTER_ENABLE)
    expect([call(reg.CMD_POINTER_STATUS), call(reg.CMD_POINTER_DATA, 1)]).toEqual([1, reg.POINTER_VERSION])
    expect(vmware.followsPointer).toBe(false)
    call(reg.CMD_POINTER_COMMAND, reg.POINTER_ABSOLUTE)
    expect(vmware.followsPointer).toBe(true)
    vmware.pointer(100, 65535, -1, 3)
    expect(call(reg.CMD_POINTER_STATUS)).toBe(4)
    expect([call(reg.CMD_POINTER_DATA, 4), host.cpu.gpr32('rbx'), host.cpu.gpr32('rcx'), host.cpu.gpr32('rdx')]).toEqual([0x30, 100, 65535, 0xffffffff])
    expect(call(reg.CMD_POINTER_DATA, 4)).toBe(0xffffffff)
    for (let i = 0; i < 5000; i++) vmware.pointer(i, i, 0, 0)
    expect(call(reg.CMD_POINTER_STATUS)).toBe(1024)
  })
})

it('a hostile guest is answered within bounds, and its state can be saved', () => {
  const { vmware, host } = world()
  const random = randomNumbers(7)
  const commands = [reg.CMD_MESSAGE, reg.CMD_MESSAGE, reg.CMD_MESSAGE, reg.CMD_POINTER_COMMAND, reg.CMD_POINTER_DATA, reg.CMD_POINTER_STATUS, reg.CMD_GET_TIME_FULL, reg.CMD_GET_HZ]
  const words = [reg.PROTOCOL_RPCI, reg.PROTOCOL_TCLO, reg.POINTER_ENABLE, reg.POINTER_ABSOLUTE, 0x10000, 4, 0xffffffff, 0x656e6f6e, 0x2d6f666e]
  for (let i = 0; i < 50_000; i++) {
    host.cpu.setGpr32('rax', reg.MAGIC)
    host.cpu.setGpr32('rbx', random() % 2 === 0 ? words[random() % words.length]! : random())
    host.cpu.setGpr32('rcx', ((random() % 8) << 16) | commands[random() % commands.length]!)
    host.cpu.setGpr32('rdx', ((random() % 9) << 16) | reg.PORT)
    for (const register of ['rsi', 'rdi', 'rbp'] as const) host.cpu.setGpr32(register, random() % 2)
    if (random() % 3 === 0) vmware.pioWrite(reg.PORT_HIGH_BANDWIDTH, 1, random() & 0xff)
    else if (random() % 3 === 0) vmware.pioRead(reg.PORT_HIGH_BANDWIDTH, 1)
    else vmware.pioRead(reg.PORT, 4)
    vmware.pointer(random(), random(), random(), random())
    if (random() % 50 === 0) vmware.askGuest('restart')
  }
  const saved = vmware.save()
  expect(saved.channels.length).toBeLessThanOrEqual(reg.MAX_CHANNELS)
  const other = world().vmware
  other.load(structuredClone(saved))
  expect(other.save()).toEqual(saved)
})
