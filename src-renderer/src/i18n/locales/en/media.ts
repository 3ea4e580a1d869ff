/** What a file was recognised as. */
export const media = {
  detected: '{system} detected.',
  unknownSystem: 'It could not be detected which operating system is on this disc.',
  kernel: 'Linux kernel {version}, {bits}-bit.',
  firmware: '{system} firmware.',
  vm: 'The virtual machine {name}.',
  kinds: { iso: 'Disc image.', disk: 'Disk image.', 'linux-kernel': 'Linux kernel.', initrd: 'Initial RAM disk.', 'multiboot-kernel': 'Multiboot or PVH kernel.', firmware: 'Firmware image.', vm: 'Virtual machine.', unknown: 'It could not be detected what this file is.' },
  misfit: 'This does not look like the kind of file that is expected here.',
  why: 'Why?',
  warnings: {
    'uefi-only': 'It boots by UEFI only, and the built-in firmware is a BIOS: it will not start.', 'not-bootable': 'Nothing to boot was found on it.', 'not-x86': 'It is for another kind of processor: it will not start.',
    damaged: 'The file is damaged or incomplete.', 'other-format': 'Disk images of this format cannot be used: convert it to a raw image.',
  },
  signs: {
    'volume-label': 'Volume label:', 'disk-info': 'It calls itself:', 'tree-info': 'Tree information:', file: 'It has the file:', 'boot-catalogue': 'Boot catalogue for:', 'kernel-version': 'Kernel:', 'boot-protocol': 'Boot protocol:', 'partition-table': 'Partition table:',
    'boot-sector': 'Boot sector:', format: 'Format:', 'reset-vector': 'Reset vector:', 'vm-json': 'It has the file:', 'file-name': 'By its file name:',
  },
}
