import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const folder = import.meta.dirname;
const tests = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));

/** Turns the tests into plain modules for `node --test`. */
export default defineConfig({
  root: folder,
  logLevel: 'warn',
  build: {
    ssr: true,
    outDir: 'out',
    emptyOutDir: true,
    rolldownOptions: { input: tests.map((name) => join(folder, name)) },
  },
});
