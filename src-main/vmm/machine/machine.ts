/**
 * One running virtual machine: board, vCPU and engine, and the loop that drives them (design.md, "Processes and threads"): run the vCPU until the
 * next deadline or exit, fire due timers, let in what comes from outside, sleep when the vCPU is halted. Lives in one thread; everything that
 * comes from outside enters between slices (post, gate, timers).
 */
import type { Exit } from '../cpu/engine'
import type { RegionInspector, RegionSnapshot } from '../cpu/engines/region-inspector'
import { textToKeys } from '../devices/i8042/keyboard-text'
import type { Frame } from '../backends/display/frame'
import { assertNever } from '../errors/assert-never'
import { vmTime, type VmTime } from '../support/branded'
import type { Timer } from '../time/clock'
import type { MachineEnd } from './config'
import type { KeyEvent } from './key-typist'
import type { MachineParts } from './machine-parts'
import { machineStats, type MachineStats } from './stats'
import { loadMachine, saveMachine } from './saved-machine'
import { encodeContainer, readContainer } from '../snapshot/container'
import { writeAtomically } from '../support/write-atomically'

/**
 * Instructions between two looks at how long the slice has taken: as many as fill a good part of a millisecond. Translated code runs a hundred times as
 * fast as instructions that only the interpreter or a device carries out, and may turn into such at any time: hence no more than 64 Ki, which costs translated
 * code less than 1 % and holds the thread for some 10 ms when it comes to the worst.
 */
const SHORTEST_PIECE = 8192
const LONGEST_PIECE = 65536
const PIECE_NS = 400_000

/** A slice that has taken so long ends at the next piece, whatever its budget says. */
const SLICE_NS = 1_500_000

/** Instructions that a slice may lack. */
const CLOSE_ENOUGH = 512

export type LifecycleState = 'created' | 'running' | 'paused' | 'ended'

export class Machine {
  state: LifecycleState = 'created'
  /** Called between slices, on the machine's thread. */
  onTurn: () => void = () => undefined
  onPause: (paused: boolean) => void = () => undefined
  /** Called when the guest was reset, before it runs again. */
  onReset: () => void = () => undefined

  private readonly posted: (() => void)[] = []
  private readonly wakeTimer: Timer
  private end: MachineEnd | undefined
  private resetRequested = false
  private pauseRequested = false
  private stopRequested = false
  /** Wall-clock figures for the statistics, in the clock's own nanoseconds. */
  private resets = 0
  private slices = 0
  private halts = 0
  private piece = SHORTEST_PIECE

  constructor(readonly parts: MachineParts) {
    this.wakeTimer = parts.deadlines.createTimer('script', () => undefined)
  }

  // ---- from outside ---------------------------------------------------------------------------------------------------------------

  /** Runs `work` on the machine's thread between two slices. */
  post(work: () => void): void {
    this.posted.push(work)
    this.wake()
  }

  /** Makes a sleeping machine look around. */
  wake(): void {
    this.parts.wakeable.wake()
  }

  /** Wakes the machine at that time even when nothing else does. */
  wakeAt(time: number): void {
    if (this.wakeTimer.deadline !== time) this.wakeTimer.arm(vmTime(time))
  }

  /** Ends run() as soon as possible, leaving the guest as it is. */
  stop(): void {
    this.stopRequested = true
    this.leaveSlice()
    this.wake()
  }

  pause(): void {
    this.pauseRequested = true
    this.leaveSlice()
    this.wake()
  }

  resume(): void {
    this.pauseRequested = false
    this.wake()
  }

  /** The reset button. */
  reset(): void {
    this.resetRequested = true
    this.leaveSlice()
    this.wake()
  }

  powerOff(): void {
    this.finish({ kind: 'power-off' })
  }

  pressPowerButton(): void {
    const { hypervisor, board } = this.parts
    this.post(() => {
      if (hypervisor?.pressPowerButton?.() !== true) board.pressPowerButton()
    })
  }

  /** What the guest shall be left with, by its balloon; bytes. false: the machine has none. */
  setMemoryTarget(bytes: number): boolean {
    const { balloon, hypervisor } = this.parts
    if (!balloon && !hypervisor?.setMemoryTarget) return false
    this.post(() => (balloon ? balloon.setTarget(bytes) : hypervisor?.setMemoryTarget?.(bytes)))
    return true
  }

  /** The guest is asked by what runs in it, if that listens; otherwise the power button is pressed. */
  shutDown(): void {
    this.post(() => {
      if (this.parts.hypervisor?.askGuest?.('shutdown') !== true) this.parts.board.pressPowerButton()
    })
  }

