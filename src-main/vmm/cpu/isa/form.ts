/**
 * A form is one encoding made concrete: operation, operand size, and whether each operand is a register, memory or an immediate. The decoder
 * picks the form of an instruction (its `handler` index goes into the record), the interpreter has one handler for each form, and the
 * translator binds the same form to constants. Rows of the table that differ only in where the decoder finds the operands share a form.
 */

export type OperandBytes = 1 | 2 | 4 | 8 | 10 | 16

export type OperandForm =
  /** General-purpose register; the record's field REC_OP0 + field holds its byte offset in the register file. */
  | { readonly kind: 'gpr'; readonly bytes: 1 | 2 | 4 | 8; readonly field: 0 | 1 | 2 }
  /** A register named by the encoding itself (AL/AX/EAX/RAX, CL, DX ...): register number 0..15. */
  | { readonly kind: 'fixed'; readonly bytes: 1 | 2 | 4 | 8; readonly register: number }
  /** Memory by ModRM (or an address without base for moffs: kind 'moffs', address in REC_IMM). `bytes` 0: only the address matters (LEA, INVLPG, FXSAVE ...). */
  | { readonly kind: 'mem'; readonly bytes: OperandBytes | 0 }
  | { readonly kind: 'moffs'; readonly bytes: 1 | 2 | 4 | 8 }
  /** Immediate in REC_IMM, already extended to 64 bits as the encoding says; read() truncates it to `bytes`. */
  | { readonly kind: 'imm'; readonly bytes: 1 | 2 | 4 | 8 }
  /** Second immediate, REC_IMM2 (ENTER, EXTRQ...). */
  | { readonly kind: 'imm2'; readonly bytes: 1 | 2 }
  /** Relative branch displacement, sign-extended in REC_IMM. */
  | { readonly kind: 'rel' }
  /** Far pointer: offset in REC_IMM, selector in REC_IMM2. */
  | { readonly kind: 'far' }
  /** A constant operand such as the 1 of SHL r, 1. */
  | { readonly kind: 'one' }
  /** The rest: the record's field holds the register's number. `bytes`: how much of an XMM register the operand is (4, 8 scalar; 16 whole). */
  | { readonly kind: 'xmm'; readonly bytes: 4 | 8 | 16; readonly field: 0 | 1 | 2 }
  | { readonly kind: 'mm'; readonly field: 0 | 1 | 2 }
  | { readonly kind: 'st'; readonly field: 0 | 1 | 2 }
  | { readonly kind: 'sreg'; readonly field: 0 | 1 | 2 }
  | { readonly kind: 'cr'; readonly field: 0 | 1 | 2 }
  | { readonly kind: 'dr'; readonly field: 0 | 1 | 2 }

export interface Form {
  /** Dense index, also REC_HANDLER. 0 is "no such instruction" (#UD, counted). */
  readonly handler: number
  /** Unique readable name, e.g. 'add 4 mem4 gpr4'. */
  readonly key: string
  /** Name of the meaning in semantics/. */
  readonly operation: string
  /** Condition code 0..15 of Jcc/SETcc/CMOVcc/FCMOVcc; otherwise what the row says (0). */
  readonly variant: number
  /** Operand size in bytes. */
  readonly size: 1 | 2 | 4 | 8
  /** Set for operations whose meaning depends on the address size (string operations, LOOP, JCXZ, XLAT, MASKMOVQ): 2, 4 or 8. */
  readonly addressSize?: 2 | 4 | 8
  /** String operations: 0 none, 1 REP/REPE (F3), 2 REPNE (F2). */
  readonly rep: 0 | 1 | 2
  readonly operands: readonly OperandForm[]
  readonly endsBlock: boolean
}
