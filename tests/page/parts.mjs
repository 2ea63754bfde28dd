// Where things are on the page, and small helpers.

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

/** Runs in the page: what its content policy blocks is an error on its console. */
export function reportViolations() {
  document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`content policy: ${event.effectiveDirective} blocked ${event.blockedURI}`),
  );
}
