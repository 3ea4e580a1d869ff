/** SSE3, SSSE3, SSE4.1 and SSE4.2 (CRC32 and POPCNT are with the integer rows). */
import { row, type Row } from '../row'

const SSE3 = { feature: 'SSE3' } as const
const SSE41 = { feature: 'SSE4.1' } as const
const SSE42 = { feature: 'SSE4.2' } as const

/** 0F 38: MMX and XMM forms. */
const SSSE3_BINARY: Readonly<Record<string, string>> = {
  pshufb: '00', phaddw: '01', phaddd: '02', phaddsw: '03', pmaddubsw: '04', phsubw: '05', phsubd: '06', phsubsw: '07',
  psignb: '08', psignw: '09', psignd: '0A', pmulhrsw: '0B', pabsb: '1C', pabsw: '1D', pabsd: '1E',
}

/** 66 0F 38, XMM only. */
const SSE41_BINARY: Readonly<Record<string, string>> = {
  ptest: '17', pmuldq: '28', pcmpeqq: '29', packusdw: '2B', pminsb: '38', pminsd: '39', pminuw: '3A', pminud: '3B',
  pmaxsb: '3C', pmaxsd: '3D', pmaxuw: '3E', pmaxud: '3F', pmulld: '40', phminposuw: '41',
}

/** Widening moves: suffix, low opcode digit, memory width. */
const WIDENING: readonly (readonly [suffix: string, digit: number, memory: string])[] = [
  ['bw', 0, 'q'], ['bd', 1, 'd'], ['bq', 2, 'w'], ['wd', 3, 'q'], ['wq', 4, 'd'], ['dq', 5, 'q'],
]

export const SSE4_ROWS: readonly Row[] = [
  ...row('movddup', 'F2 0F 12', 'Vx,Wq', SSE3),
  ...row('movsldup', 'F3 0F 12', 'Vx,Wx', SSE3),
  ...row('movshdup', 'F3 0F 16', 'Vx,Wx', SSE3),
  ...row('haddpd', '66 0F 7C', 'Vx,Wx', SSE3),
  ...row('haddps', 'F2 0F 7C', 'Vx,Wx', SSE3),
  ...row('hsubpd', '66 0F 7D', 'Vx,Wx', SSE3),
  ...row('hsubps', 'F2 0F 7D', 'Vx,Wx', SSE3),
  ...row('addsubpd', '66 0F D0', 'Vx,Wx', SSE3),
  ...row('addsubps', 'F2 0F D0', 'Vx,Wx', SSE3),
  ...row('lddqu', 'F2 0F F0 mem', 'Vx,Mx', SSE3),

  ...Object.entries(SSSE3_BINARY).flatMap(([operation, opcode]) => [
    ...row(operation, `NP 0F38 ${opcode}`, 'Pq,Qq', { feature: 'SSSE3' }),
    ...row(operation, `66 0F38 ${opcode}`, 'Vx,Wx', { feature: 'SSSE3' }),
  ]),
  ...row('palignr', 'NP 0F3A 0F', 'Pq,Qq,Ib', { feature: 'SSSE3' }),
  ...row('palignr', '66 0F3A 0F', 'Vx,Wx,Ib', { feature: 'SSSE3' }),

  ...Object.entries(SSE41_BINARY).flatMap(([operation, opcode]) => row(operation, `66 0F38 ${opcode}`, 'Vx,Wx', SSE41)),
  ...WIDENING.flatMap(([suffix, digit, memory]) => [
    ...row(`pmovsx${suffix}`, `66 0F38 2${digit}`, `Vx,Wx${memory}`, SSE41),
    ...row(`pmovzx${suffix}`, `66 0F38 3${digit}`, `Vx,Wx${memory}`, SSE41),
  ]),
  ...row('pblendvb', '66 0F38 10', 'Vx,Wx,XMM0', SSE41),
  ...row('blendvps', '66 0F38 14', 'Vx,Wx,XMM0', SSE41),
  ...row('blendvpd', '66 0F38 15', 'Vx,Wx,XMM0', SSE41),
  ...row('movntdqa', '66 0F38 2A mem', 'Vx,Mx', SSE41),
  ...row('roundps', '66 0F3A 08', 'Vx,Wx,Ib', SSE41),
  ...row('roundpd', '66 0F3A 09', 'Vx,Wx,Ib', SSE41),
  ...row('roundss', '66 0F3A 0A', 'Vd,Wd,Ib', SSE41),
  ...row('roundsd', '66 0F3A 0B', 'Vq,Wq,Ib', SSE41),
  ...row('blendps', '66 0F3A 0C', 'Vx,Wx,Ib', SSE41),
  ...row('blendpd', '66 0F3A 0D', 'Vx,Wx,Ib', SSE41),
  ...row('pblendw', '66 0F3A 0E', 'Vx,Wx,Ib', SSE41),
  ...row('pextrb', '66 0F3A 14', 'Edb,Vx,Ib', SSE41),
  ...row('pextrw', '66 0F3A 15', 'Edw,Vx,Ib', SSE41),
  ...row('pextrd', '66 0F3A 16', 'Ey,Vx,Ib', SSE41),
  ...row('extractps', '66 0F3A 17', 'Ed,Vx,Ib', SSE41),
  ...row('pinsrb', '66 0F3A 20', 'Vx,Edb,Ib', SSE41),
  ...row('insertps', '66 0F3A 21', 'Vx,Wxd,Ib', SSE41),
  ...row('pinsrd', '66 0F3A 22', 'Vx,Ey,Ib', SSE41),
  ...row('dpps', '66 0F3A 40', 'Vx,Wx,Ib', SSE41),
  ...row('dppd', '66 0F3A 41', 'Vx,Wx,Ib', SSE41),
  ...row('mpsadbw', '66 0F3A 42', 'Vx,Wx,Ib', SSE41),

  ...row('pcmpgtq', '66 0F38 37', 'Vx,Wx', SSE42),
  ...row('pcmpestrm', '66 0F3A 60', 'Vx,Wx,Ib', { feature: 'SSE4.2', size: 'y' }),
  ...row('pcmpestri', '66 0F3A 61', 'Vx,Wx,Ib', { feature: 'SSE4.2', size: 'y' }),
  ...row('pcmpistrm', '66 0F3A 62', 'Vx,Wx,Ib', SSE42),
  ...row('pcmpistri', '66 0F3A 63', 'Vx,Wx,Ib', SSE42),
]
