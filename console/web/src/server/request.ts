import type { Session } from '../session/session';
import { parseExact } from './exact-json';

export interface Operation {
  query: string;
  operationName?: string | null;
  variables?: unknown;
}

export interface Answer {
  /** The body: a GraphQL response, or one of our own making that says what went wrong. */
  result: Record<string, unknown>;
  /** The version of the schema that answered; null when the server did not say. */
  schemaVersion: string | null;
  /** False when no GraphQL response came back: the server is away, or the caller is not signed in. */
  answered: boolean;
}

/** Sends one operation to the server that this page came from. */
export type Request = (operation: Operation, signal?: AbortSignal) => Promise<Answer>;

export function createRequest(session: Session): Request {
  return async (operation, signal) => {
    const state = session.state();
    if (state.kind !== 'signed-in') return failure('This page is not signed in');
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL('graphql', document.baseURI), {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${state.token}`,
          'Content-Type': 'application/json',
          Accept: 'application/graphql-response+json, application/json',
        },
        body: JSON.stringify(operation),
        credentials: 'omit',
        signal,
      });
      text = await response.text();
    } catch (error) {
      return failure(`The server did not answer (${error instanceof Error ? error.message : error})`);
    }
    const schemaVersion = response.headers.get('Tidegate-Schema');
    if (response.status === 401) {
      session.refused(state.token);
      return { ...failure('The server no longer accepts the sign-in of this page'), schemaVersion };
    }
    const result = asObject(text);
    if (!result) return failure(`HTTP ${response.status}, without a GraphQL response: ${text.slice(0, 200)}`);
    return { result, schemaVersion, answered: true };
  };
}

/** The GraphQL response in a text, or one that says that there is none. */
export function resultOf(text: string): Record<string, unknown> {
  return asObject(text) ?? failure(`This is no GraphQL response: ${text.slice(0, 200)}`).result;
}

function asObject(text: string): Record<string, unknown> | null {
  try {
    const value = parseExact(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function failure(message: string): Answer {
  return { result: { errors: [{ message }] }, schemaVersion: null, answered: false };
}
