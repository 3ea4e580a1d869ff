/** Console device. OASIS VIRTIO 1.2, 5.3. */

export const F_SIZE: bigint = 1n << 0n
export const F_MULTIPORT: bigint = 1n << 1n
export const F_EMERG_WRITE: bigint = 1n << 2n

/** 5.3.4 */
export const CONFIG_BYTES = 12
export const CFG_COLUMNS = 0
export const CFG_ROWS = 2
export const CFG_MAX_PORTS = 4
export const CFG_EMERGENCY_WRITE = 8

/** Queues of port 0, of control messages, and of the ports from 1 on (5.3.2). */
export const QUEUE_RECEIVE_0 = 0
export const QUEUE_TRANSMIT_0 = 1
export const QUEUE_CONTROL_RECEIVE = 2
export const QUEUE_CONTROL_TRANSMIT = 3

export const receiveQueue = (port: number): number => (port === 0 ? QUEUE_RECEIVE_0 : 2 + 2 * port)
export const transmitQueue = (port: number): number => receiveQueue(port) + 1

/** Control messages: port (32 bits), event, value (5.3.6.2). */
export const CONTROL_BYTES = 8
export const DEVICE_READY = 0
export const PORT_ADD = 1
export const PORT_READY = 3
export const CONSOLE_PORT = 4
export const RESIZE = 5
export const PORT_OPEN = 6
export const PORT_NAME = 7
