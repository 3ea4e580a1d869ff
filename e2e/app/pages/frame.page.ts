/** The window around the VMs: menu bar, toolbar, library, tabs, status bar. */
import type { Locator, Page } from '@playwright/test'

export class Frame {
  readonly menubar: Locator
  readonly tree: Locator
  readonly tabs: Locator
  readonly dialog: Locator
  readonly menu: Locator

  constructor(readonly page: Page) {
    this.menubar = page.getByRole('menubar')
    this.tree = page.getByRole('tree')
    this.tabs = page.getByRole('tablist').first()
    this.dialog = page.getByRole('dialog')
    this.menu = page.getByRole('menu')
  }

  row(name: string): Locator {
    return this.tree.getByRole('treeitem', { name: new RegExp(`^${name}`) })
  }

  /** Names of the rows in the order in which they are shown. */
  async rows(): Promise<readonly string[]> {
    return this.tree.getByRole('treeitem').evaluateAll((items) => items.map((item) => item.getAttribute('title') ?? ''))
  }

  tab(name: string): Locator {
    return this.tabs.getByRole('tab', { name, exact: true })
  }

  /** Of the VM whose tab is shown. */
  view(name: string): Locator {
    return this.page.getByRole('tablist', { name: /^Views of / }).getByRole('tab', { name, exact: true })
  }

  item(name: string | RegExp): Locator {
    return this.page.getByRole('menuitem', { name })
  }

  async focused(): Promise<string> {
    return this.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.getAttribute('title') ?? document.activeElement?.textContent?.trim() ?? '')
  }

  /** From one row to a part of another, by the mouse. `share` counts from the row's top. */
  async drag(from: string, to: string, share: number): Promise<void> {
    const box = await this.row(to).boundingBox()
    if (!box) throw new Error(`${to} is not shown`)
    await this.row(from).dragTo(this.row(to), { targetPosition: { x: 60, y: box.height * share } })
  }
}
