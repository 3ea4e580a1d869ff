/**
 * Everything that can be wrong with a VM or the library, as one table: a code to act on, what is wrong and what to do about it, in English, with {placeholders}.
 * The window has the same ids in its catalogues (src-renderer/src/i18n/locales/<language>/problems.ts; a test compares them).
 */

export type ProblemCode =
  | 'name/bad'
  | 'name/not-found'
  | 'name/ambiguous'
  | 'vm/exists'
  | 'vm/copied'
  | 'vm/locked'
  | 'vm/suspended'
  | 'vm-json/missing'
  | 'vm-json/broken'
  | 'vm-json/newer'
  | 'folder/missing'
  | 'folder/read-only'
  | 'folder/not-a-vm'
  | 'file/missing'
  | 'file/unreadable'
  | 'file/disk-full'
  | 'hardware/impossible'
  | 'state/does-not-fit'
  | 'inventory/broken'
  | 'inventory/newer'
  | 'control/unreachable'
  | 'control/refused'
  | 'busy'
  | 'vm/not-on'
  | 'vm/refused'
  | 'preferences/broken'

export interface ProblemText {
  readonly code: ProblemCode
  /** One line: what is wrong, with which file or key. */
  readonly message: string
  /** One line: what to do. */
  readonly remedy: string
}

