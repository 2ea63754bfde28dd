import {
  buildClientSchema,
  getIntrospectionQuery,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import type { Answer, Request } from './request';
import { addedFields } from './schema-diff';

export interface SchemaState {
  /** What GraphiQL works with; null until the first introspection has come back. */
  schema: GraphQLSchema | null;
  /** The last time the schema changed under an open page, and the fields that came with it. */
  change: { at: number; fields: string[] } | null;
  /** Why the server cannot be asked at the moment. */
  trouble: string | null;
}

const POLL_MS = 2_000;
const CHECK_WAIT_MS = 10_000;
const INTROSPECTION_WAIT_MS = 60_000;

/**
 * The server's schema, kept up to date. Each answer names the version of the schema that made it, so
 * the smallest query there is tells whether to introspect again; nothing is asked while the tab is
 * hidden.
 */
export class LiveSchema {
  #state: SchemaState = { schema: null, change: null, trouble: null };
  #version: string | null = null;
  #listeners = new Set<() => void>();
  #checking: Promise<void> | null = null;
  #checkAgain = false;

  constructor(private readonly request: Request) {}

  readonly state = () => this.#state;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Reads the schema now, and follows it until the returned function is called. */
  watch(): () => void {
    let stopped = false;
    let timer = 0;
    const turn = async (work: Promise<void>) => {
      await work;
      clearTimeout(timer);
      if (!stopped && !document.hidden) timer = window.setTimeout(() => void turn(this.check()), POLL_MS);
    };
    const shown = () => {
      if (!document.hidden) void turn(this.check());
    };
    document.addEventListener('visibilitychange', shown);
    void turn(this.#introspect());
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }

  /** Asks for the version in force, and introspects if it is another one. Calls at once share a check. */
  check(): Promise<void> {
    this.#checkAgain = this.#checking !== null;
    this.#checking ??= this.#checkUntilSettled().finally(() => (this.#checking = null));
    return this.#checking;
  }

  async #checkUntilSettled(): Promise<void> {
    do {
      this.#checkAgain = false;
      const answer = await this.request({ query: '{ __typename }' }, AbortSignal.timeout(CHECK_WAIT_MS));
      if (!answer.answered) {
        this.#set({ trouble: message(answer) });
      } else if (this.#state.schema === null || this.#differs(answer)) {
        await this.#introspect();
      } else if (this.#state.trouble !== null) {
        this.#set({ trouble: null });
      }
    } while (this.#checkAgain);
  }

  async #introspect(): Promise<void> {
    const query = getIntrospectionQuery();
    const answer = await this.request(
      { query, operationName: 'IntrospectionQuery' },
      AbortSignal.timeout(INTROSPECTION_WAIT_MS),
    );
    const data = answer.result.data as IntrospectionQuery | null | undefined;
    if (!data) return this.#set({ trouble: message(answer) });
    let schema: GraphQLSchema;
    try {
      schema = buildClientSchema(data);
    } catch (error) {
      return this.#set({ trouble: `The schema cannot be read: ${error}` });
    }
    const before = this.#state.schema;
    const changed = before !== null && this.#differs(answer);
    this.#version = answer.schemaVersion;
    const change = changed ? { at: Date.now(), fields: addedFields(before, schema) } : this.#state.change;
    this.#set({ schema, change, trouble: null });
  }

  #differs(answer: Answer): boolean {
    return answer.schemaVersion !== null && answer.schemaVersion !== this.#version;
  }

  #set(part: Partial<SchemaState>): void {
    this.#state = { ...this.#state, ...part };
    for (const listener of this.#listeners) listener();
  }
}

function message({ result }: Answer): string {
  const [first] = Array.isArray(result.errors) ? result.errors : [];
  return typeof first?.message === 'string' ? first.message : 'The server sent no data';
}
