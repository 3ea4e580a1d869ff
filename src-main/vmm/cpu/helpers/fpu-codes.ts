/** Codes that meanings pass to the floating-point helpers. Compiled by TypeScript and AssemblyScript alike, as layout.ts. */

/** sseF32, sseF64, ssePs, ssePd. */
export const OP_ADD = 0
export const OP_SUB = 1
export const OP_MUL = 2
export const OP_DIV = 3
export const OP_SQRT = 4
export const OP_MIN = 5
export const OP_MAX = 6
/** Packed only: even lanes subtract, odd lanes add. */
export const OP_ADDSUB = 7
/** OP_COMPARE + predicate 0..7 (EQ LT LE UNORD NEQ NLT NLE ORD). */
export const OP_COMPARE = 16

/** sseConvert. Lanes without a source become 0. */
export const CVT_DQ2PS = 0
export const CVT_PS2DQ = 1
export const CVT_TPS2DQ = 2
export const CVT_PD2DQ = 3
export const CVT_TPD2DQ = 4
export const CVT_PS2PD = 5
export const CVT_PD2PS = 6
/** Two lanes of an MMX register or its memory operand (the low half). */
export const CVT_PI2PS = 7
export const CVT_PS2PI = 8
export const CVT_TPS2PI = 9

/** x87Arithmetic...: the digit of the D8 opcode. */
export const X87_ADD = 0
export const X87_MUL = 1
export const X87_SUB = 4
export const X87_SUBR = 5
export const X87_DIV = 6
export const X87_DIVR = 7
