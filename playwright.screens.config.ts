import { defineConfig } from '@playwright/test'

/** Pictures of all that the app shows, for people to look at: npm run screens. */
export default defineConfig({
  testDir: 'e2e/app/screens',
  testMatch: 'screens.ts',
  outputDir: 'test-results',
  workers: 1,
  timeout: 240_000,
  expect: { timeout: 15_000 },
  reporter: 'line',
})
