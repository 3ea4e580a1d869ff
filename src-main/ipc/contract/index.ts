/** The contract between the main process and the window. Imports nothing but zod. */
export * from './channels'
export * from './bridge'
export * from './errors'
export * from './events'
export * from './regions'
export * from './requests'
export * from './state'
export * from './streams'
