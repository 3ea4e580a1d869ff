/** x87. Two-operand arithmetic names its destination (ST(0) or ST(i)) first; comparisons name only what ST(0) is compared with. */
import { row as plainRow, type Row, type RowOptions } from '../row'

const row = (operation: string, encoding: string, operands: string = '', options: RowOptions = {}): readonly Row[] =>
  plainRow(operation, encoding, operands, { feature: 'x87', ...options })

/** `digit` in D8/DC/DE memory forms and D8 register form; `toDigit` in the forms that write ST(i), where the SDM swaps SUB and SUBR, DIV and DIVR. */
const arithmetic = (name: string, digit: number, toDigit: number): readonly Row[] => [
  ...row(`f${name}`, `D8 /${digit} mem`, 'ST,Md'),
  ...row(`f${name}`, `D8 /${digit} reg`, 'ST,STi'),
  ...row(`f${name}`, `DC /${digit} mem`, 'ST,Mq'),
  ...row(`f${name}`, `DC /${toDigit} reg`, 'STi,ST'),
  ...row(`f${name}p`, `DE /${toDigit} reg`, 'STi,ST'),
  ...row(`fi${name}`, `DA /${digit} mem`, 'ST,Md'),
  ...row(`fi${name}`, `DE /${digit} mem`, 'ST,Mw'),
]

const CONDITIONAL_MOVES: readonly (readonly [encoding: string, condition: number])[] = [
  ['DA /0 reg', 2], ['DA /1 reg', 4], ['DA /2 reg', 6], ['DA /3 reg', 10], ['DB /0 reg', 3], ['DB /1 reg', 5], ['DB /2 reg', 7], ['DB /3 reg', 11],
]

const WITHOUT_OPERANDS: readonly (readonly [encoding: string, operation: string])[] = [
  ['D9 D0', 'fnop'], ['D9 E0', 'fchs'], ['D9 E1', 'fabs'], ['D9 E4', 'ftst'], ['D9 E5', 'fxam'],
  ['D9 E8', 'fld1'], ['D9 E9', 'fldl2t'], ['D9 EA', 'fldl2e'], ['D9 EB', 'fldpi'], ['D9 EC', 'fldlg2'], ['D9 ED', 'fldln2'], ['D9 EE', 'fldz'],
  ['D9 F0', 'f2xm1'], ['D9 F1', 'fyl2x'], ['D9 F2', 'fptan'], ['D9 F3', 'fpatan'], ['D9 F4', 'fxtract'], ['D9 F5', 'fprem1'],
  ['D9 F6', 'fdecstp'], ['D9 F7', 'fincstp'], ['D9 F8', 'fprem'], ['D9 F9', 'fyl2xp1'], ['D9 FA', 'fsqrt'], ['D9 FB', 'fsincos'],
  ['D9 FC', 'frndint'], ['D9 FD', 'fscale'], ['D9 FE', 'fsin'], ['D9 FF', 'fcos'],
  ['DA E9', 'fucompp'], ['DE D9', 'fcompp'], ['DB E2', 'fnclex'], ['DB E3', 'fninit'],
]

