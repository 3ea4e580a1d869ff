import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const testTimeout = 60_000

/** Says what instructions do: runs on each engine. */
const ON_EACH_ENGINE = ['src-main/vmm/cpu/{tests,interpreter,semantics}/**/*.test.ts']
/** About the interpreter alone, or about its run loop with regions made by hand. */
const NOT_ON_THE_TRANSLATOR = ['**/native.diff.test.ts', '**/tests/regions.test.ts', '**/tests/region-access.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [vue()],
        test: {
          name: 'unit',
          include: ['src-main/**/*.test.ts', 'src-renderer/**/*.test.ts', 'tools/**/*.test.ts'],
          testTimeout,
        },
      },
      { test: { name: 'translator', include: ON_EACH_ENGINE, exclude: NOT_ON_THE_TRANSLATOR, env: { VITRINE_TEST_ENGINE: 'translator' }, testTimeout } },
    ],
  },
})
