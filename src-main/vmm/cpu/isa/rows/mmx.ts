/** MMX integer operations, each also with XMM operands under 66 (SSE2). Operations share their name; the operand kinds tell them apart. */
import { row, type Row } from '../row'

/** `0F opcode`: Pq,Qq (MMX) and Vx,Wx (SSE2). */
const BINARY: Readonly<Record<string, string>> = {
  packsswb: '63', packuswb: '67', packssdw: '6B',
  pcmpgtb: '64', pcmpgtw: '65', pcmpgtd: '66', pcmpeqb: '74', pcmpeqw: '75', pcmpeqd: '76',
  punpckhbw: '68', punpckhwd: '69', punpckhdq: '6A',
  psrlw: 'D1', psrld: 'D2', psrlq: 'D3', psraw: 'E1', psrad: 'E2', psllw: 'F1', pslld: 'F2', psllq: 'F3',
  pmullw: 'D5', pmulhw: 'E5', pmaddwd: 'F5',
  psubusb: 'D8', psubusw: 'D9', paddusb: 'DC', paddusw: 'DD', psubsb: 'E8', psubsw: 'E9', paddsb: 'EC', paddsw: 'ED',
  pand: 'DB', pandn: 'DF', por: 'EB', pxor: 'EF',
  psubb: 'F8', psubw: 'F9', psubd: 'FA', paddb: 'FC', paddw: 'FD', paddd: 'FE',
}

/** The MMX forms of these came with SSE. */
const BINARY_SSE: Readonly<Record<string, string>> = {
  pminub: 'DA', pmaxub: 'DE', pavgb: 'E0', pavgw: 'E3', pmulhuw: 'E4', pminsw: 'EA', pmaxsw: 'EE', psadbw: 'F6',
}

/** The MMX forms of these came with SSE2. */
const BINARY_SSE2: Readonly<Record<string, string>> = { paddq: 'D4', pmuludq: 'F4', psubq: 'FB' }

const SHIFTS_BY_IMMEDIATE: readonly (readonly [operation: string, opcode: string, digit: number])[] = [
  ['psrlw', '71', 2], ['psraw', '71', 4], ['psllw', '71', 6],
  ['psrld', '72', 2], ['psrad', '72', 4], ['pslld', '72', 6],
  ['psrlq', '73', 2], ['psllq', '73', 6],
]

export const MMX_ROWS: readonly Row[] = [
  ...Object.entries(BINARY).flatMap(([operation, opcode]) => [
    ...row(operation, `NP 0F ${opcode}`, 'Pq,Qq', { feature: 'MMX' }),
    ...row(operation, `66 0F ${opcode}`, 'Vx,Wx', { feature: 'SSE2' }),
  ]),
  ...Object.entries(BINARY_SSE).flatMap(([operation, opcode]) => [
    ...row(operation, `NP 0F ${opcode}`, 'Pq,Qq', { feature: 'SSE' }),
    ...row(operation, `66 0F ${opcode}`, 'Vx,Wx', { feature: 'SSE2' }),
  ]),
  ...Object.entries(BINARY_SSE2).flatMap(([operation, opcode]) => [
    ...row(operation, `NP 0F ${opcode}`, 'Pq,Qq', { feature: 'SSE2' }),
    ...row(operation, `66 0F ${opcode}`, 'Vx,Wx', { feature: 'SSE2' }),
  ]),
  // the low unpacks read only 32 bits of an MMX memory operand
  ...(['punpcklbw', 'punpcklwd', 'punpckldq'] as const).flatMap((operation, i) => [
    ...row(operation, `NP 0F 6${i}`, 'Pq,Qqd', { feature: 'MMX' }),
    ...row(operation, `66 0F 6${i}`, 'Vx,Wx', { feature: 'SSE2' }),
  ]),
  ...SHIFTS_BY_IMMEDIATE.flatMap(([operation, opcode, digit]) => [
    ...row(operation, `NP 0F ${opcode} /${digit} reg`, 'Nq,Ib', { feature: 'MMX' }),
    ...row(operation, `66 0F ${opcode} /${digit} reg`, 'Ux,Ib', { feature: 'SSE2' }),
  ]),
  ...row('movd', 'NP 0F 6E', 'Pq,Ey', { feature: 'MMX' }),
  ...row('movd', 'NP 0F 7E', 'Ey,Pq', { feature: 'MMX' }),
  ...row('movq', 'NP 0F 6F', 'Pq,Qq', { feature: 'MMX' }),
  ...row('movq', 'NP 0F 7F', 'Qq,Pq', { feature: 'MMX' }),
  ...row('emms', 'NP 0F 77', '', { feature: 'MMX' }),
  ...row('pshufw', 'NP 0F 70', 'Pq,Qq,Ib', { feature: 'SSE' }),
  ...row('pinsrw', 'NP 0F C4', 'Pq,Edw,Ib', { feature: 'SSE' }),
  ...row('pextrw', 'NP 0F C5', 'Gd,Nq,Ib', { feature: 'SSE' }),
  ...row('pmovmskb', 'NP 0F D7', 'Gd,Nq', { feature: 'SSE' }),
  ...row('movntq', 'NP 0F E7', 'Mq,Pq', { feature: 'SSE' }),
  ...row('maskmovq', 'NP 0F F7', 'Pq,Nq', { feature: 'SSE' }),
]
