/**
 * The interpreter's loop, run(vcpu) -> EXIT_*: finds blocks, dispatches their records to the handlers, takes interrupts and delivers
 * exceptions. EXIT_NONE: the budget is used up. Instructions are counted exactly: RETIRED + SLICE - BUDGET holds at any time, and where a slice ends
 * changes nothing that the guest can see, because requests for attention are met after the very instruction that caused them.
 *
 * Blocks are looked up in the jump cache, unless a link leads from the last one within its page (core/decode/links).
 *
 * The word before a block's first record (BLOCK_ENTRY) says whether the block is translated: then dispatch() runs regions, as long as nothing asks for
 * attention. Otherwise it counts the block's runs, and the host hears of a block that is hot (region_wanted).
 *
 * Measured and dropped: the handlers of common instructions inlined into this function instead of called (some 150 of them) gained nothing and
 * lost up to a tenth, V8's register allocation suffers in one huge function. Handlers that tail-call the next record's handler (wasm tail calls, no
 * run loop in between): no gain on loops, and a third slower through a Linux boot (117 against 72 million instructions per CPU second).
 */
import type { HelperImports } from '../emit/helper-imports'
import * as L from '../layout'
import { HOT_THRESHOLD, LINK_BEHIND, LINK_NONE, LINK_TAKEN, LINK_WANTED } from '../layout-decode'
import { FunctionBuilder } from '../wasm/ir'
import type { FunctionRef, LabelStatement, OpName, Value, Variable } from '../wasm/ir'
import { ENTRY_BEFORE_RECORD, entryWord, interruptsEnabled, lookUp, unmaskedAttention } from './dispatch'

/** Exceptions delivered in one call of run() before the host gets to look: a guest may fault forever without retiring anything. */
const FAULTS_MAX = 0x10000

/** The first word of a record: u16 handler, u8 length, u8 flags. */
const WORD_HANDLER = 0xffff
const WORD_LENGTH_SHIFT = 16
const WORD_LENGTH = 0xff

export const CORE_RUN_HELPERS = [
  'find_block',
  'deliver_exception',
  'take_interrupt',
  'take_nmi',
  'check_instruction_breakpoint',
  'debug_trap',
] as const

export interface Dispatch {
  /** Distinct handlers, and which of them each handler index runs. */
  readonly handlers: readonly FunctionRef[]
  readonly targets: readonly number[]
  /** Runs regions (buildDispatch). */
  readonly regions: FunctionRef
}

export function buildRunLoop(dispatch: Dispatch, helpers: HelperImports): FunctionBuilder {
  return new RunLoop(dispatch, helpers).build()
}

class RunLoop {
  private readonly b = new FunctionBuilder('run', ['i32'], ['i32'])
  private readonly vcpu: Value = this.b.param(0)
  private readonly rip: Variable = this.b.variable('i64')
  private readonly record: Variable = this.b.variable('i32')
  private readonly faults: Variable = this.b.variable('i32')
  private readonly status: Variable = this.b.variable('i32')
  /** ATTENTION_DEBUG as it was when the instruction began. */
  private readonly stepping: Variable = this.b.variable('i32')
  /** A region asked for the interpreter: the next block runs without a look at its entry word. */
  private readonly interpret: Variable = this.b.variable('i32')
  private readonly entry: Variable = this.b.variable('i32')
  /** Of the block in the jump cache, without JUMP_CACHE. */
  private readonly place: Variable = this.b.variable('i32')
  /** The next block is to be entered in the link at LINK_WANTED. Only set when nothing comes before that block. */
  private readonly linkWanted: Variable = this.b.variable('i32')

  constructor(
    private readonly dispatch: Dispatch,
    private readonly helpers: HelperImports,
  ) {}

  build(): FunctionBuilder {
    const { b } = this
    b.set(this.rip, this.state('i64.load', L.REG_RIP))
    b.loop((next) => {
      b.if(this.eqz(this.state('i32.load', L.BUDGET)), () => this.exit(L.EXIT_NONE))
      b.set(this.stepping, this.i32(0))
      b.if(this.or(this.state('i32.load', L.ATTENTION), this.state('i32.load', L.HALTED)), () => this.attend(next))
      this.findBlock(next)
      this.enterRegion(next)
      this.runBlock(next)
    })
    return b
  }

