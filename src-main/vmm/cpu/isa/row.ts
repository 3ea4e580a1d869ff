/**
 * The instruction table's vocabulary: one row is one encoding. Rows are written in the notation of the Intel SDM:
 *
 *   encoding  '[NP|66|F3|F2|NFx] [0F|0F38|0F3A] opcode[+r|+cc] [/digit] [mem|reg] [modrm byte[+i]]'
 *             NP: no 66/F3/F2; NFx: no F3/F2 (66 selects the operand size); nothing: these prefixes do not select the row.
 *   operands  appendix A: addressing letter and width letter(s), destination first. Where a register and a memory operand have
 *             different widths, the register's letter comes first ('Edw': 32-bit register or 16-bit memory).
 *
 *   addressing  E r/m: general register or memory     G general register by ModRM.reg     R general register by r/m     Z by the opcode
 *               M memory     O moffs     I immediate, zero-extended     sI sign-extended     J relative     Ap far pointer
 *               V xmm by reg    W xmm or memory    U xmm by r/m     P mm by reg    Q mm or memory    N mm by r/m
 *               Sw segment register    C control register    D debug register    ST ST(0)    STi ST(i) by r/m    AL rAX CL DX 1 ES..GS fixed
 *   width       b 1   w 2   d 4   q 8   x 16   t 10   v operand size   z operand size, at most 4   y 4, or 8 with REX.W   (none: address only)
 */

/** How the operand size follows from mode and prefixes. */
export type SizeRule =
  | 'b' | 'w' | 'd' | 'q'
  /** 16/32 by code size and 66, 64 with REX.W. */
  | 'v'
  /** As v, but never 64. */
  | 'z'
  /** 32, or 64 with REX.W; 66 does not matter. */
  | 'y'
  /** As v, but 64 is the default in 64-bit mode (66 gives 16). */
  | 'd64'
  /** As v, but always 64 in 64-bit mode. */
  | 'f64'
  /** 32, and 64 in 64-bit mode (MOV to and from control registers). */
  | 'm'

export type Width = '' | 'b' | 'w' | 'd' | 'q' | 'x' | 't' | 'v' | 'z' | 'y'
export type Addressing =
  | 'E' | 'G' | 'R' | 'Z' | 'M' | 'O' | 'I' | 'sI' | 'J' | 'Ap' | 'V' | 'W' | 'U' | 'P' | 'Q' | 'N' | 'S' | 'C' | 'D' | 'ST' | 'STi'
  | 'fixed-gpr' | 'CL' | 'DX' | '1' | 'fixed-sreg' | 'XMM0'

export interface OperandSpec {
  readonly addressing: Addressing
  /** Width as a register or immediate. */
  readonly width: Width
  /** Width as a memory operand. */
  readonly memoryWidth: Width
  /** Register number of fixed-gpr and fixed-sreg. */
  readonly register: number
}

export type Feature =
  | 'x87' | 'CMOV' | 'CX8' | 'CX16' | 'MMX' | 'SSE' | 'SSE2' | 'SSE3' | 'SSSE3' | 'SSE4.1' | 'SSE4.2' | 'POPCNT' | 'LZCNT' | 'BMI1' | 'MOVBE'
  | 'FXSR' | 'XSAVE' | 'XSAVEOPT' | 'XSAVEC' | 'XSAVES' | 'RDRAND' | 'RDSEED' | 'SMAP' | 'FSGSBASE' | 'CLFSH' | 'CLFLUSHOPT' | 'CLWB' | 'RDTSCP' | 'RDPID'
  | 'MONITOR' | 'SEP' | 'SYSCALL' | 'LAHF64' | 'MSR' | 'TSC' | 'INVPCID' | 'VMX' | 'SVM' | 'ADX' | 'PREFETCHW' | 'PTWRITE'

export const PREFIX_NONE = 1
export const PREFIX_66 = 2
export const PREFIX_F3 = 4
export const PREFIX_F2 = 8
export const PREFIX_ANY = 15

export const MAP_PREFIXES: readonly string[] = ['', '0F', '0F38', '0F3A']

export interface Row {
  /** Stable name of the row's test: operation and encoding. */
  readonly id: string
  /** The row as written. */
  readonly encoding: string
  readonly operation: string
  /** Condition code, or which of several behaviours. */
  readonly variant: number
  readonly map: 0 | 1 | 2 | 3
  readonly opcode: number
  /** PREFIX_* bits: under which mandatory prefix the row applies. */
  readonly prefixes: number
  /** The low three bits of the opcode are a register. */
  readonly registerInOpcode: boolean
  readonly hasModrm: boolean
  readonly digit: number | undefined
  readonly mod: 'any' | 'memory' | 'register'
  /** The r/m field must be this (x87 and 0F 01 encodings without operands). */
  readonly rm: number | undefined
  readonly modes: 'all' | 'legacy' | 'long'
  /** The row does not apply with REX.B (NOP and PAUSE against XCHG R8). */
  readonly noRexB: boolean
  /** Applies only with / without REX.W (CMPXCHG16B against CMPXCHG8B). */
  readonly rexW: boolean | undefined
  readonly operands: readonly OperandSpec[]
  readonly operandText: string
  readonly size: SizeRule
  readonly feature: Feature | undefined
}

