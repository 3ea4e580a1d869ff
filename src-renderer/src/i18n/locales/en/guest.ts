/** Guest operating systems. Names of products are not translated. */
export const guest = {
  families: { linux: 'Linux', windows: 'Microsoft Windows', dos: 'DOS', bsd: 'BSD', other: 'Other' },
  otherLinux: 'Other Linux',
  otherWindows: 'Other Windows',
  otherBsd: 'Other BSD',
  other: 'Other',
  withBits: '{name} {bits}-bit',
}
