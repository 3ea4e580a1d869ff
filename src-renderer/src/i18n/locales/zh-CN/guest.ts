/** Guest operating systems, in Chinese. */
export const guest = {
  families: { linux: 'Linux', windows: 'Microsoft Windows', dos: 'DOS', bsd: 'BSD', other: '其他' },
  otherLinux: '其他 Linux',
  otherWindows: '其他 Windows',
  otherBsd: '其他 BSD',
  other: '其他',
  withBits: '{name} {bits} 位',
}