export const PROBLEM_TEXTS = {
  // ---- files and folders in general ---------------------------------------------------------------------------------------------------
  'file-missing': { code: 'file/missing', message: '{file} is not there', remedy: 'put it back, or remove the entry' },
  'disk-full': { code: 'file/disk-full', message: '{file} cannot be written: the disk is full', remedy: 'make room on it and try again' },
  'file-system-read-only': { code: 'folder/read-only', message: '{file} cannot be written: the file system is read-only', remedy: 'mount it writable, or copy the virtual machine to another place' },
  'permission-denied': { code: 'folder/read-only', message: '{file}: permission denied', remedy: 'change the permissions of the file and its folder, or copy the virtual machine to another place' },
  'file-trouble': { code: 'file/unreadable', message: '{file}: {detail}', remedy: 'check the file and the disk that it is on' },
  'folder-not-writable': { code: 'folder/read-only', message: 'the folder {file} cannot be written to', remedy: 'change its permissions, mount its disk writable, or copy the virtual machine to another place' },
  'folder-missing': { code: 'folder/missing', message: '{file} is not there', remedy: 'put the folder back or connect the disk that it is on, open it from its new place, or remove the virtual machine from the library' },
  'media-not-a-file': { code: 'file/unreadable', message: '{file} is a special file', remedy: 'choose an ordinary file' },
  'not-a-vm': { code: 'folder/not-a-vm', message: '{file} is no virtual machine', remedy: 'open a folder whose name ends in .vitrine, or the vm.json in it' },
  'folder-without-vm-json': { code: 'folder/not-a-vm', message: '{file}: there is no vm.json', remedy: 'open a folder whose name ends in .vitrine, or the vm.json in it' },

  // ---- files that the hardware names ------------------------------------------------------------------------------------------------
  'disk-missing': { code: 'file/missing', message: 'the disk {file} is not there', remedy: 'put the file back, choose another, or remove the device in the settings' },
  'cd-missing': { code: 'file/missing', message: 'the CD image {file} is not there', remedy: 'put the file back, choose another, or remove the device in the settings' },
  'firmware-missing': { code: 'file/missing', message: 'the firmware image {file} is not there', remedy: 'put the file back, or choose another in the settings' },
  'vga-bios-missing': { code: 'file/missing', message: 'the VGA option ROM {file} is not there', remedy: 'put the file back, or choose another in the settings' },
  'kernel-missing': { code: 'file/missing', message: 'the kernel {file} is not there', remedy: 'put the file back, or choose another in the settings' },
  'initrd-missing': { code: 'file/missing', message: 'the initial RAM disk {file} is not there', remedy: 'put the file back, or choose another in the settings' },
  'module-missing': { code: 'file/missing', message: 'the boot module {file} is not there', remedy: 'put the file back, or choose another in the settings' },
  'disk-not-a-file': { code: 'file/unreadable', message: 'the disk {file} is a folder or a special file', remedy: 'choose a file in the settings' },
  'cd-not-a-file': { code: 'file/unreadable', message: 'the CD image {file} is a folder or a special file', remedy: 'choose a file in the settings' },
  'firmware-not-a-file': { code: 'file/unreadable', message: 'the firmware image {file} is a folder or a special file', remedy: 'choose a file in the settings' },
  'vga-bios-not-a-file': { code: 'file/unreadable', message: 'the VGA option ROM {file} is a folder or a special file', remedy: 'choose a file in the settings' },
  'kernel-not-a-file': { code: 'file/unreadable', message: 'the kernel {file} is a folder or a special file', remedy: 'choose a file in the settings' },
  'initrd-not-a-file': { code: 'file/unreadable', message: 'the initial RAM disk {file} is a folder or a special file', remedy: 'choose a file in the settings' },
  'module-not-a-file': { code: 'file/unreadable', message: 'the boot module {file} is a folder or a special file', remedy: 'choose a file in the settings' },
  'disk-unreadable': { code: 'file/unreadable', message: 'the disk {file} cannot be read', remedy: 'change its permissions, or choose another file' },
  'disk-not-writable': { code: 'file/unreadable', message: 'the disk {file} cannot be written to', remedy: 'change its permissions, or make the disk read-only in the settings' },
  'cd-unreadable': { code: 'file/unreadable', message: 'the CD image {file} cannot be read', remedy: 'change its permissions, or choose another file' },
  'firmware-unreadable': { code: 'file/unreadable', message: 'the firmware image {file} cannot be read', remedy: 'change its permissions, or choose another file' },
  'vga-bios-unreadable': { code: 'file/unreadable', message: 'the VGA option ROM {file} cannot be read', remedy: 'change its permissions, or choose another file' },
  'kernel-unreadable': { code: 'file/unreadable', message: 'the kernel {file} cannot be read', remedy: 'change its permissions, or choose another file' },
  'initrd-unreadable': { code: 'file/unreadable', message: 'the initial RAM disk {file} cannot be read', remedy: 'change its permissions, or choose another file' },
  'module-unreadable': { code: 'file/unreadable', message: 'the boot module {file} cannot be read', remedy: 'change its permissions, or choose another file' },

  // ---- vm.json --------------------------------------------------------------------------------------------------------------------------
  'vm-json-missing': { code: 'vm-json/missing', message: '{file} is not there', remedy: 'put a copy of it back, or remove the virtual machine from the library' },
  'vm-json-unreadable': { code: 'file/unreadable', message: '{file} cannot be read: {detail}', remedy: 'check the file, its permissions and the disk that it is on' },
  'vm-json-garbled': { code: 'vm-json/broken', message: '{file} {detail}', remedy: 'correct the file by hand (vm-json.md in the documentation says what is expected), or put a copy of it back' },
  'vm-json-newer': { code: 'vm-json/newer', message: '{file}: version is {version}, this Vitrine reads up to {known}', remedy: 'use the Vitrine that wrote it, or a newer one' },
  'vm-json-version': { code: 'vm-json/broken', message: '{file}: version is {version}; expected {known}', remedy: 'correct the file by hand (vm-json.md in the documentation says what is expected), or put a copy of it back' },
  'vm-json-wrong': { code: 'vm-json/broken', message: '{file}: {key} is {value}; expected {expected}', remedy: 'correct the file by hand (vm-json.md in the documentation says what is expected), or put a copy of it back' },
  'vm-json-wrong-and-more': { code: 'vm-json/broken', message: '{file}: {key} is {value}; expected {expected} (and {more} more)', remedy: 'correct the file by hand (vm-json.md in the documentation says what is expected), or put a copy of it back' },
  'id-differs': { code: 'vm/copied', message: '{file}: id is {id}, but the library knows the virtual machine here as {listed}', remedy: 'remove it from the library and open it again' },
  'id-is-fixed': { code: 'vm-json/broken', message: 'the id of a virtual machine cannot be changed', remedy: 'leave it as it is' },

  // ---- hardware -----------------------------------------------------------------------------------------------------------------------
  'memory-more-than-host': { code: 'hardware/impossible', message: 'the memory of {memory} MiB is more than the {host} MiB that this host has', remedy: 'choose less memory' },
  'too-many-processors': { code: 'hardware/impossible', message: '{count} processors are more than the {most} that a machine can have for now', remedy: 'choose {most}' },
  'too-many-drives': { code: 'hardware/impossible', message: '{count} disks and CD drives are more than the {most} that the IDE controller takes', remedy: 'remove some' },
  'boot-order-twice': { code: 'hardware/impossible', message: 'the boot order names {device} twice', remedy: 'name each kind of device once' },
  'kernel-with-firmware-file': { code: 'hardware/impossible', message: 'a kernel is booted directly by the built-in firmware, but a firmware file is set', remedy: 'choose the built-in firmware, or remove the kernel' },
  'boot-menu-with-firmware-file': { code: 'hardware/impossible', message: 'the boot menu is the built-in firmware\'s, but a firmware file is set', remedy: 'choose the built-in firmware, or switch the menu off' },
  'boot-menu-with-kernel': { code: 'hardware/impossible', message: 'a kernel that is booted directly comes before any boot menu', remedy: 'remove the kernel, or switch the menu off' },
  'disk-twice': { code: 'hardware/impossible', message: '{file} is set twice as a disk, and two writers would ruin it', remedy: 'remove one, or make both read-only' },
  'tcp-port-twice': { code: 'hardware/impossible', message: 'TCP port {port} is set for two serial ports', remedy: 'give each its own' },
  'disk-size-impossible': { code: 'hardware/impossible', message: '{file}: a disk of {bytes} bytes cannot be made', remedy: 'choose a multiple of {sector} up to 2 TiB' },
  'disk-name-bad': { code: 'name/bad', message: '{file}: no name for a new disk', remedy: 'give a file name without a folder, such as disk.img' },

  // ---- suspended state ----------------------------------------------------------------------------------------------------------------
  'suspended-damaged': { code: 'state/does-not-fit', message: 'the suspended state cannot be used: {file} is damaged', remedy: 'put it back, or discard the suspended state and power on anew' },
  'suspended-without-state': { code: 'state/does-not-fit', message: 'the suspended state cannot be used: {file} names a saved state that is not there', remedy: 'put it back, or discard the suspended state and power on anew' },
  'suspended-hardware-changed': { code: 'state/does-not-fit', message: '{key} was changed since the virtual machine was suspended', remedy: 'set it back, or discard the suspended state and power on anew' },
  'suspended-disk-missing': { code: 'state/does-not-fit', message: 'the disk {file} is not there', remedy: 'put it back, or discard the suspended state and power on anew' },
  'suspended-disk-changed': { code: 'state/does-not-fit', message: 'the disk {file} was written to since the virtual machine was suspended', remedy: 'put the disk back as it was, or discard the suspended state and power on anew' },
  'setting-while-suspended': { code: 'vm/suspended', message: '{key} cannot be changed while the virtual machine is suspended', remedy: 'resume it and shut it down, or discard the suspended state' },

  // ---- who has it -----------------------------------------------------------------------------------------------------------------------
  'in-use': { code: 'vm/locked', message: 'it is in use by {program} (process {pid}, since {since})', remedy: 'end it there first' },
  'in-use-on-host': { code: 'vm/locked', message: 'it is in use by {program} (process {pid} on {host}, since {since})', remedy: 'end it there first' },
  'in-use-perhaps': { code: 'vm/locked', message: 'it is in use by {program} (process {pid} on {host}, since {since})', remedy: 'end it there; if that process has died, delete {folder}' },
  busy: { code: 'busy', message: '{folder} has been in use for {seconds} seconds by {program} (process {pid})', remedy: 'wait and try again, or end that program' },

  // ---- the library ------------------------------------------------------------------------------------------------------------------------
  'name-bad': { code: 'name/bad', message: '{name}: no name for a virtual machine or folder', remedy: 'give 1 to {most} characters on one line, without spaces at the ends' },
  'name-taken': { code: 'vm/exists', message: '{name}: the library has a virtual machine of this name, at {other}', remedy: 'choose another name' },
  'name-ambiguous': { code: 'name/ambiguous', message: '{name}: {count} virtual machines have this name', remedy: 'give the id: {ids}' },
  'name-unknown': { code: 'name/not-found', message: '{name}: no such virtual machine in the library', remedy: 'see vitrine list, or give the path of its folder' },
  'vm-gone': { code: 'name/not-found', message: '{id}: no such virtual machine in the library', remedy: 'it may have been removed by another program; look again' },
  'folder-gone': { code: 'name/not-found', message: '{id}: no such folder in the library', remedy: 'it may have been removed by another program; look again' },
  'folder-into-itself': { code: 'name/bad', message: 'the folder {name} cannot be put into itself', remedy: 'choose another folder' },
  'location-not-absolute': { code: 'name/bad', message: '{location} is no absolute path', remedy: 'choose a folder' },
  'vm-copied': { code: 'vm/copied', message: '{file}: the library has this virtual machine already, at {other}', remedy: 'say whether it was copied (it gets an id of its own) or moved' },
  'inventory-garbled': { code: 'inventory/broken', message: 'the list of virtual machines {file} {detail}', remedy: 'correct it by hand, or add the virtual machines again: the file is then put aside, not lost' },
  'inventory-version': { code: 'inventory/broken', message: 'the list of virtual machines {file}: version is {version}; expected {known}', remedy: 'correct it by hand, or add the virtual machines again: the file is then put aside, not lost' },
  'inventory-newer': { code: 'inventory/newer', message: 'the list of virtual machines {file} has version {version}, this Vitrine reads up to {known}', remedy: 'use the Vitrine that wrote it, or a newer one' },

  // ---- a VM that another process runs -------------------------------------------------------------------------------------------------
  'control-unreachable': { code: 'control/unreachable', message: 'the process that runs it cannot be reached ({detail})', remedy: 'it may not listen, or run for another user; end it there' },
  'control-ended': { code: 'control/unreachable', message: 'the process that ran it has ended', remedy: 'see vitrine list' },
  'control-nonsense': { code: 'control/refused', message: 'the process that runs it gave an answer that makes no sense', remedy: 'use the same version of Vitrine' },
  'control-silent': { code: 'control/unreachable', message: 'the process that runs it does not answer', remedy: 'wait, or end it there' },
  'control-refused': { code: 'control/refused', message: '{message}', remedy: '{remedy}' },
  'control-folder-not-ours': { code: 'file/unreadable', message: '{file} belongs to another user, or others can write to it', remedy: 'remove it, or set XDG_RUNTIME_DIR to a folder of your own' },
  'not-now': { code: 'control/refused', message: 'it is {state}', remedy: 'try again when it runs' },
  'no-terminal': { code: 'control/refused', message: 'none of its serial ports is a terminal', remedy: 'set one to terminal in its settings' },
  'suspend-powered-off': { code: 'control/refused', message: 'it was powered off instead', remedy: 'nothing is left to suspend' },
  'suspend-guest-ended': { code: 'control/refused', message: 'the guest ended before it could be suspended', remedy: 'start it again' },

  // ---- the window -----------------------------------------------------------------------------------------------------------------------
  'not-on': { code: 'vm/not-on', message: '{name} is not powered on', remedy: 'power it on first' },
  'not-answering': { code: 'vm/refused', message: '{name} gives no answer now', remedy: 'try again, or look into its log' },
  'keys-unknown': { code: 'vm/refused', message: '{keys}: the guest\'s keyboard has no such keys', remedy: 'give names of keys with - between them, such as ctrl-alt-delete' },
  'paste-off': { code: 'vm/refused', message: 'pasting into {name} is switched off', remedy: 'switch it on under Options, Guest Isolation in its settings' },
  'no-such-device': { code: 'vm/refused', message: '{name} has no such device any more', remedy: 'look at its settings again' },
  'cdrom-locked': { code: 'vm/refused', message: 'the guest of {name} uses the disc in the CD drive and keeps it locked in', remedy: 'eject it in the guest, or take it out all the same' },
  'disk-not-larger': { code: 'hardware/impossible', message: '{file} has {now} bytes already, and disks only grow', remedy: 'choose a larger size' },
  'temporary-vm': { code: 'vm/refused', message: '{name} was made for this run of Vitrine only', remedy: 'create a virtual machine of your own for that' },
  'preferences-garbled': { code: 'preferences/broken', message: 'the preferences {file} {detail}', remedy: 'correct the file by hand, or delete it: until then the defaults count and nothing is written to it' },
  'preference-wrong': { code: 'preferences/broken', message: '{file}: {key} has an impossible value', remedy: 'correct it by hand, or choose another in the preferences: until then its default counts' },
} as const
export type ProblemId = keyof typeof PROBLEM_TEXTS

type Placeholders<S extends string> = S extends `${string}{${infer N}}${infer Rest}` ? N | Placeholders<Rest> : never
/** What a text's placeholders stand for. */
export type ProblemValues<I extends ProblemId> = { readonly [N in Placeholders<(typeof PROBLEM_TEXTS)[I]['message'] | (typeof PROBLEM_TEXTS)[I]['remedy']>]: string | number }
