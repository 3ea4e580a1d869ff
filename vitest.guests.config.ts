import { defineConfig } from 'vitest/config'

/** Real guests, booted in our machine. Two at a time: each takes a core. */
export default defineConfig({
  test: { include: ['e2e/guests/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 600_000, maxWorkers: 2, pool: 'forks' },
})
