export const console = {
  screen: 'Screen of {name}', screenSize: 'Screen of {name}, {width} by {height}',
  grab: 'Grab Input', ctrlAltDelete: 'Send Ctrl+Alt+Del', keys: 'Send Keys', functionKeys: '{chord}+F1 to F{last}', sysRq: 'Magic SysRq',
  fitWindow: 'Fit Window Now', autofitWindow: 'Autofit Window',
  paste: 'Paste as Typing', nothingToPaste: 'There is no text on the clipboard.', skipped: '{n} characters were left out: the guest\'s keyboard layout does not have them.',
  selectText: 'Select Text on the Screen', textLayer: 'Text on the screen', noText: 'The screen is in a graphics mode: there is no text to select.', copied: 'Copied.',
  capture: 'Capture Screen…', captureCopy: 'Copy Screen',
  takenOver: 'The screen of this virtual machine is shown in another window.', takeBack: 'Show It Here',
  fullScreenBar: 'Full screen', pin: 'Keep this bar in view', leaveFullScreen: 'Leave full screen',
  customKeys: 'Send a Key Combination', customKeysMenu: 'Custom…', modifiers: 'Keys held', key: 'Key', noKey: 'None', send: 'Send',
}
