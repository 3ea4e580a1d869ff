/** A machine as a hypervisor's interface sees it, for tests: registers, memory and times that tests set. */
import type { EoiShortcut } from '../devices/lapic/eoi-shortcut'
import { GuestMemoryImpl, linearMemoryBytes } from '../memory/guest-memory-impl'
import type { CallingProcessor, GeneralRegister, HypervisorHost } from '../paravirt/hypervisor-interface'
import { FakeClock } from './fake-clock'

export const FAKE_RAM_BYTES = 0x200000
export const FAKE_EPOCH_MS = 1_767_225_600_000

export class FakeProcessor implements CallingProcessor {
  readonly index = 0
  cpl = 0
  codeBits: 16 | 32 | 64 = 64
  tscOffset = 0n
  ports: readonly [number, number] | undefined
  readonly registers: Map<GeneralRegister, bigint> = new Map<GeneralRegister, bigint>()

  gpr(register: GeneralRegister): bigint {
    return this.registers.get(register) ?? 0n
  }
  setGpr(register: GeneralRegister, value: bigint | number): void {
    this.registers.set(register, BigInt.asUintN(64, BigInt(value)))
  }
  gpr32(register: GeneralRegister): number {
    return Number(this.gpr(register) & 0xffffffffn)
  }
  setGpr32(register: GeneralRegister, value: number): void {
    this.registers.set(register, BigInt(value >>> 0))
  }
  translate(linear: bigint): number | undefined {
    return linear < BigInt(FAKE_RAM_BYTES) ? Number(linear) : undefined
  }
  openPorts(first: number, last: number): void {
    this.ports = [first, last]
  }
}

/** Room for blocks of an interface's own. */
const FAKE_EXTRA_BYTES = 0x100000

export class FakeHypervisorHost implements HypervisorHost {
  readonly memory: GuestMemoryImpl = new GuestMemoryImpl(new ArrayBuffer(linearMemoryBytes(FAKE_RAM_BYTES, [FAKE_EXTRA_BYTES])), FAKE_RAM_BYTES)
  readonly time: FakeClock = new FakeClock()
  readonly cpu: FakeProcessor = new FakeProcessor()
  readonly interrupts: number[] = []
  readonly asked: string[] = []
  shortcut: EoiShortcut | undefined
  stolen = 0
  direct: () => number = () => 0
  /** Real time that has passed while virtual time stood still. */
  lostMs = 0

  epochMs(): number {
    return FAKE_EPOCH_MS + this.lostMs + Math.floor(this.time.now() / 1e6)
  }
  stolenNs(): number {
    return this.stolen
  }
  processor(): FakeProcessor {
    return this.cpu
  }
  interrupt(_processor: number, vector: number): void {
    this.interrupts.push(vector)
  }
  setEoiShortcut(_processor: number, shortcut: EoiShortcut | undefined): void {
    this.shortcut = shortcut
  }
  setDirectInterrupt(_processor: number, vector: () => number): void {
    this.direct = vector
  }
  directInterruptChanged(): void {
    this.asked.push('direct interrupt')
  }
  leaveSlice(): void {
    this.asked.push('leave slice')
  }
  requestReset(): void {
    this.asked.push('reset')
  }
  powerOff(): void {
    this.asked.push('power off')
  }
}
