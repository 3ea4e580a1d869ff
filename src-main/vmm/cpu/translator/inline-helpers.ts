/** Helpers of the core that a region may call between two instructions: they touch neither general registers nor flags, memory, mode or devices. */
import { fpuHelpers } from '../helpers/fpu'

/** Functions of their arguments. */
const PURE: ReadonlySet<string> = new Set(['sseReciprocal', 'sseReciprocalRoot', 'crc32c'])
/** These fill and empty the whole state, XMM registers included. */
const WHOLE_STATE: ReadonlySet<string> = new Set(['fpuStoreImage', 'fpuCheckImage', 'fpuLoadImage', 'fpuInitialize'])
const INTEGER: ReadonlySet<string> = new Set(['divide_wide_unsigned', 'divide_wide_signed'])
/** They look at control state, or clear IF. */
const SYSTEM: ReadonlySet<string> = new Set(['cli', 'read_cr', 'read_dr', 'smsw', 'xgetbv', 'privileged', 'check_protected'])

export const isPureHelper = (name: string): boolean => PURE.has(name)
export const isInlineHelper = (name: string): boolean => INTEGER.has(name) || SYSTEM.has(name) || (name in fpuHelpers && !WHOLE_STATE.has(name))
/** They look at the x87's state and change it, or its fault only leaves. */
export const isX87Helper = (name: string): boolean => name.startsWith('x87') && name !== 'x87Unavailable' && name !== 'x87WaitFault'
/** It sets FIP, FOP and FDP. */
export const setsPointers = (name: string): boolean => name === 'x87Init'
