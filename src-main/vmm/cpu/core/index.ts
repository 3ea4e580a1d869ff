export * from './integer/wide'
export * from './integer/string'
export * from './decode/index'
