export interface Port92StateV1 {
  readonly schema: readonly ['port-92', 1]
  readonly value: number
}
