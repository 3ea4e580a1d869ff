/**
 * VMware's interface for guests: CPUID leaves, and the backdoor, a port whose accesses are calls with their arguments in registers, for code of every
 * privilege level. Sources: "Mechanisms to determine if software is running in a VMware virtual machine" (knowledge base 1009458), the headers
 * backdoor_def.h and guest_msg_def.h of open-vm-tools, Ken Kato's "VMware Backdoor I/O Port".
 */
export const SIGNATURE = 'VMwareVMware'

// ---- the backdoor: EAX magic, EBX argument, CX command, DX port ---------------------------------------------------------------------------
export const PORT = 0x5658
/** The same for the data of messages: REP OUTSB and REP INSB. */
export const PORT_HIGH_BANDWIDTH = 0x5659
export const PORT_LAST = 0x565b
/** 'VMXh' */
export const MAGIC = 0x564d5868
/** EAX, for commands that there are not. */
export const UNKNOWN = 0xffffffff

export const CMD_GET_MHZ = 1
export const CMD_GET_VERSION = 10
export const CMD_GET_HARDWARE_VERSION = 17
export const CMD_GET_MEMORY_SIZE = 20
export const CMD_GET_TIME = 23
export const CMD_MESSAGE = 30
export const CMD_POINTER_DATA = 39
export const CMD_POINTER_STATUS = 40
export const CMD_POINTER_COMMAND = 41
export const CMD_GET_HZ = 45
export const CMD_GET_TIME_FULL = 46
export const CMD_GET_TIME_FULL_WITH_LAG = 47
export const VERSION = 6
export const PRODUCT_WORKSTATION = 4
export const HARDWARE_VERSION = 13

// ---- messages: the request's type in the high half of ECX, the channel's number in that of EDX, cookies in ESI and EDI --------------------
export const MESSAGE_OPEN = 0
export const MESSAGE_SEND_SIZE = 1
export const MESSAGE_SEND_PAYLOAD = 2
export const MESSAGE_RECEIVE_SIZE = 3
export const MESSAGE_RECEIVE_PAYLOAD = 4
export const MESSAGE_RECEIVE_STATUS = 5
export const MESSAGE_CLOSE = 6
export const STATUS_SUCCESS = 1
export const STATUS_DO_RECEIVE = 2
export const STATUS_HIGH_BANDWIDTH = 0x80
export const OPEN_WITH_COOKIE = 0x80000000
/** 'RPCI': the guest asks. 'TCLO': the host does. */
export const PROTOCOL_RPCI = 0x49435052
export const PROTOCOL_TCLO = 0x4f4c4354
export const MAX_CHANNELS = 8
export const MAX_MESSAGE_BYTES = 0x10000
/** BX of transfers through the second port. */
export const HIGH_BANDWIDTH_MESSAGE = 0

// ---- the pointer -----------------------------------------------------------------------------------------------------------------------------
export const POINTER_ENABLE = 0x45414552
export const POINTER_DISABLE = 0xf5
export const POINTER_RELATIVE = 0x4c455252
export const POINTER_ABSOLUTE = 0x53424152
/** The first word after the pointer was switched on. */
export const POINTER_VERSION = 0x3442554a
/** Status: the pointer is off. */
export const POINTER_ERROR = 0xffff0000
export const BUTTON_LEFT = 0x20
export const BUTTON_RIGHT = 0x10
export const BUTTON_MIDDLE = 8
export const FLAG_RELATIVE = 0x10000

// ---- SetGuestInfo ------------------------------------------------------------------------------------------------------------------------------
export const INFO_HOST_NAME = 1
export const INFO_IP_ADDRESS = 2
export const INFO_BUILD = 4
export const INFO_SYSTEM_FULL = 5
