/** Bochs and QEMU debug consoles; POST codes of a PC/AT BIOS. */

/** Bochs "port E9 hack": reads back E9h when present. */
export const PORT_E9 = 0xe9
/** SeaBIOS and OVMF debug output; reads back E9h as QEMU's isa-debugcon does. */
export const PORT_402 = 0x402
export const DEBUG_CONSOLE_PRESENT = 0xe9
/** Manufacturing diagnostics: the last code is kept. Operating systems also write here for a short delay. */
export const PORT_POST = 0x80
