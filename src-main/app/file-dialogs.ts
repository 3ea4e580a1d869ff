/** The system's file dialogs, one for each purpose. */
import { dialog, type BrowserWindow, type FileFilter } from 'electron'
import type { FilePurpose } from '../ipc/contract'
import type { Words } from './words'

const SAVES: readonly FilePurpose[] = ['serial-log', 'screenshot']

/** undefined: cancelled. */
export async function chooseFile(window: BrowserWindow | undefined, purpose: FilePurpose, suggested: string | undefined, words: Words): Promise<string | undefined> {
  const common = { title: words.choose[purpose], filters: filters(purpose, words), ...(suggested === undefined ? {} : { defaultPath: suggested }) }
  if (SAVES.includes(purpose)) {
    const options = { ...common, properties: ['createDirectory', 'showOverwriteConfirmation'] } satisfies Electron.SaveDialogOptions
    const { canceled, filePath } = await (window ? dialog.showSaveDialog(window, options) : dialog.showSaveDialog(options))
    return canceled || filePath === '' ? undefined : filePath
  }
  const options = { ...common, properties: purpose === 'folder' ? ['openDirectory', 'createDirectory'] : ['openFile'] } satisfies Electron.OpenDialogOptions
  const { canceled, filePaths } = await (window ? dialog.showOpenDialog(window, options) : dialog.showOpenDialog(options))
  return canceled ? undefined : filePaths[0]
}

function filters(purpose: FilePurpose, words: Words): FileFilter[] {
  const all = { name: words.allFiles, extensions: ['*'] }
  switch (purpose) {
    case 'iso':
      return [{ name: words.isoImages, extensions: ['iso', 'img'] }, all]
    case 'disk':
      return [{ name: words.diskImages, extensions: ['img', 'raw', 'bin', 'dd', 'hdd'] }, all]
    case 'firmware':
    case 'vga-bios':
      return [{ name: words.firmwareImages, extensions: ['bin', 'rom'] }, all]
    case 'vm':
      return [{ name: words.virtualMachines, extensions: ['json', 'vitrine'] }]
    case 'screenshot':
      return [{ name: words.pngImages, extensions: ['png'] }]
    case 'serial-log':
      return [{ name: words.logs, extensions: ['log', 'txt'] }, all]
    case 'kernel':
    case 'initrd':
    case 'folder':
      return [all]
  }
}
