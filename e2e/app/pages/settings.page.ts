/** Virtual Machine Settings, as a user of it speaks of it. */
import type { Locator, Page } from '@playwright/test'

export class SettingsPage {
  readonly dialog: Locator

  constructor(page: Page) {
    this.dialog = page.getByRole('dialog', { name: /^Virtual Machine Settings/ })
  }

  /** By its id, such as "cdrom-0". */
  row(page: string): Locator {
    return this.dialog.locator(`[data-page="${page}"]`)
  }

  async tab(name: 'Hardware' | 'Options'): Promise<void> {
    await this.dialog.getByRole('tab', { name }).click()
  }

  async open(page: string): Promise<void> {
    await this.row(page).click()
  }

  async ok(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'OK' }).click()
  }

  async cancel(): Promise<void> {
    await this.dialog.getByRole('button', { name: 'Cancel' }).click()
  }
}
