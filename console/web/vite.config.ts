import { defineConfig } from 'vite';
import { gzipFiles } from './build/gzip-files.ts';
import { replaceModules } from './build/replace-modules.ts';

export default defineConfig({
  // Relative, so that the page works below any path a proxy puts it at.
  base: './',
  logLevel: 'warn',
  plugins: [replaceModules({ '@graphiql/react/dist/utility/jsonc.js': 'src/server/jsonc.ts' }), gzipFiles()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // Everything but index.html; the server marks this folder as never changing.
    assetsDir: 'console',
    // The terms of what is bundled go with it.
    license: { fileName: 'console/licenses.md' },
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4_000,
    rolldownOptions: {
      onLog(level, log, handler) {
        // Directives for server components, of no use in a bundle for browsers.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
});
