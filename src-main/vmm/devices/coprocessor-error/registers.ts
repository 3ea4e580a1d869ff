/** Coprocessor error register (82371SB PIIX3 data sheet 290550, 2.5.8 "COPROCESSOR ERROR REGISTER"). Write-only. */
export const PORT_COPROCESSOR_ERROR = 0xf0