export interface RowOptions {
  readonly size?: SizeRule
  readonly modes?: 'legacy' | 'long'
  readonly variant?: number
  readonly feature?: Feature
  readonly noRexB?: true
  readonly rexW?: boolean
}

const FIXED_GPRS: Readonly<Record<string, readonly [register: number, width: Width]>> = { AL: [0, 'b'], rAX: [0, 'v'], AX: [0, 'w'] }
const FIXED_SREGS: readonly string[] = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS']

const parseOperand = (text: string): OperandSpec => {
  const fixed = FIXED_GPRS[text]
  if (fixed) return { addressing: 'fixed-gpr', width: fixed[1], memoryWidth: '', register: fixed[0] }
  const sreg = FIXED_SREGS.indexOf(text)
  if (sreg >= 0) return { addressing: 'fixed-sreg', width: 'w', memoryWidth: '', register: sreg }
  const plain = { register: 0, width: '' as Width, memoryWidth: '' as Width }
  switch (text) {
    case 'CL': return { ...plain, addressing: 'CL', width: 'b' }
    case 'DX': return { ...plain, addressing: 'DX', width: 'w' }
    case 'ST': case 'STi': case 'Ap': case '1': case 'XMM0': return { ...plain, addressing: text }
  }
  const match = /^(sI|[EGRZMOIJVWUPQNSCD])([bwdqxtvzy]?)([bwdqxt]?)$/.exec(text)
  if (!match) throw new Error(`instruction table: bad operand '${text}'`)
  const width = match[2] as Width
  return { addressing: match[1] as Addressing, width, memoryWidth: (match[3] || width) as Width, register: 0 }
}

const impliedSize = (operands: readonly OperandSpec[]): SizeRule => {
  for (const width of ['v', 'z', 'y'] as const) {
    if (operands.some((operand) => operand.width === width && operand.addressing !== 'J')) return width
  }
  for (const operand of operands) {
    if (!'EGRZMOI'.includes(operand.addressing) && operand.addressing !== 'fixed-gpr') continue
    if (operand.width === 'b' || operand.width === 'w' || operand.width === 'd' || operand.width === 'q') return operand.width
    return 'd'
  }
  return 'd'
}

const TABLE_TOKENS: Readonly<Record<string, number>> = { NP: PREFIX_NONE, NFx: PREFIX_NONE | PREFIX_66, '66': PREFIX_66, F3: PREFIX_F3, F2: PREFIX_F2 }
const CONDITION_CODES = 16

/** One encoding; with '+cc' the sixteen of a condition-code family. */
export const row = (operation: string, encoding: string, operands = '', options: RowOptions = {}): readonly Row[] => {
  const tokens = encoding.split(' ')
  let prefixes = PREFIX_ANY
  let map: 0 | 1 | 2 | 3 = 0
  let opcode = -1
  let registerInOpcode = false
  let conditional = false
  let digit: number | undefined
  let mod: Row['mod'] = 'any'
  let rm: number | undefined
  let literalModrm = false
  tokens.forEach((token, index) => {
    const more = /^[0-9A-F]{2}/.test(tokens[index + 1] ?? '') || (tokens[index + 1] ?? '').startsWith('0F')
    const prefix = TABLE_TOKENS[token]
    if (opcode < 0 && map === 0 && index === 0 && prefix !== undefined && more) prefixes = prefix
    else if (opcode < 0 && map === 0 && token === '0F' && more) map = 1
    else if (token === '0F38') map = 2
    else if (token === '0F3A') map = 3
    else if (token === 'mem') mod = 'memory'
    else if (token === 'reg') mod = 'register'
    else if (token.startsWith('/')) digit = Number(token[1])
    else {
      const match = /^([0-9A-F]{2})(\+r|\+cc|\+i)?$/.exec(token)
      if (!match) throw new Error(`instruction table: bad encoding '${encoding}'`)
      const byte = parseInt(match[1] as string, 16)
      if (opcode < 0) {
        opcode = byte
        registerInOpcode = match[2] === '+r'
        conditional = match[2] === '+cc'
      } else {
        literalModrm = true
        mod = 'register'
        digit = (byte >> 3) & 7
        if (match[2] !== '+i') rm = byte & 7
      }
    }
  })
  const specs = operands === '' ? [] : operands.split(',').map(parseOperand)
  const hasModrm = literalModrm || digit !== undefined || mod !== 'any' || specs.some((spec) => 'EGRMVWUPQNSCD'.includes(spec.addressing) || spec.addressing === 'STi')
  if (specs.some((spec) => spec.addressing === 'M') && mod === 'any') mod = 'memory'
  if (specs.some((spec) => 'RUN'.includes(spec.addressing)) && mod === 'any') mod = 'register'
  const base = {
    operation, map, prefixes, registerInOpcode, hasModrm, digit, mod, rm,
    modes: options.modes ?? 'all',
    noRexB: options.noRexB ?? false,
    rexW: options.rexW,
    operands: specs,
    operandText: operands,
    size: options.size ?? impliedSize(specs),
    feature: options.feature,
  } as const
  const tag = options.modes ? ` ${options.modes}` : ''
  if (!conditional) return [{ ...base, id: `${operation} ${encoding}${tag}`, encoding, opcode, variant: options.variant ?? 0 }]
  return Array.from({ length: CONDITION_CODES }, (_, cc) => ({ ...base, id: `${operation} ${encoding} ${cc}${tag}`, encoding, opcode: opcode + cc, variant: cc }))
}
