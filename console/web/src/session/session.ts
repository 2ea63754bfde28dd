import { exchangeCode } from './exchange';

/** Why nobody is signed in. */
export type Reason = 'no-code' | 'code-refused' | 'unanswered' | 'token-refused';

export type SessionState =
  | { kind: 'signing-in' }
  | { kind: 'signed-in'; token: string }
  | { kind: 'signed-out'; reason: Reason; detail: string };

const STORAGE_KEY = 'tidegate:token';

/**
 * Who uses the page. The token lives in this tab's session storage: a reload keeps it, another tab or
 * a closed one does not, and it never stands in an address.
 */
export class Session {
  #state: SessionState;
  #listeners = new Set<() => void>();

  constructor() {
    const token = sessionStorage.getItem(STORAGE_KEY);
    this.#state = token
      ? { kind: 'signed-in', token }
      : { kind: 'signed-out', reason: 'no-code', detail: '' };
  }

  readonly state = () => this.#state;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The token, as soon as somebody is signed in; null if `signal` comes first. */
  token(signal: AbortSignal): Promise<string | null> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.#state.kind !== 'signed-in' && !signal.aborted) return;
        stop();
        signal.removeEventListener('abort', look);
        resolve(this.#state.kind === 'signed-in' && !signal.aborted ? this.#state.token : null);
      };
      const stop = this.subscribe(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  /** Signs in with a one-time code. A refused code leaves a token that is already held in use. */
  async signIn(code: string): Promise<void> {
    const before = this.#state;
    if (before.kind === 'signing-in') return;
    this.#set({ kind: 'signing-in' });
    const result = await exchangeCode(code);
    if (result.kind === 'token') {
      sessionStorage.setItem(STORAGE_KEY, result.token);
      this.#set({ kind: 'signed-in', token: result.token });
    } else if (before.kind === 'signed-in') {
      this.#set(before);
    } else {
      const reason = result.kind === 'refused' ? 'code-refused' : 'unanswered';
      this.#set({ kind: 'signed-out', reason, detail: result.detail });
    }
  }

  /** The server refused this token. Nothing happens if another one has taken its place meanwhile. */
  refused(token: string): void {
    if (this.#state.kind !== 'signed-in' || this.#state.token !== token) return;
    sessionStorage.removeItem(STORAGE_KEY);
    this.#set({ kind: 'signed-out', reason: 'token-refused', detail: '' });
  }

  #set(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
