/** What a file was recognised as, in Chinese. */
export const media = {
  detected: '已检测到 {system}。',
  unknownSystem: '无法检测此光盘中的操作系统。',
  kernel: 'Linux 内核 {version}，{bits} 位。',
  firmware: '{system} 固件。',
  vm: '虚拟机 {name}。',
  kinds: { iso: '光盘映像。', disk: '磁盘映像。', 'linux-kernel': 'Linux 内核。', initrd: '初始内存盘。', 'multiboot-kernel': 'Multiboot 或 PVH 内核。', firmware: '固件映像。', vm: '虚拟机。', unknown: '无法检测此文件的类型。' },
  misfit: '这似乎不是此处所需的文件类型。',
  why: '依据',
  warnings: {
    'uefi-only': '它只能通过 UEFI 引导，而内置固件是 BIOS：将无法启动。', 'not-bootable': '其中没有找到可引导的内容。', 'not-x86': '它适用于其他类型的处理器：将无法启动。',
    damaged: '文件已损坏或不完整。', 'other-format': '无法使用此格式的磁盘映像：请将其转换为原始映像。',
  },
  signs: {
    'volume-label': '卷标：', 'disk-info': '自述信息：', 'tree-info': '目录树信息：', file: '包含文件：', 'boot-catalogue': '引导目录：', 'kernel-version': '内核：', 'boot-protocol': '引导协议：', 'partition-table': '分区表：',
    'boot-sector': '引导扇区：', format: '格式：', 'reset-vector': '复位向量：', 'vm-json': '包含文件：', 'file-name': '根据文件名：',
  },
}
