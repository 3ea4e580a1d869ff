/** Offsets and bits of the type 00h configuration header. PCI Local Bus Specification 3.0, chapter 6. */

export const CONFIG_BYTES = 256
export const CFG_VENDOR_ID = 0x00
export const CFG_DEVICE_ID = 0x02
export const CFG_COMMAND = 0x04
export const CFG_STATUS = 0x06
export const CFG_REVISION = 0x08
export const CFG_CLASS = 0x09
export const CFG_CACHE_LINE = 0x0c
export const CFG_LATENCY = 0x0d
export const CFG_HEADER_TYPE = 0x0e
export const CFG_BAR0 = 0x10
export const CFG_SUBSYSTEM_VENDOR = 0x2c
export const CFG_SUBSYSTEM_ID = 0x2e
export const CFG_ROM = 0x30
export const CFG_CAPABILITIES = 0x34
export const CFG_INTERRUPT_LINE = 0x3c
export const CFG_INTERRUPT_PIN = 0x3d
export const CFG_DEVICE_SPECIFIC = 0x40

export const COMMAND_IO = 0x0001
export const COMMAND_MEMORY = 0x0002
export const COMMAND_MASTER = 0x0004
export const COMMAND_PARITY = 0x0040
export const COMMAND_SERR = 0x0100
export const COMMAND_INTX_DISABLE = 0x0400
export const COMMAND_WRITABLE: number = COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_PARITY | COMMAND_SERR | COMMAND_INTX_DISABLE

export const STATUS_INTERRUPT = 0x0008
export const STATUS_CAPABILITIES = 0x0010
/** Fast back-to-back capable, medium DEVSEL timing: what the 440FX generation reports. */
export const STATUS_INITIAL = 0x0280

export const HEADER_MULTIFUNCTION = 0x80

export const BAR_IO = 0x1
export const BAR_PREFETCHABLE = 0x8
export const ROM_ENABLE = 0x1

/** Layout of CONFIG_ADDRESS (3.2.2.3.2): bit 31 enable, 23..16 bus, 15..11 device, 10..8 function, 7..2 register. */
export const CONFIG_ENABLE = 0x80000000
export const PORT_CONFIG_ADDRESS = 0xcf8
export const PORT_CONFIG_DATA = 0xcfc
export const PORT_RESET_CONTROL = 0xcf9
