import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'

/** Electron 25 (Node 18, Chrome 114) is the oldest runtime that must work; see README.md, "Electron". */
const NODE = 'node18'
const CHROME = 'chrome114'
const at = (path: string): string => resolve(import.meta.dirname, path)
const commonJs = { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'chunks/[name]-[hash].cjs' } as const

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      target: NODE,
      sourcemap: true,
      // The machine's worker thread is an entry of its own: index.cjs starts machine.cjs beside it.
      rollupOptions: { input: { index: at('src-main/index.ts'), machine: at('src-main/vmm/machine/machine.worker.ts') }, output: commonJs },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      target: NODE,
      // A sandboxed preload script is one file that requires nothing but electron.
      isolatedEntries: true,
      externalizeDeps: false,
      rollupOptions: { input: { index: at('src-main/preload/index.ts') }, output: commonJs },
    },
  },
  renderer: {
    root: 'src-renderer',
    plugins: [vue()],
    worker: { format: 'es' },
    build: { outDir: 'out/renderer', target: CHROME, minify: true, rollupOptions: { input: { index: at('src-renderer/index.html') } } },
  },
})