  /** The guest is asked to restart; when nothing in it listens, `refused` is called instead. */
  restart(refused: () => void = () => this.reset()): void {
    this.post(() => {
      if (this.parts.hypervisor?.askGuest?.('restart') !== true) refused()
    })
  }

  /** Asks the guest for a screen of so many pixels; nothing happens when nothing in it listens. */
  setResolution(width: number, height: number): void {
    this.post(() => void this.parts.hypervisor?.setResolution?.(width, height))
  }

  /** Where the pointer is, 0..65535 of the screen in both directions: for guests that follow places. `wheel`: notches, down positive. */
  pointTo(x: number, y: number, wheel: number, buttons: number): void {
    this.post(() => {
      const { hypervisor, board } = this.parts
      if (hypervisor?.followsPointer !== true) return
      hypervisor.pointer?.(x, y, wheel, buttons)
      // The mouse's interrupt, with a packet that such a guest does not look into: it looks for places.
      board.mouse(1, 0, 0, 0)
    })
  }

  key(event: KeyEvent): void {
    this.post(() => this.parts.board.key(event))
  }

  /** Key events at a pace that the guest can follow. */
  type(events: readonly KeyEvent[]): void {
    this.post(() => this.parts.typist.type(events))
  }

  typeText(text: string): void {
    this.type(textToKeys(text))
  }

  mouse(dx: number, dy: number, dz: number, buttons: number): void {
    this.post(() => this.parts.board.mouse(dx, dy, dz, buttons))
  }

  /** After its end: run() goes on as after the reset button. */
  revive(): void {
    this.end = undefined
    this.pauseRequested = false
    this.resetRequested = true
    this.state = 'created'
  }

  /** Called by the board, in the middle of guest execution: the guest ended the machine. */
  finish(end: MachineEnd): void {
    this.end ??= end
    this.leaveSlice()
    this.wake()
  }

  /** The running slice ends at the next instruction boundary at which the engine looks. */
  leaveSlice(): void {
    this.parts.engine.requestAttention(this.parts.vcpuBase)
  }

  // ---- what can be seen -----------------------------------------------------------------------------------------------------------

  now(): VmTime {
    return this.parts.clock.now()
  }

  /** Instructions retired since power-on. */
  get retired(): number {
    return this.parts.vcpu.retired
  }

  /** The whole picture; valid until the next call. */
  screenshot(): Frame {
    return this.parts.board.screenshot()
  }

  screenText(): readonly string[] {
    return this.parts.board.screenText()
  }

  isCdromLocked(drive: number): boolean {
    return this.parts.board.isCdromLocked(drive)
  }

  async changeCdrom(drive: number, path: string | undefined): Promise<void> {
    await this.parts.board.changeCdrom(drive, path)
  }

  /** Translated code, to be looked at on the machine's thread between slices; undefined: the engine translates nothing. */
  get regions(): RegionInspector | undefined {
    return this.parts.engine.inspector
  }

  /** Regions that have the instruction at an address, which is guest-physical or, as the page tables are now, linear. */
  regionsAt(address: bigint): readonly RegionSnapshot[] {
    const places = new Set([this.parts.vcpu.translate(address), address <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(address) : undefined])
    return [...places].flatMap((place) => (place === undefined ? [] : (this.regions?.regionsAt(place) ?? [])))
  }

  stats(): MachineStats {
    return machineStats(this.parts, { retired: this.retired, slices: this.slices, halts: this.halts, resets: this.resets })
  }

  // ---- the loop ---------------------------------------------------------------------------------------------------------------------

  /** Runs until the machine ends, stop() is called, or exactly `stopAt` instructions have retired since power-on. */
  async run(stopAt?: number): Promise<MachineEnd> {
    this.stopRequested = false
    return this.loop(stopAt, () => false)
  }

  /** Waits until no host I/O is pending: only then can a machine be saved. The guest stands still meanwhile if it can. */
  async settle(): Promise<void> {
    const { gate, wakeable } = this.parts
    this.stopRequested = false
    if (gate.needsTime) {
      // Requests complete at a virtual time, which comes only when the guest goes on.
      const paused = this.pauseRequested
      this.pauseRequested = false
      if (gate.pending > 0) await this.loop(undefined, () => gate.pending === 0)
      this.pauseRequested = paused
      return
    }
    for (gate.deliver(); gate.pending > 0; gate.deliver()) await wakeable.sleep(undefined)
  }