  // ---- between instructions ----------------------------------------------------------------------------------------------------
  private attend(next: LabelStatement): void {
    const { b } = this
    this.setState('i64.store', L.REG_RIP, b.get(this.rip))
    const attention = this.state('i32.load', L.ATTENTION)
    b.if(this.and(attention, this.i32(L.ATTENTION_HOST)), () => {
      this.setState('i32.store', L.ATTENTION, this.and(attention, this.i32(~L.ATTENTION_HOST)))
      this.exit(L.EXIT_HOST)
    })
    b.if(
      this.and(attention, this.i32(L.ATTENTION_SHADOW)),
      () => this.setState('i32.store', L.ATTENTION, this.and(attention, this.i32(~L.ATTENTION_SHADOW))),
      () => {
        const nmi = this.and(attention, this.i32(L.ATTENTION_NMI))
        b.if(this.and(nmi, this.shl(this.eqz(this.state('i32.load', L.NMI_BLOCKED)), 1)), () => this.deliver('take_nmi', next))
        b.if(this.and(attention, interruptsEnabled(b, this.vcpu)), () => this.deliver('take_interrupt', next))
      },
    )
    b.if(this.state('i32.load', L.HALTED), () => this.exit(L.EXIT_HALT))
    b.if(this.and(attention, this.i32(L.ATTENTION_DEBUG)), () => {
      b.set(this.stepping, this.i32(1))
      const status = this.call('check_instruction_breakpoint')
      b.if(status, () => this.fault(next))
    })
  }

  /** Takes an event; it may turn out to be gone (STATUS_NEXT), then the vCPU goes on as it is. */
  private deliver(helper: string, next: LabelStatement): void {
    const { b } = this
    const status = this.call(helper)
    b.if(status, () => {
      this.setState('i32.store', L.HALTED, this.i32(0))
      b.if(this.b.op('i32.eq', [status, this.i32(L.STATUS_EXIT)]), () => this.exitWithReason())
      b.if(this.b.op('i32.eq', [status, this.i32(L.STATUS_FAULT)]), () => this.fault(next))
      this.reloadRip()
      b.branch(next)
    })
  }

  private findBlock(next: LabelStatement): void {
    const { b } = this
    b.set(this.record, this.i32(0))
    const rip = lookUp(b, this.vcpu, b.get(this.rip), this.place, (masked) => {
      this.setState('i64.store', L.REG_RIP, masked)
      const found = this.call('find_block')
      b.set(this.record, found)
      b.if(this.eqz(found), () => {
        b.set(this.linkWanted, this.i32(0))
        this.fault(next)
      })
    })
    b.set(this.rip, rip)
    // an instruction that no cache holds has no place there: what stands there is another's
    b.if(
      b.get(this.record),
      () => b.set(this.entry, this.i32(0)),
      () => {
        const offset = b.op('i32.sub', [b.get(this.place), this.vcpu])
        const index = b.op('i32.shr_u', [offset, this.i32(Math.log2(L.JUMP_CACHE_ENTRY_BYTES))])
        b.set(this.record, b.load('i32.load', b.op('i32.add', [this.vcpu, this.shl(index, 2)]), L.JUMP_RECORDS))
        b.set(this.entry, b.load('i32.load', b.get(this.place), L.JUMP_CACHE + L.JUMP_WORD))
      },
    )
    b.if(b.get(this.linkWanted), () => {
      b.set(this.linkWanted, this.i32(0))
      b.callVoid(this.helpers.import('link_block', ['i32', 'i32'], []), [this.vcpu, b.get(this.record)])
    })
  }

  /** Counts the block's runs, or leaves the rest to its region. */
  private enterRegion(next: LabelStatement): void {
    const { b } = this
    const record = b.get(this.record)
    b.if(this.eqz(b.get(this.entry)), () => {
      const word = entryWord(b, record)
      b.set(this.entry, word)
      b.if(b.op('i32.lt_u', [word, this.i32(L.ENTRY_NEVER)]), () => {
        b.if(this.eqz(b.get(this.interpret)), () => {
          const runs = b.op('i32.add', [word, this.i32(1)])
          b.effect('i32.store', [b.op('i32.sub', [record, this.i32(ENTRY_BEFORE_RECORD)]), runs])
          b.if(b.op('i32.eq', [runs, b.load('i32.load', this.i32(0), HOT_THRESHOLD)]), () => {
            this.setState('i64.store', L.REG_RIP, b.get(this.rip))
            b.callVoid(this.helpers.import('want_region', ['i32', 'i32'], []), [this.vcpu, b.op('i32.sub', [record, this.i32(L.BLOCK_HEADER_BYTES)])])
            // it may be translated by now
            b.set(this.entry, entryWord(b, record))
          })
        })
      })
      // only what is cached is ever translated
      const found = b.get(this.entry)
      b.if(b.op('i32.lt_s', [found, this.i32(0)]), () => b.effect('i32.store', [b.get(this.place), found], L.JUMP_CACHE + L.JUMP_WORD))
    })
    b.if(b.op('i32.lt_s', [b.get(this.entry), this.i32(0)]), () => {
      const pending = unmaskedAttention(b, this.vcpu, this.state('i32.load', L.ATTENTION))
      const hindrance = this.or(this.or(b.get(this.interpret), b.get(this.stepping)), pending)
      b.if(this.eqz(hindrance), () => {
        this.setState('i64.store', L.REG_RIP, b.get(this.rip))
        const status = b.call(this.dispatch.regions, [this.vcpu, b.get(this.entry)])
        this.reloadRip()
        b.branch(next, b.op('i32.eq', [status, this.i32(L.STATUS_JUMP)]))
        b.if(b.op('i32.eq', [status, this.i32(L.STATUS_FAULT)]), () => this.fault(next))
        b.if(b.op('i32.eq', [status, this.i32(L.STATUS_EXIT)]), () => this.exitWithReason())
        b.if(this.and(b.op('i32.eq', [status, this.i32(L.STATUS_SHORT)]), this.state('i32.load', L.STOP_EARLY)), () => this.exit(L.EXIT_NONE))
        b.set(this.interpret, this.i32(1))
        b.branch(next)
      })
    })
    b.set(this.interpret, this.i32(0))
  }

