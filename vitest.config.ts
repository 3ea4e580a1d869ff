import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['src-main/**/*.test.ts', 'src-renderer/**/*.test.ts', 'tools/**/*.test.ts'], testTimeout: 60_000 },
})
