import { defineConfig } from '@playwright/test'

/** The app in real Electron: one window at a time, each test with a machine of its own. */
export default defineConfig({
  testDir: 'e2e/app/specs',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results',
  workers: 1,
  fullyParallel: false,
  // Guests that take minutes come with the long runs (VITRINE_LONG=1).
  grepInvert: process.env['VITRINE_LONG'] ? [] : /@heavy/,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: 'line',
})
