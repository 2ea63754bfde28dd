/*
 * JSON whose numbers keep their digits. JavaScript's own numbers would turn 9007199254740993 into
 * 9007199254740992 on the way to the screen, and Tidegate promises to give back what was sent.
 * Browsers without `JSON.rawJSON` fall back to plain numbers.
 */

interface ExactJson {
  rawJSON?(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context?: { source?: string }) => unknown,
  ): unknown;
}

const json = JSON as unknown as ExactJson;

/** A number as written, in a form that `JSON.stringify` writes again digit for digit. */
export function exactNumber(source: string): unknown {
  const value = Number(source);
  return String(value) === source || !json.rawJSON ? value : json.rawJSON(source);
}

/** Like `JSON.parse`, with numbers kept as written. */
export function parseExact(text: string): unknown {
  return json.parse(text, (_key, value, context) =>
    typeof value === 'number' && context?.source !== undefined ? exactNumber(context.source) : value,
  );
}