  private async loop(stopAt: number | undefined, reached: () => boolean): Promise<MachineEnd> {
    const { clock, gate, deadlines, wakeable, watch } = this.parts
    if (this.state === 'created') this.state = 'running'
    clock.start()
    try {
      for (;;) {
        this.turn()
        if (this.end) return this.ended(this.end)
        if (this.stopRequested || reached()) return { kind: 'stopped' }
        if (stopAt !== undefined && this.retired >= stopAt) return { kind: 'stop-at' }
        if (this.pauseRequested) {
          await this.paused()
          continue
        }
        const blocked = gate.blocked()
        if (blocked) {
          await blocked
          continue
        }
        const exit = this.slice(stopAt)
        if (exit.kind === 'halted' && !this.somethingWaits()) await clock.idle(deadlines.next(), wakeable)
        // The event loop gets its turns: disks, terminals, messages.
        if (clock.exact || watch.takeTurn()) await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      clock.stop()
    }
  }

  /** Lets in everything that waits, and fires due timers. */
  private turn(): void {
    const { gate, deadlines, clock } = this.parts
    for (let work = this.posted.shift(); work; work = this.posted.shift()) work()
    deadlines.runDue(clock.now())
    gate.deliver()
    this.parts.betweenSlices()
    this.onTurn()
    if (this.resetRequested && !this.end) this.hardReset()
  }

  private somethingWaits(): boolean {
    return this.posted.length > 0 || this.end !== undefined || this.stopRequested || this.resetRequested || this.pauseRequested
  }

  private slice(stopAt: number | undefined): Exit {
    const { clock, deadlines } = this.parts
    const left = stopAt === undefined ? Infinity : stopAt - this.retired
    const budget = Math.max(1, Math.min(clock.budget(deadlines.next()), left))
    const before = this.retired
    this.parts.hypervisor?.beforeSlice?.()
    // virtual time that follows the host's need not be met to the instruction, and regions are not left in the middle of a loop then
    const exit = this.runPieces(budget, clock.exact || stopAt !== undefined)
    clock.ran(this.retired - before)
    this.slices++
    this.dispatch(exit)
    return exit
  }

  /** A guest of slow instructions does not get its whole budget: see SliceWatch. */
  private runPieces(budget: number, exact: boolean): Exit {
    const { engine, vcpuBase, watch } = this.parts
    watch.begin()
    let before = 0
    let started = this.retired
    for (let left = budget; ;) {
      const piece = Math.min(left, this.piece)
      const exit = engine.run(vcpuBase, piece, exact && piece === left)
      const { retired } = this
      left -= retired - started
      started = retired
      const { elapsed } = watch
      if (exit.kind !== 'deadline' || left <= (exact ? 0 : CLOSE_ENOUGH) || elapsed > SLICE_NS) return exit
      this.piece = elapsed - before < PIECE_NS ? Math.min(this.piece * 2, LONGEST_PIECE) : SHORTEST_PIECE
      before = elapsed
    }
  }

  private dispatch(exit: Exit): void {
    switch (exit.kind) {
      case 'deadline':
      case 'mailbox':
        return
      case 'halted':
        this.halts++
        return
      case 'shutdown':
        this.end ??= { kind: 'triple-fault', dump: this.parts.vcpu.dump() }
        return
      case 'unimplemented':
        this.end ??= { kind: 'unimplemented', what: exit.what, dump: this.parts.vcpu.dump() }
        return
      default:
        assertNever(exit)
    }
  }

  private async paused(): Promise<void> {
    this.parts.clock.stop()
    if (this.state !== 'paused') {
      this.state = 'paused'
      this.onPause(true)
    }
    await this.parts.wakeable.sleep(undefined)
    if (this.pauseRequested) return
    this.state = 'running'
    this.parts.clock.start()
    this.parts.hypervisor?.resumed?.()
    this.onPause(false)
  }

  private ended(end: MachineEnd): MachineEnd {
    this.state = 'ended'
    return end
  }

  private hardReset(): void {
    this.resetRequested = false
    this.resets++
    this.parts.board.reset('hard')
    this.parts.boot()
    this.parts.typist.clear()
    this.onReset()
  }

  /** Writes the machine to a file, whole or not at all, once no host I/O is pending. `packed` hears how far it is. */
  async save(path: string, packed?: (done: number, total: number) => void): Promise<void> {
    await this.settle()
    await writeAtomically(path, encodeContainer(saveMachine(this.parts, packed)))
  }

  /** Writes what there is of a machine that a bug has stopped: it may not load. */
  async rescue(path: string): Promise<void> {
    await writeAtomically(path, encodeContainer(saveMachine(this.parts)))
  }

  /** Continues from a file; the machine must be freshly made from the configuration that it was saved with. */
  async load(path: string): Promise<void> {
    loadMachine(this.parts, await readContainer(path), path)
    this.parts.hypervisor?.resumed?.()
  }

  /** Lets go of files. The machine cannot be used afterwards. */
  async close(): Promise<void> {
    this.state = 'ended'
    await this.parts.board.close()
    for (const network of this.parts.networks) await network.close()
  }
}
