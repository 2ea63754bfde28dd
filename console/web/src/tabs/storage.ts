import type { TabText } from './compose';

/*
 * Where GraphiQL keeps the user's tabs: local storage, under a prefix of ours, because another tool
 * served from the same address at another time may have left GraphiQL tabs of its own.
 */

const PREFIX = 'tidegate:';
const COMPOSED = `${PREFIX}composed-tabs`;
/** What GraphiQL names the entries that hold tabs and the text of the active one. */
const TAB_KEYS = ['graphiql:tabState', 'graphiql:query', 'graphiql:variables'];

/** How GraphiQL divides the window until the user drags a divider: first pane to second. */
const DIVISIONS: Record<string, string> = {
  'graphiql:docExplorerFlex': '0.29',
  'graphiql:secondaryEditorFlex': '1.7',
};

/** The part of `Storage` that GraphiQL uses. */
export const tabStorage = {
  getItem: (key: string) => localStorage.getItem(PREFIX + key) ?? DIVISIONS[key] ?? null,
  setItem: (key: string, value: string) => localStorage.setItem(PREFIX + key, value),
  removeItem: (key: string) => localStorage.removeItem(PREFIX + key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};

/**
 * Forgets stored tabs that are still just as an earlier visit composed them, so that tabs made before
 * the first message give way to ones about that message. Tabs the user touched are kept.
 */
export function renewUntouchedTabs(composed: TabText[]): void {
  if (localStorage.getItem(COMPOSED) === fingerprint(storedTabs())) TAB_KEYS.forEach(tabStorage.removeItem);
  localStorage.setItem(COMPOSED, fingerprint(composed));
}

function storedTabs(): Partial<TabText>[] {
  try {
    return JSON.parse(tabStorage.getItem('graphiql:tabState') ?? '{}').tabs ?? [];
  } catch {
    return [];
  }
}

function fingerprint(tabs: Partial<TabText>[]): string {
  return JSON.stringify(tabs.map(({ query, variables }) => [query ?? '', variables ?? '']));
}

function ownKeys(): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}
