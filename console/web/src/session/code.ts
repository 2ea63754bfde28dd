/** A sign-in code that stands in pasted text: a whole address, `#code=…`, or the code alone. */
export function readCode(pasted: string): string | null {
  const text = pasted.trim();
  const hash = text.indexOf('#');
  if (hash >= 0) return new URLSearchParams(text.slice(hash + 1)).get('code') || null;
  if (text.startsWith('code=')) return new URLSearchParams(text).get('code') || null;
  return /^[\w.~-]+$/.test(text) ? text : null;
}

/** The origin of a pasted address when it is not this page's own: its code is of no use here. */
export function foreignOrigin(pasted: string, own: string): string | null {
  const text = pasted.trim();
  if (!URL.canParse(text)) return null;
  const { origin } = new URL(text);
  return origin === own || origin === 'null' ? null : origin;
}

/** Takes the code out of the address bar, so that it stays neither there nor in the history. */
export function takeCodeFromAddress(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (code === null) return null;
  history.replaceState(history.state, '', location.pathname + location.search);
  return code || null;
}
