/** Bytes moved by one access. Wider guest accesses are split by the CPU core before they reach a bus. */
export type Width = 1 | 2 | 4
