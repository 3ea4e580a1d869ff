// Lint: TypeScript's recommended rules, the house's own, and "who may import whom".
import tseslint from 'typescript-eslint'
import vue from 'eslint-plugin-vue'

/** Folders of src-main/vmm that the files of a layer may not import (relative import paths, as regular expressions). */
const layers = [
  { files: ['src-main/vmm/support/**', 'src-main/vmm/errors/**'], forbidden: '/(memory|irq|time|bus|devices|backends|cpu|machine|firmware|snapshot|manager)/' },
  { files: ['src-main/vmm/memory/**', 'src-main/vmm/irq/**', 'src-main/vmm/time/**'], forbidden: '/(backends|machine|firmware|snapshot|manager|cpu/(?!layout))/?' },
  { files: ['src-main/vmm/devices/**'], forbidden: '/(machine|snapshot|manager|cpu|time/(host-clock|instruction-clock))/?|^node:' },
  // Of the CPU, types only: leaves, and what a hypercall comes to.
  { files: ['src-main/vmm/paravirt/**'], forbidden: '/(machine|snapshot|manager|firmware|cpu/(?!cpuid|engine)|time/(host-clock|instruction-clock))/?|^node:' },
  { files: ['src-main/vmm/backends/**'], forbidden: '/(devices|machine|cpu|firmware|manager)/' },
  { files: ['src-main/vmm/cpu/**'], forbidden: '/(devices|machine|backends|firmware|manager|bus/(?!width))/' },
  // The pixels' encoding excepted: one side packs, the other unpacks.
  { files: ['src-renderer/**'], forbidden: '/(vmm(?!/backends/display/packed-pixels)|app|cli)/|/ipc/(?!contract)' },
  { files: ['src-main/preload/**'], forbidden: '/(vmm|app|cli)/', electron: true },
  // Types of vm.json excepted: the settings dialog is made of them.
  { files: ['src-main/ipc/contract/**'], forbidden: '/(vmm(?!/manager/library/vm-json/types)|app|cli|server|ports)' },
]

export default tseslint.config(
  { ignores: ['out/**', 'node_modules/**', 'dist/**', 'src-main/vmm/cpu/core/**', 'test-results/**', 'playwright-report/**'] },
  ...tseslint.configs.recommended,
  ...vue.configs['flat/essential'],
  { files: ['**/*.vue'], languageOptions: { parserOptions: { parser: tseslint.parser } } },
  {
    files: ['**/*.ts', '**/*.vue'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  { files: ['src-main/vmm/**/*.ts', 'src-main/cli/**/*.ts', 'tools/**/*.ts', 'e2e/guests/**/*.ts'], languageOptions: { parserOptions: { project: ['tsconfig.vmm.json'], tsconfigRootDir: import.meta.dirname } }, rules: { '@typescript-eslint/no-floating-promises': 'error' } },
  {
    files: ['src-main/vmm/**/*.ts'],
    ignores: ['src-main/vmm/time/host-clock.ts', '**/*.test.ts', 'src-main/vmm/testing/**'],
    rules: {
      'no-restricted-globals': ['error', { name: 'Date', message: 'Only time/host-clock.ts reads the host\'s time.' }, { name: 'performance', message: 'Only time/host-clock.ts reads the host\'s time.' }],
      'no-restricted-imports': ['error', { paths: [{ name: 'electron', message: 'The VMM knows no Electron.' }] }],
    },
  },
  ...layers.map(({ files, forbidden, electron }) => ({
    files,
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message: 'This layer may not import that one (see ARCHITECTURE.md).' }], paths: electron ? [] : [{ name: 'electron', message: 'Only src-main/app, preload and index.ts import Electron.' }] }] },
  })),
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['*.config.ts', '*.config.js'], rules: { 'no-restricted-exports': 'off' } },
  { files: ['src-renderer/**/*.vue'], rules: { 'no-restricted-exports': 'off', 'vue/multi-word-component-names': 'off' } },
)
