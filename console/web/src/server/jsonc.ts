/*
 * Takes the place of GraphiQL's own module of these three functions (see `replaceModules` in
 * vite.config.ts): the variables pane then sends numbers with all their digits, and Prettier's
 * JavaScript parser stays out of the bundle.
 */
import { applyEdits, format, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { exactNumber } from './exact-json';

/** Formats JSON with comments. */
export async function formatJSONC(content: string): Promise<string> {
  return applyEdits(content, format(content, undefined, { tabSize: 2, insertSpaces: true }));
}

/** Parses JSON with comments and trailing commas; empty text is `undefined`. */
export function parseJSONC(content: string): unknown {
  const errors: ParseError[] = [];
  const tree = parseTree(content, errors, { allowTrailingComma: true, allowEmptyContent: true });
  if (errors.length > 0) {
    const list = new Intl.ListFormat('en', { style: 'long', type: 'conjunction' });
    throw new SyntaxError(list.format(errors.map((error) => describe(content, error))));
  }
  return tree && valueOf(tree, content);
}

/** Parses the text of a pane that must hold an object, or nothing. */
export function tryParseJSONC(content = ''): Record<string, unknown> | undefined {
  let parsed: unknown;
  try {
    parsed = parseJSONC(content);
  } catch (error) {
    throw new Error(`are invalid JSON: ${error instanceof Error ? error.message : error}.`);
  }
  if (parsed === undefined || parsed === null) return undefined;
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new TypeError('are not a JSON object.');
  return parsed as Record<string, unknown>;
}

function valueOf(node: Node, content: string): unknown {
  switch (node.type) {
    case 'object':
      return Object.fromEntries(
        (node.children ?? []).map(({ children = [] }) => [children[0].value, valueOf(children[1], content)]),
      );
    case 'array':
      return (node.children ?? []).map((child) => valueOf(child, content));
    case 'number':
      return exactNumber(content.slice(node.offset, node.offset + node.length));
    default:
      return node.value;
  }
}

function describe(content: string, { error, offset }: ParseError): string {
  const before = content.slice(0, offset).split('\n');
  const what = printParseErrorCode(error).replace(/\B[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${what} at line ${before.length}, column ${before[before.length - 1].length + 1}`;
}
