/** SCSI host device. OASIS VIRTIO 1.2, 5.6. */

export const F_HOTPLUG: bigint = 1n << 1n
export const F_CHANGE: bigint = 1n << 2n

export const CONTROL_QUEUE = 0
export const EVENT_QUEUE = 1
export const FIRST_REQUEST_QUEUE = 2

/** Configuration (5.6.4). */
export const CONFIG_BYTES = 36
export const CFG_NUM_QUEUES = 0
export const CFG_SEG_MAX = 4
export const CFG_MAX_SECTORS = 8
export const CFG_CMD_PER_LUN = 12
export const CFG_EVENT_INFO_SIZE = 16
export const CFG_SENSE_SIZE = 20
export const CFG_CDB_SIZE = 24
export const CFG_MAX_TARGET = 30

/** Request (5.6.6.1): LUN, ID, attribute, priority, CRN; the CDB; data. Response: these 12 bytes; the sense; data. */
export const REQUEST_BYTES = 19
export const RESPONSE_BYTES = 12
export const DEFAULT_CDB_BYTES = 32
export const DEFAULT_SENSE_BYTES = 96

export const S_OK = 0
export const S_OVERRUN = 1
export const S_BAD_TARGET = 3
export const S_FUNCTION_SUCCEEDED = 10
export const S_FUNCTION_REJECTED = 11
export const S_INCORRECT_LUN = 12

/** SAM-4 5.3.1. */
export const GOOD = 0
export const CHECK_CONDITION = 2

/** Control queue (5.6.6.2). */
export const T_TMF = 0
export const T_AN_QUERY = 1
export const T_AN_SUBSCRIBE = 2
export const TMF_BYTES = 24
export const AN_BYTES = 16
export const TMF_QUERY_TASK = 6
export const TMF_QUERY_TASK_SET = 7

/** Event queue (5.6.6.3). */
export const EVENT_BYTES = 16
export const EVENTS_MISSED = 0x80000000
export const T_TRANSPORT_RESET = 1
export const RESET_RESCAN = 1
export const RESET_REMOVED = 2
export const T_PARAM_CHANGE = 3
/** Additional sense code, qualifier in the next byte: a medium may have changed; capacity data have changed (SPC-4, annex D). */
export const MEDIUM_CHANGED = 0x28
export const CAPACITY_CHANGED = 0x092a