  // ---- instructions ----------------------------------------------------------------------------------------------------------------
  private runBlock(next: LabelStatement): void {
    const { b } = this
    b.loop((again) => {
      const record = b.get(this.record)
      const word = b.load('i32.load', record, L.REC_HANDLER)
      const budget = this.state('i32.load', L.BUDGET)
      const rip = b.get(this.rip)
      const length = this.and(b.op('i32.shr_u', [word, this.i32(WORD_LENGTH_SHIFT)]), this.i32(WORD_LENGTH))
      const nextRip = b.op('i64.add', [rip, b.op('i64.extend_i32_u', [length])])
      this.setState('i32.store', L.CURRENT_RECORD, record)
      this.setState('i64.store', L.REG_RIP, rip)
      this.setState('i64.store', L.REG_NEXT_RIP, nextRip)
      const left = b.op('i32.sub', [budget, this.i32(1)])
      this.setState('i32.store', L.BUDGET, left)
      const { handlers, targets } = this.dispatch
      b.switch(
        this.and(word, this.i32(WORD_HANDLER)),
        targets,
        handlers.map((handler) => () => b.set(this.status, b.call(handler, [this.vcpu, record]))),
      )
      const status = b.get(this.status)
      b.if(status, () => {
        this.notNext(status, next)
        this.followLink(record, nextRip, next, again)
      })
      b.set(this.rip, nextRip)
      b.if(b.get(this.stepping), () => this.afterStep(next))
      // read again: an instruction that writes to its own block makes itself the last one
      b.branch(next, this.and(b.load('i32.load8_u', record, L.REC_FLAGS), this.i32(L.REC_FLAG_ENDS_BLOCK)))
      const pending = this.state('i32.load', L.ATTENTION)
      b.if(pending, () => {
        // a request that is masked need not be looked at until interrupts are enabled, which ends a block
        b.branch(next, unmaskedAttention(b, this.vcpu, pending))
      })
      b.if(this.eqz(left), () => this.exit(L.EXIT_NONE))
      b.set(this.record, b.op('i32.add', [record, this.i32(L.REC_BYTES)]))
      b.branch(again)
    })
  }

  private notNext(status: Value, next: LabelStatement): void {
    const { b } = this
    b.if(b.op('i32.eq', [status, this.i32(L.STATUS_FAULT)]), () => {
      this.setState('i32.store', L.BUDGET, b.op('i32.add', [this.state('i32.load', L.BUDGET), this.i32(1)]))
      this.fault(next)
    })
    b.set(this.rip, this.state('i64.load', L.REG_NEXT_RIP))
    b.if(b.op('i32.eq', [status, this.i32(L.STATUS_EXIT)]), () => {
      this.setState('i64.store', L.REG_RIP, b.get(this.rip))
      b.if(b.get(this.stepping), () => {
        // the trap after HLT ends the halt
        b.if(this.call('debug_trap'), () => {
          this.setState('i32.store', L.HALTED, this.i32(0))
          this.fault(next)
        })
      })
      this.exitWithReason()
    })
    b.if(b.get(this.stepping), () => this.afterStep(next))
  }

