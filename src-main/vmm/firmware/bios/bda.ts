/** The BIOS data area, 0040:0000. IBM Personal System/2 and Personal Computer BIOS Interface Technical Reference, section 3. */
export const BDA_COM_PORTS = 0x400
export const BDA_LPT_PORTS = 0x408
export const BDA_EBDA_SEGMENT = 0x40e
export const BDA_EQUIPMENT = 0x410
export const BDA_BASE_MEMORY_KIB = 0x413
export const BDA_SHIFT_FLAGS = 0x417
export const BDA_SHIFT_FLAGS_2 = 0x418
export const BDA_ALT_NUMPAD = 0x419
export const BDA_KEY_HEAD = 0x41a
export const BDA_KEY_TAIL = 0x41c
export const BDA_KEY_BUFFER = 0x41e
export const BDA_FLOPPY_STATUS = 0x441
export const BDA_VIDEO_MODE = 0x449
export const BDA_VIDEO_COLUMNS = 0x44a
export const BDA_VIDEO_PAGE_BYTES = 0x44c
export const BDA_VIDEO_PAGE_OFFSET = 0x44e
export const BDA_CURSOR_POSITIONS = 0x450
export const BDA_CURSOR_TYPE = 0x460
export const BDA_VIDEO_PAGE = 0x462
export const BDA_CRTC_PORT = 0x463
export const BDA_VIDEO_MODE_CONTROL = 0x465
export const BDA_VIDEO_PALETTE = 0x466
/** Where to go after a reset with CMOS shutdown code 5 or 0Ah. */
export const BDA_RESET_VECTOR = 0x467
export const BDA_TICKS = 0x46c
export const BDA_MIDNIGHT = 0x470
export const BDA_BREAK = 0x471
export const BDA_RESET_FLAG = 0x472
export const BDA_DISK_STATUS = 0x474
export const BDA_DISK_COUNT = 0x475
export const BDA_LPT_TIMEOUTS = 0x478
export const BDA_COM_TIMEOUTS = 0x47c
export const BDA_KEY_BUFFER_START = 0x480
export const BDA_KEY_BUFFER_END = 0x482
export const BDA_VIDEO_ROWS = 0x484
export const BDA_CHARACTER_HEIGHT = 0x485
export const BDA_VIDEO_CONTROL = 0x487
export const BDA_VIDEO_SWITCHES = 0x488
export const BDA_VIDEO_FLAGS = 0x489
export const BDA_VIDEO_COMBINATION = 0x48a
/** Flags of the wait of INT 15h AH=83h: pointer, count in microseconds, active. */
export const BDA_WAIT_POINTER = 0x498
export const BDA_WAIT_COUNT = 0x49c
export const BDA_WAIT_ACTIVE = 0x4a0
export const BDA_KEYBOARD_FLAGS_3 = 0x496
export const BDA_KEYBOARD_FLAGS_4 = 0x497
export const BDA_VIDEO_SAVE_POINTER = 0x4a8
/** Ours, in the reserved part: the VBE mode that is set (0: a VGA mode). */
export const BDA_VBE_MODE = 0x4ba

/** The extended BIOS data area: the last KiB below 640 KiB. */
export const EBDA_SEGMENT = 0x9fc0
export const EBDA_ADDRESS = 0x9fc00
/** Within it: fixed disk parameter tables, and the RSDP in case the ROM area cannot take it. */
export const EBDA_DISK_TABLE_0 = 0x9fc3d
export const EBDA_DISK_TABLE_1 = 0x9fc4d
export const EBDA_RSDP = 0x9fd00
