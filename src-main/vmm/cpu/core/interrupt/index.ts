export * from './raise'
export * from './debug'
export * from './deliver'
export * from './external'