export const X87_ROWS: readonly Row[] = [
  ...arithmetic('add', 0, 0),
  ...arithmetic('mul', 1, 1),
  ...arithmetic('sub', 4, 5),
  ...arithmetic('subr', 5, 4),
  ...arithmetic('div', 6, 7),
  ...arithmetic('divr', 7, 6),
  ...row('fcom', 'D8 /2 mem', 'Md'),
  ...row('fcom', 'D8 /2 reg', 'STi'),
  ...row('fcom', 'DC /2 mem', 'Mq'),
  ...row('fcom', 'DC /2 reg', 'STi'),
  ...row('fcomp', 'D8 /3 mem', 'Md'),
  ...row('fcomp', 'D8 /3 reg', 'STi'),
  ...row('fcomp', 'DC /3 mem', 'Mq'),
  ...row('fcomp', 'DC /3 reg', 'STi'),
  ...row('fcomp', 'DE /2 reg', 'STi'),
  ...row('ficom', 'DA /2 mem', 'Md'),
  ...row('ficomp', 'DA /3 mem', 'Md'),
  ...row('ficom', 'DE /2 mem', 'Mw'),
  ...row('ficomp', 'DE /3 mem', 'Mw'),
  ...row('fucom', 'DD /4 reg', 'STi'),
  ...row('fucomp', 'DD /5 reg', 'STi'),
  ...row('fucomi', 'DB /5 reg', 'STi', { feature: 'CMOV' }),
  ...row('fcomi', 'DB /6 reg', 'STi', { feature: 'CMOV' }),
  ...row('fucomip', 'DF /5 reg', 'STi', { feature: 'CMOV' }),
  ...row('fcomip', 'DF /6 reg', 'STi', { feature: 'CMOV' }),
  ...CONDITIONAL_MOVES.flatMap(([encoding, variant]) => row('fcmovcc', encoding, 'ST,STi', { variant, feature: 'CMOV' })),

  ...row('fld', 'D9 /0 mem', 'Md'),
  ...row('fld', 'DD /0 mem', 'Mq'),
  ...row('fld', 'DB /5 mem', 'Mt'),
  ...row('fld', 'D9 /0 reg', 'STi'),
  ...row('fst', 'D9 /2 mem', 'Md'),
  ...row('fst', 'DD /2 mem', 'Mq'),
  ...row('fst', 'DD /2 reg', 'STi'),
  ...row('fstp', 'D9 /3 mem', 'Md'),
  ...row('fstp', 'DD /3 mem', 'Mq'),
  ...row('fstp', 'DB /7 mem', 'Mt'),
  ...row('fstp', 'DD /3 reg', 'STi'),
  // FSTPNCE of AMD's manual: no check of the tags
  ...row('fstp', 'D9 /3 reg', 'STi', { variant: 1 }),
  ...row('fstp', 'DF /2 reg', 'STi'),
  ...row('fstp', 'DF /3 reg', 'STi'),
  ...row('fild', 'DF /0 mem', 'Mw'),
  ...row('fild', 'DB /0 mem', 'Md'),
  ...row('fild', 'DF /5 mem', 'Mq'),
  ...row('fist', 'DF /2 mem', 'Mw'),
  ...row('fist', 'DB /2 mem', 'Md'),
  ...row('fistp', 'DF /3 mem', 'Mw'),
  ...row('fistp', 'DB /3 mem', 'Md'),
  ...row('fistp', 'DF /7 mem', 'Mq'),
  ...row('fisttp', 'DF /1 mem', 'Mw', { feature: 'SSE3' }),
  ...row('fisttp', 'DB /1 mem', 'Md', { feature: 'SSE3' }),
  ...row('fisttp', 'DD /1 mem', 'Mq', { feature: 'SSE3' }),
  ...row('fbld', 'DF /4 mem', 'Mt'),
  ...row('fbstp', 'DF /6 mem', 'Mt'),
  ...row('fxch', 'D9 /1 reg', 'STi'),
  ...row('fxch', 'DD /1 reg', 'STi'),
  ...row('fxch', 'DF /1 reg', 'STi'),
  ...row('ffree', 'DD /0 reg', 'STi'),
  ...row('ffreep', 'DF /0 reg', 'STi'),

  ...row('fldenv', 'D9 /4 mem', 'M', { size: 'z' }),
  ...row('fldcw', 'D9 /5 mem', 'Mw'),
  ...row('fnstenv', 'D9 /6 mem', 'M', { size: 'z' }),
  ...row('fnstcw', 'D9 /7 mem', 'Mw'),
  ...row('frstor', 'DD /4 mem', 'M', { size: 'z' }),
  ...row('fnsave', 'DD /6 mem', 'M', { size: 'z' }),
  ...row('fnstsw', 'DD /7 mem', 'Mw'),
  ...row('fnstsw', 'DF E0', 'AX'),
  // FENI, FDISI and FSETPM of the 8087/80287 do nothing since the 387, and do not wait
  ...['DB E0', 'DB E1', 'DB E4'].flatMap((encoding) => row('fnop', encoding, '', { variant: 1 })),
  ...WITHOUT_OPERANDS.flatMap(([encoding, operation]) => row(operation, encoding)),
  ...row('fwait', '9B'),
]
