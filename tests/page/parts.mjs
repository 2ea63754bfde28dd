// Where things are on the page, and two ways to read text.

export const EDITORS = {
  query: '.graphiql-query-editor .monaco-editor',
  variables: '.graphiql-editor-tool .graphiql-editor:not(.hidden) .monaco-editor',
  response: '.graphiql-response .monaco-editor',
};

export const PLAY = 'button[aria-label^="Execute query"]';
export const STOP = 'button[aria-label^="Stop query"]';

export const MARKERS = '.graphiql-editors .squiggly-error, .graphiql-editors .squiggly-warning';

export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function squeeze(text) {
  return text.replace(/\s+/g, ' ').trim();
}
