/** The caller's registers, in the frame that its interrupt's entry point saved on the stack (rom-source.ts). */
import type { GuestMemory } from '../../memory/guest-memory'
import { gpa } from '../../support/branded'

const PROGRESS = 0
const ES = 2
const DS = 4
const EDI = 6
const ESI = 10
const EBP = 14
const EBX = 22
const EDX = 26
const ECX = 30
const EAX = 34
const SERVICE = 38
const IP = 40
const CS = 42
const FLAGS = 44

const FLAG_CARRY = 1
const FLAG_ZERO = 0x40
const FLAG_INTERRUPT = 0x200

/** A real-mode address. */
export const linear = (segment: number, offset: number): number => ((segment & 0xffff) << 4) + (offset & 0xffff)

export class BiosContext {
  constructor(
    readonly memory: GuestMemory,
    /** Physical address of the frame. */
    readonly frame: number,
  ) {}

  private get8(offset: number): number {
    return this.memory.readU8(gpa(this.frame + offset))
  }
  private set8(offset: number, value: number): void {
    this.memory.writeU8(gpa(this.frame + offset), value & 0xff)
  }
  private get16(offset: number): number {
    return this.memory.readU16(gpa(this.frame + offset))
  }
  private set16(offset: number, value: number): void {
    this.memory.writeU16(gpa(this.frame + offset), value & 0xffff)
  }
  private get32(offset: number): number {
    return this.memory.readU32(gpa(this.frame + offset))
  }
  private set32(offset: number, value: number): void {
    this.memory.writeU32(gpa(this.frame + offset), value >>> 0)
  }

  get progress(): number { return this.get16(PROGRESS) }
  set progress(value: number) { this.set16(PROGRESS, value) }
  get service(): number { return this.get16(SERVICE) }

  get al(): number { return this.get8(EAX) }
  set al(value: number) { this.set8(EAX, value) }
  get ah(): number { return this.get8(EAX + 1) }
  set ah(value: number) { this.set8(EAX + 1, value) }
  get ax(): number { return this.get16(EAX) }
  set ax(value: number) { this.set16(EAX, value) }
  get eax(): number { return this.get32(EAX) }
  set eax(value: number) { this.set32(EAX, value) }
  get bl(): number { return this.get8(EBX) }
  set bl(value: number) { this.set8(EBX, value) }
  get bh(): number { return this.get8(EBX + 1) }
  set bh(value: number) { this.set8(EBX + 1, value) }
  get bx(): number { return this.get16(EBX) }
  set bx(value: number) { this.set16(EBX, value) }
  get ebx(): number { return this.get32(EBX) }
  set ebx(value: number) { this.set32(EBX, value) }
  get cl(): number { return this.get8(ECX) }
  set cl(value: number) { this.set8(ECX, value) }
  get ch(): number { return this.get8(ECX + 1) }
  set ch(value: number) { this.set8(ECX + 1, value) }
  get cx(): number { return this.get16(ECX) }
  set cx(value: number) { this.set16(ECX, value) }
  get ecx(): number { return this.get32(ECX) }
  set ecx(value: number) { this.set32(ECX, value) }
  get dl(): number { return this.get8(EDX) }
  set dl(value: number) { this.set8(EDX, value) }
  get dh(): number { return this.get8(EDX + 1) }
  set dh(value: number) { this.set8(EDX + 1, value) }
  get dx(): number { return this.get16(EDX) }
  set dx(value: number) { this.set16(EDX, value) }
  get edx(): number { return this.get32(EDX) }
  set edx(value: number) { this.set32(EDX, value) }
  get si(): number { return this.get16(ESI) }
  set si(value: number) { this.set16(ESI, value) }
  get esi(): number { return this.get32(ESI) }
  get di(): number { return this.get16(EDI) }
  set di(value: number) { this.set16(EDI, value) }
  get edi(): number { return this.get32(EDI) }
  get bp(): number { return this.get16(EBP) }
  set bp(value: number) { this.set16(EBP, value) }
  get ds(): number { return this.get16(DS) }
  set ds(value: number) { this.set16(DS, value) }
  get es(): number { return this.get16(ES) }
  set es(value: number) { this.set16(ES, value) }

  get carry(): boolean { return (this.get16(FLAGS) & FLAG_CARRY) !== 0 }
  set carry(on: boolean) { this.setFlag(FLAG_CARRY, on) }
  set zero(on: boolean) { this.setFlag(FLAG_ZERO, on) }

  private setFlag(flag: number, on: boolean): void {
    const flags = this.get16(FLAGS)
    this.set16(FLAGS, on ? flags | flag : flags & ~flag)
  }

  /** The caller goes on with interrupts enabled. */
  enableInterrupts(): void {
    this.setFlag(FLAG_INTERRUPT, true)
  }

  /** Where the interrupt returns to. */
  returnTo(segment: number, offset: number): void {
    this.set16(CS, segment)
    this.set16(IP, offset)
  }

  // ---- memory by segment and offset; offsets wrap at 64 KiB ----
  read8(segment: number, offset: number): number { return this.memory.readU8(gpa(linear(segment, offset))) }
  read16(segment: number, offset: number): number { return this.memory.readU16(gpa(linear(segment, offset))) }
  read32(segment: number, offset: number): number { return this.memory.readU32(gpa(linear(segment, offset))) }
  write8(segment: number, offset: number, value: number): void { this.memory.writeU8(gpa(linear(segment, offset)), value & 0xff) }
  write16(segment: number, offset: number, value: number): void { this.memory.writeU16(gpa(linear(segment, offset)), value & 0xffff) }
  write32(segment: number, offset: number, value: number): void { this.memory.writeU32(gpa(linear(segment, offset)), value >>> 0) }
  writeBytes(segment: number, offset: number, bytes: Uint8Array): void { this.memory.write(gpa(linear(segment, offset)), bytes) }
}
