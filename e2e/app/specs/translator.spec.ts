import { expect, test } from '../fixtures/vitrine'

const PROMPT = /vitrine> *$/m

test.describe('the translator pane, with the translator', () => {
  test.use({ machineOptions: ['--engine', 'translator'] })

  test('shows the hot code of the guest as x86, IR and WebAssembly', async ({ vm, vitrine }) => {
    await vm.view('serial')
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    await vm.typeOnSerial('vbe\r')
    await vm.pane('translator')
    await expect(vm.figure('translation-totals')).toHaveText(/^[1-9]\d* regions, .*KB · [1-9]\d* translated · VM's thread .* ms \(.* % now\), longest pause .* ms · compile thread .* ms \(.* % now\)$/)
    const options = vm.regions.getByRole('option')
    await expect(options.first()).toHaveAccessibleName(/^0x[0-9a-f]{8}, 16-bit, \d+ instructions, \d+ bytes of WebAssembly, .* runs$/)

    // By the keyboard alone: the second region, and its tabs.
    await vm.regions.focus()
    await vm.page.keyboard.press('ArrowDown')
    await expect(options.and(vm.page.locator('[aria-selected="true"]'))).toHaveCount(1)
    await expect(vm.translator.getByRole('tabpanel', { name: 'x86' })).toHaveText(/^[0-9a-f]+:\n {2}[0-9a-f]+ {2}[a-z]+/)
    await vm.page.keyboard.press('Tab')
    await expect(vm.translator.getByRole('tab', { name: 'x86' })).toBeFocused()
    await vm.page.keyboard.press('ArrowRight')
    const ir = vm.translator.getByRole('tabpanel', { name: 'IR' })
    await expect(ir).toHaveText(/^func region0 \(i32 i32\) -> \(i32\)\n[^]*!\d+ = /)
    await vm.translator.getByRole('combobox', { name: 'IR after this pass' }).selectOption({ index: 0 })
    await expect(ir).toHaveText(/^func region0 \(i32 i32\) -> \(i32\)\n {2}%0 = /)
    await vm.translator.getByRole('tab', { name: 'WebAssembly' }).click()
    await expect(vm.translator.getByRole('tabpanel', { name: 'WebAssembly' })).toHaveText(/^\(module\n[^]*\(func \$region0 [^]*local\.get/)
    await vm.translator.getByRole('tab', { name: 'Figures' }).click()
    await expect(vm.translator.getByRole('tabpanel', { name: 'Figures' })).toContainText(/entries by the run loop[^]*Time: emit and fold[^]* ms/)

    // The guest goes on, and the serial terminal is as it was.
    await vm.view('serial')
    await expect(vm.translator).toBeHidden()
    await expect.poll(() => vm.serialText()).toMatch(PROMPT)
    expect(vitrine.pageErrors).toEqual([])
  })

  test('has nothing to show of a virtual machine that is off', async ({ vm }) => {
    await vm.pane('translator')
    await expect(vm.state).toHaveText('Powered on')
    await vm.button('vm.power-off').click()
    await vm.dialog.getByRole('button', { name: 'Power Off', exact: true }).click()
    await expect(vm.page.getByText('This virtual machine is not powered on: there is nothing to look into.')).toBeVisible()
  })
})

test.describe('the translator pane, with the interpreter', () => {
  test.use({ machineOptions: ['--engine', 'interpreter'] })

  test('says that nothing is translated', async ({ vm }) => {
    await vm.pane('translator')
    await expect(vm.translator.getByRole('status')).toContainText('The interpreter runs this virtual machine: it translates nothing.')
    await expect(vm.figure('translation-totals')).toHaveText('')
  })
})
