import { resolve } from 'node:path';
import type { Plugin } from 'vite';

/**
 * Puts modules of ours in the place of modules inside dependencies. Fails the build when one of them is
 * no longer there, so that an upgrade cannot undo it unnoticed.
 */
export function replaceModules(replacements: Record<string, string>): Plugin {
  const missing = new Set(Object.keys(replacements));
  return {
    name: 'replace-modules',
    apply: 'build',
    load(id) {
      const found = Object.keys(replacements).find((path) => id.endsWith(path));
      if (!found) return null;
      missing.delete(found);
      return `export * from ${JSON.stringify(resolve(replacements[found]))};`;
    },
    buildEnd(error) {
      if (!error && missing.size > 0)
        this.error(`not in the bundle, cannot replace: ${[...missing].join(', ')}`);
    },
  };
}
