/** Power commands, states and questions. */
export const power = {
  commands: {
    powerOn: 'Power On', resume: 'Resume', powerOff: 'Power Off', suspend: 'Suspend', reset: 'Reset', pause: 'Pause', unpause: 'Unpause', toFirmware: 'Power On to Firmware',
    shutDownGuest: 'Shut Down Guest', restartGuest: 'Restart Guest',
    powerOnThis: 'Power on this virtual machine', resumeThis: 'Resume this virtual machine', unpauseThis: 'Unpause this virtual machine', soft: '{command} (asks the guest)', hard: '{command} (at once)',
  },
  states: {
    'powered-off': 'Powered off', suspended: 'Suspended', 'in-use': 'In use by {program}', elsewhere: '{state} ({program})', starting: 'Powering on…', resuming: 'Resuming…', running: 'Powered on', paused: 'Paused', suspending: 'Suspending…', suspendingShare: 'Suspending… {percent}%',
    'powering-off': 'Powering off…', crashed: 'Stopped by a crash of the guest', failed: 'Failed',
  },
  closeTab: {
    title: 'Close {name}',
    text: 'This virtual machine is powered on. What should happen to it?',
    background: 'Run in Background', suspend: 'Suspend', powerOff: 'Power Off',
  },
  quit: {
    title: 'Quit Vitrine',
    titleWindow: 'Close Vitrine',
    text: '{n} virtual machine is powered on. | {n} virtual machines are powered on.',
    label: 'What should happen to them?',
    keep: 'Keep Running', keepHint: 'They go on without a window; the tray icon brings it back.',
    suspend: 'Suspend', suspendHint: 'Their state is kept on disk, and they resume where they were.',
    shutDown: 'Shut Down', shutDownHint: 'The guests are asked to shut down; Vitrine quits when they have.',
    powerOff: 'Power Off', powerOffHint: 'As if the plug were pulled: what is not saved inside is lost.',
  },
  confirm: {
    powerOffTitle: 'Power Off', powerOffText: 'Power off {names}? What is not saved inside the guest is lost.',
    resetTitle: 'Reset', resetText: 'Reset {names}? What is not saved inside the guest is lost.',
    dontAsk: 'Do not ask again',
  },
  lockedDisc: { title: 'The guest keeps the disc', force: 'Take It Out Anyway' },
  ended: {
    crashedTitle: 'The guest has crashed',
    tripleFault: 'The guest\'s processor shut down (triple fault): an exception occurred while it handled another, and there was nothing left to handle that one.',
    unimplemented: 'The guest met something that Vitrine does not have: {what}',
    kept: 'The machine stands still and is kept as it was: look into it under Performance, then power it off or reset it.',
    failedTitle: 'This virtual machine has stopped because of an error',
    failedText: 'Only this virtual machine is affected. Its disks are as the guest has written them, and its log is kept.',
    whatToDo: {
      bug: 'Power it on again. If it happens repeatedly, choose the interpreter as its engine under Settings > Hardware > Engine and Clock, and report what the log says.',
      memory: 'Close other programs or virtual machines, or give it less memory under Settings > Hardware > Memory. Then power it on again.',
      installation: 'A file that belongs to Vitrine is missing: install Vitrine again, then power the virtual machine on.',
      file: 'See to the file that is named above, or choose another under Settings. Then power it on again.',
      state: 'The suspended state cannot be used. Discard it with VM > Manage > Discard Suspended State; what was not saved inside the guest is lost. Then power it on.',
    },
    more: 'See what happened',
    code: 'Error', logFile: 'All of the log: {file}', dump: 'State of the processor', log: 'Log',
  },
  elsewhere: {
    title: '{name} runs in another process',
    canDo: 'What is below is its picture of a second ago at most. It can be paused, suspended, reset and powered off from here, keys can be sent, and its serial terminal works as usual. To use its screen, keyboard and mouse, continue it in this window: it is suspended there and resumed here, where it was.',
    silent: 'That process does not answer: it may be starting, belong to another user, or run on another computer. Power it off there; it can be powered on here when that process has ended.',
    continueHere: 'Continue in This Window',
  },
  inUse: 'Another process runs this virtual machine: {program} (process {pid} on {host}).',
}
