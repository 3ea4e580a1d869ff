/** The New Virtual Machine wizard, as a user of it speaks of it. */
import type { ElectronApplication, Locator, Page } from '@playwright/test'

/** The next file dialogs of the system answer with these paths, one after the other; after that they are cancelled. */
export async function answerFileDialogs(app: ElectronApplication, paths: readonly string[]): Promise<void> {
  await app.evaluate(({ dialog }, answers: string[]) => {
    const next = (): string | undefined => answers.shift()
    dialog.showOpenDialog = (() => {
      const path = next()
      return Promise.resolve({ canceled: path === undefined, filePaths: path === undefined ? [] : [path] })
    }) as typeof dialog.showOpenDialog
    dialog.showSaveDialog = (() => {
      const path = next()
      return Promise.resolve({ canceled: path === undefined, filePath: path ?? '' })
    }) as typeof dialog.showSaveDialog
  }, [...paths])
}

export class WizardPage {
  readonly dialog: Locator

  constructor(page: Page) {
    this.dialog = page.getByRole('dialog', { name: 'New Virtual Machine Wizard' })
  }

  get title(): Locator {
    return this.dialog.getByRole('heading', { level: 3 })
  }

  async choose(option: string): Promise<void> {
    await this.dialog.getByRole('radio', { name: option, exact: true }).check()
  }

  /** Answers a field for a file; what the system's dialog answers is set by answerFileDialogs. */
  async browse(label: string): Promise<void> {
    await this.dialog.getByRole('button', { name: `${label}: browse` }).click()
  }

  async fill(label: string, text: string): Promise<void> {
    await this.dialog.getByLabel(label, { exact: true }).fill(text)
  }

  async next(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Next >' }).click()
  }

  async back(): Promise<void> {
    await this.dialog.getByRole('button', { name: '< Back' }).click()
  }

  async finish(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Finish' }).click()
  }

  async cancel(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Cancel' }).click()
  }
}
