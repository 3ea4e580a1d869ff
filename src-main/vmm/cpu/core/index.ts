export * from './integer/wide'
export * from './integer/string'
