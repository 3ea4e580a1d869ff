/** A Xen domain for tests, and the guest in it: calls, its rings and grants by hand. Linear addresses are guest-physical ones. */
import { QueueCharBackend } from '../../backends/chardev/char-backend'
import { gpa } from '../../support/branded'
import { FakeHypervisorHost } from '../../testing/fake-hypervisor-host'
import type { XenBackend } from './backend'
import { HYPERCALL_NAMES } from './hypercall-numbers'
import { XenInterface } from './xen-interface'

const ARGUMENTS = ['rdi', 'rsi', 'rdx', 'r10', 'r8'] as const
/** Where the tests' argument structures are, and where the store's ring shows. */
export const SCRATCH = 0x10000
export const STORE_RING = 0xfeffc000
export const CONSOLE_RING = 0xfeffd000
/** Where the guest has put shared info and the grant table. */
export const SHARED_INFO = 0x20000
export const GRANT_TABLE = 0x21000
export const UPCALL_VECTOR = 0xf3

export class TestDomain {
  readonly host: FakeHypervisorHost = new FakeHypervisorHost()
  readonly printed: number[] = []
  readonly terminal: QueueCharBackend
  readonly xen: XenInterface

  constructor(devices: readonly XenBackend[] = []) {
    this.terminal = new QueueCharBackend((byte) => this.printed.push(byte))
    this.xen = new XenInterface(
      { name: 'test', uuid: new Uint8Array(16).fill(0xab), memoryMap: () => [{ address: 0, bytes: 0x9fc00, type: 1 }], console: this.terminal, debugConsole: new QueueCharBackend(() => undefined), devices },
      this.host.memory,
    )
    this.xen.connect(this.host)
    this.xen.reset('power-on')
  }

  /** Result as a signed number. */
  call(name: string, ...values: readonly (number | bigint)[]): number {
    this.host.cpu.setGpr('rax', HYPERCALL_NAMES.indexOf(name))
    values.forEach((value, i) => this.host.cpu.setGpr(ARGUMENTS[i] ?? 'r8', BigInt.asUintN(64, BigInt(value))))
    this.xen.hypercall(0)
    return Number(BigInt.asIntN(64, this.host.cpu.gpr('rax')))
  }

  /** A call whose structure is these little-endian words: [bytes, value]. */
  callWith(name: string, command: number, fields: readonly (readonly [bytes: 1 | 2 | 4 | 8, value: number | bigint])[]): number {
    let at = SCRATCH
    for (const [bytes, value] of fields) {
      at = Math.ceil(at / bytes) * bytes
      for (let i = 0; i < bytes; i++) this.host.memory.writeU8(gpa(at + i), Number((BigInt(value) >> BigInt(i * 8)) & 0xffn))
      at += bytes
    }
    return this.call(name, command, SCRATCH)
  }

  u32(address: number): number {
    return this.host.memory.readU32(gpa(address))
  }

  /** What a guest does first: shared info, grant table, upcalls by vector. */
  start(): this {
    this.callWith('memory_op', 7, [[2, 0x7ff0], [2, 0], [4, 0], [8, 0], [8, SHARED_INFO / 0x1000]])
    this.callWith('memory_op', 7, [[2, 0x7ff0], [2, 0], [4, 1], [8, 0], [8, GRANT_TABLE / 0x1000]])
    this.callWith('hvm_op', 23, [[4, 0], [1, UPCALL_VECTOR]])
    return this
  }

  grant(reference: number, address: number, readOnly = false): void {
    const { memory } = this.host
    memory.writeU32(gpa(GRANT_TABLE + reference * 8 + 4), address / 0x1000)
    memory.writeU16(gpa(GRANT_TABLE + reference * 8 + 2), 0)
    memory.writeU16(gpa(GRANT_TABLE + reference * 8), readOnly ? 5 : 1)
  }

  /** Sends a request to the store, and returns type and payload of all that is in the answer ring. */
  store(type: number, payload: string, transaction = 0): readonly (readonly [type: number, payload: string])[] {
    const { memory } = this.host
    const bytes = Uint8Array.from(payload, (char) => char.charCodeAt(0))
    const message = new Uint8Array(16 + bytes.length)
    const view = new DataView(message.buffer)
    for (const [i, value] of [type, 7, transaction, bytes.length].entries()) view.setUint32(i * 4, value, true)
    message.set(bytes, 16)
    const producer = this.u32(STORE_RING + 2052)
    message.forEach((byte, i) => memory.writeU8(gpa(STORE_RING + ((producer + i) % 1024)), byte))
    memory.writeU32(gpa(STORE_RING + 2052), producer + message.length)
    this.callWith('event_channel_op', 4, [[4, 1]])
    return this.answers()
  }

  answers(): readonly (readonly [type: number, payload: string])[] {
    const { memory } = this.host
    const found: (readonly [number, string])[] = []
    const consumer = this.u32(STORE_RING + 2056)
    const producer = this.u32(STORE_RING + 2060)
    const bytes = Uint8Array.from({ length: producer - consumer }, (_, i) => memory.readU8(gpa(STORE_RING + 1024 + ((consumer + i) % 1024))))
    const view = new DataView(bytes.buffer)
    for (let at = 0; at + 16 <= bytes.length; ) {
      const length = view.getUint32(at + 12, true)
      found.push([view.getUint32(at, true), String.fromCharCode(...bytes.subarray(at + 16, at + 16 + length))])
      at += 16 + length
    }
    memory.writeU32(gpa(STORE_RING + 2056), producer)
    return found
  }
}
