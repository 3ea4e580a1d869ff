/** QEMU's isa-debug-exit (docs/specs, hw/misc/debugexit): 4 ports, any width; the exit status is (value << 1) | 1. */
export const PORT_DEBUG_EXIT = 0xf4
export const DEBUG_EXIT_PORTS = 4
