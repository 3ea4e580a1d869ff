export * from './derived'
export * from './load'
export * from './stack'