  /**
   * The block of `record` is over, `behind` is the address behind it. Goes right on with the next one, when a link leads there (core/decode/links), nothing asks for attention, and it
   * neither is translated nor gets hot by this.
   */
  private followLink(record: Value, behind: Value, next: LabelStatement, again: LabelStatement): void {
    const { b } = this
    b.branch(next, this.eqz(this.and(b.load('i32.load8_u', record, L.REC_FLAGS), this.i32(L.REC_FLAG_DIRECT))))
    b.branch(next, this.or(this.state('i32.load', L.ATTENTION), this.eqz(this.state('i32.load', L.BUDGET))))
    const isTaken = b.op('i64.ne', [b.get(this.rip), behind])
    const link = b.op('i32.add', [record, b.op('select', [this.i32(LINK_TAKEN), this.i32(LINK_BEHIND), isTaken])])
    const target = b.load('i32.load', link, 0)
    b.if(
      b.op('i32.gt_u', [target, this.i32(LINK_NONE)]),
      () => {
        const header = b.op('i32.sub', [target, this.i32(L.BLOCK_HEADER_BYTES)])
        const runs = b.op('i32.add', [b.load('i32.load', header, L.BLOCK_ENTRY), this.i32(1)])
        b.branch(next, b.op('i32.ge_u', [runs, b.load('i32.load', this.i32(0), HOT_THRESHOLD)]))
        b.branch(next, b.op('i32.ne', [b.load('i32.load', header, L.BLOCK_MODE), this.state('i32.load', L.CODE_KEY)]))
        b.effect('i32.store', [header, runs], L.BLOCK_ENTRY)
        b.set(this.record, target)
        b.branch(again)
      },
      () => {
        b.if(this.eqz(target), () => {
          b.effect('i32.store', [this.i32(0), link], LINK_WANTED)
          b.set(this.linkWanted, this.i32(1))
        })
        b.branch(next)
      },
    )
  }

  /** One instruction retired with ATTENTION_DEBUG: single-step and data breakpoint traps. */
  private afterStep(next: LabelStatement): void {
    const { b } = this
    this.setState('i64.store', L.REG_RIP, b.get(this.rip))
    b.if(this.call('debug_trap'), () => this.fault(next))
  }

  /** Delivers the recorded exception. */
  private fault(next: LabelStatement): void {
    const { b } = this
    const status = this.call('deliver_exception')
    b.if(b.op('i32.eq', [status, this.i32(L.STATUS_EXIT)]), () => this.exitWithReason())
    this.reloadRip()
    const count = b.op('i32.add', [b.get(this.faults), this.i32(1)])
    b.set(this.faults, count)
    b.if(b.op('i32.gt_u', [count, this.i32(FAULTS_MAX)]), () => this.exit(L.EXIT_HOST))
    b.branch(next)
  }

  // ---- leaving -----------------------------------------------------------------------------------------------------------------------
  private exit(reason: number): void {
    this.setState('i64.store', L.REG_RIP, this.b.get(this.rip))
    this.account()
    this.b.return(this.i32(reason))
  }

  /** The core has left REG_RIP and EXIT_REASON as they should be. */
  private exitWithReason(): void {
    this.account()
    this.b.return(this.state('i32.load', L.EXIT_REASON))
  }

  private account(): void {
    const { b } = this
    const budget = this.state('i32.load', L.BUDGET)
    const retired = b.op('i32.sub', [this.state('i32.load', L.SLICE), budget])
    const total = b.op('i64.add', [this.state('i64.load', L.RETIRED), b.op('i64.extend_i32_u', [retired])])
    this.setState('i64.store', L.RETIRED, total)
    this.setState('i32.store', L.SLICE, budget)
  }

  private reloadRip(): void {
    this.b.set(this.rip, this.state('i64.load', L.REG_RIP))
  }

  // ---- shorthands --------------------------------------------------------------------------------------------------------------------
  private core(name: string): FunctionRef {
    return this.helpers.import(name, ['i32'], ['i32'])
  }
  private call(name: string): Value {
    return this.b.call(this.core(name), [this.vcpu])
  }
  private state(load: OpName, offset: number): Value {
    return this.b.load(load, this.vcpu, offset)
  }
  private setState(store: OpName, offset: number, value: Value): void {
    this.b.effect(store, [this.vcpu, value], offset)
  }
  private i32(n: number): Value {
    return this.b.constant('i32', n)
  }
  private and(x: Value, y: Value): Value {
    return this.b.op('i32.and', [x, y])
  }
  private or(x: Value, y: Value): Value {
    return this.b.op('i32.or', [x, y])
  }
  private shl(x: Value, n: number): Value {
    return this.b.op('i32.shl', [x, this.i32(n)])
  }
  private eqz(x: Value): Value {
    return this.b.op('i32.eqz', [x])
  }
}
