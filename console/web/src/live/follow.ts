import { resultOf, type Operation } from '../server/request';
import { EventParser, type StreamEvent } from './events';

/** Whoever is signed in. */
export interface Tokens {
  /** The token, as soon as there is one; null if `signal` comes first. */
  token(signal: AbortSignal): Promise<string | null>;
  refused(token: string): void;
}

/** What happens to a subscription. */
export interface Follower {
  /** The server takes it, and says so before there is a first result. */
  opened(): void;
  result(text: string): void;
  /** It was not executed, or can't go on. */
  failed(result: Record<string, unknown>): void;
  /** A lost connection could not be made again so far; null once it is there. */
  trouble(text: string | null): void;
}

/** How a connection ended. */
type End = 'complete' | 'cut' | 'unreachable' | 'signed-out';

const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;
/** The server says something every 12 s unless it is told otherwise. */
const SILENCE_MS = 60_000;
/** Time to work on results before the browser may paint. */
const WORK_MS = 30;

/**
 * Follows a subscription until it is complete or aborted, over as many connections as it takes: each goes on
 * behind the last event of the one before.
 *
 * Server-sent events by `fetch`, not a WebSocket: what the page has no time for stays with the server, and an
 * event's id resumes any document as it stands.
 */
export async function follow(
  tokens: Tokens,
  operation: Operation,
  signal: AbortSignal,
  follower: Follower,
): Promise<void> {
  const following = new Following(tokens, operation, signal, follower);
  let wait = RETRY_MIN_MS;
  while (!signal.aborted) {
    const begun = performance.now();
    const end = await following.connect();
    if (end === 'complete') return;
    if (end === 'signed-out') continue;
    if (end === 'unreachable' && !signal.aborted) follower.trouble('The subscription has no connection');
    if (performance.now() - begun > RETRY_MAX_MS) wait = RETRY_MIN_MS;
    await pause(wait, signal);
    wait = Math.min(wait * 2, RETRY_MAX_MS);
  }
}

class Following {
  #cursor: string | null = null;

  constructor(
    private readonly tokens: Tokens,
    private readonly operation: Operation,
    private readonly signal: AbortSignal,
    private readonly follower: Follower,
  ) {}

  async connect(): Promise<End> {
    const { tokens, signal, follower } = this;
    const token = await tokens.token(signal);
    if (token === null) return 'complete';
    let response: Response;
    try {
      response = await this.#send(token);
    } catch {
      return 'unreachable';
    }
    if (response.status === 401) return this.#signedOut(token);
    if (response.status >= 500) return 'unreachable';
    follower.trouble(null);
    if (!response.ok || !response.body) {
      follower.failed(resultOf(await response.text().catch(() => '')));
      return 'complete';
    }
    follower.opened();
    return this.#read(response.body, token);
  }

  #send(token: string): Promise<Response> {
    return fetch(new URL('graphql', document.baseURI), {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        Accept: 'text/event-stream',
        ...(this.#cursor === null ? {} : { 'Last-Event-ID': this.#cursor }),
      },
      body: JSON.stringify(this.operation),
      credentials: 'omit',
      cache: 'no-store',
      signal: this.signal,
    });
  }

  async #read(body: ReadableStream<Uint8Array>, token: string): Promise<End> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    let painted = performance.now();
    try {
      for (;;) {
        const silence = setTimeout(() => void reader.cancel(), SILENCE_MS);
        const { done, value } = await reader.read().finally(() => clearTimeout(silence));
        if (done) return 'cut';
        for (const event of parser.take(decoder.decode(value, { stream: true }))) {
          if (this.signal.aborted) return 'complete';
          const end = this.#event(event, token);
          if (end) return end;
        }
        if (performance.now() - painted > WORK_MS) {
          await pause(0, this.signal);
          painted = performance.now();
        }
      }
    } catch {
      return 'cut';
    } finally {
      void reader.cancel().catch(() => {});
    }
  }

  #event({ kind, data, id }: StreamEvent, token: string): End | null {
    if (kind === 'complete') return 'complete';
    if (kind !== 'next') return null;
    if (id !== null) {
      this.#cursor = id;
      this.follower.result(data);
      return null;
    }
    const result = resultOf(data);
    if (isUnauthenticated(result)) return this.#signedOut(token);
    this.follower.failed(result);
    return null;
  }

  #signedOut(token: string): End {
    this.tokens.refused(token);
    return 'signed-out';
  }
}

function isUnauthenticated({ errors }: Record<string, unknown>): boolean {
  return Array.isArray(errors) && errors[0]?.extensions?.code === 'UNAUTHENTICATED';
}

/** Resolves after a while, or at once when there is nothing to wait for any more. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
