export * from './switch'
export * from './io-permission'
