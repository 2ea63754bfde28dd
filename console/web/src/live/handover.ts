import { Kind, parse, visit } from 'graphql';
import { applyEdits, modify } from 'jsonc-parser';

const CURSOR_TYPE = 'ResumeCursor';
const CURSOR_FIELD = 'resumeCursor';

type Receiver = (query: string, name: string, cursor: string) => void;

/** Hands the cursor of a page to the variable of the subscription that stands beside the query. */
export class Handover {
  #receivers = new Set<Receiver>();

  /** Calls `receiver` for each cursor, until the returned function is called. */
  receive(receiver: Receiver): () => void {
    this.#receivers.add(receiver);
    return () => this.#receivers.delete(receiver);
  }

  /** Looks for a cursor in what a query of this document answered. */
  offer(query: string, result: Record<string, unknown>): void {
    const cursor = cursorOf(result);
    const name = cursor && cursorVariable(query);
    if (name) for (const receiver of this.#receivers) receiver(query, name, cursor);
  }
}

/** JSON with comments, with another value for one of its members; what is no object gives way to one. */
export function withMember(text: string, name: string, value: string): string {
  const options = { formattingOptions: { tabSize: 2, insertSpaces: true } };
  const object = text.trim() === '' ? '{}' : text;
  try {
    return applyEdits(object, modify(object, [name], value, options));
  } catch {
    return JSON.stringify({ [name]: value }, null, 2);
  }
}

/** The cursor that comes with a root field. */
function cursorOf({ data }: Record<string, unknown>): string | null {
  for (const field of Object.values(Object(data))) {
    const cursor = Object(field)[CURSOR_FIELD];
    if (typeof cursor === 'string') return cursor;
  }
  return null;
}

/** The first variable in the document that takes a cursor. */
function cursorVariable(query: string): string | null {
  let found: string | null = null;
  visit(parse(query, { noLocation: true }), {
    VariableDefinition({ variable, type }) {
      const inner = type.kind === Kind.NON_NULL_TYPE ? type.type : type;
      if (inner.kind === Kind.NAMED_TYPE && inner.name.value === CURSOR_TYPE) found ??= variable.name.value;
    },
  });
  return found;
}
