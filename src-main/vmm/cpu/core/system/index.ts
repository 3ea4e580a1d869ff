export * from './flags'
export * from './control-registers'
