/** Network device. OASIS VIRTIO 1.2, 5.1. */

export const F_CSUM: bigint = 1n << 0n
export const F_GUEST_CSUM: bigint = 1n << 1n
export const F_MAC: bigint = 1n << 5n
export const F_GUEST_TSO4: bigint = 1n << 7n
export const F_GUEST_TSO6: bigint = 1n << 8n
export const F_GUEST_ECN: bigint = 1n << 9n
export const F_HOST_TSO4: bigint = 1n << 11n
export const F_HOST_TSO6: bigint = 1n << 12n
export const F_HOST_ECN: bigint = 1n << 13n
export const F_MRG_RXBUF: bigint = 1n << 15n
export const F_STATUS: bigint = 1n << 16n
export const F_CTRL_VQ: bigint = 1n << 17n
export const F_CTRL_RX: bigint = 1n << 18n

export const QUEUE_RECEIVE = 0
export const QUEUE_TRANSMIT = 1
export const QUEUE_CONTROL = 2

/** 5.1.4: MAC address, status. */
export const CONFIG_BYTES = 8
export const CFG_MAC = 0
export const CFG_STATUS = 6
export const STATUS_LINK_UP = 1

/** struct virtio_net_hdr: flags, GSO type, header length, GSO size, checksum start, checksum offset, number of buffers (5.1.6). */
export const HEADER_BYTES = 12
export const HDR_F_NEEDS_CSUM = 1
export const GSO_TCPV4 = 1
export const GSO_TCPV6 = 4
export const GSO_ECN = 0x80

/** Control commands: class, command, data; then a byte of acknowledgement (5.1.6.5). */
export const CTRL_RX = 0
export const CTRL_MAC = 1
export const CTRL_RX_PROMISC = 0
export const CTRL_RX_ALLMULTI = 1
export const CTRL_MAC_TABLE_SET = 0
export const CTRL_OK = 0
export const CTRL_ERR = 1
