import { resultOf } from '../server/request';

/** Most results that are shown at once. */
const SHOWN = 20;
/** About as much text is shown at once; the newest result is, whatever its size. */
const SHOWN_CHARS = 100_000;

/** The results of a subscription: their number, and the newest of them. The text of a result is read once it is shown. */
export class Feed {
  #received = 0;
  #newest: string[] = [];
  #chars = 0;
  #failure: Record<string, unknown> | null = null;

  add(text: string): void {
    this.#received += 1;
    this.#newest.push(text);
    this.#chars += text.length;
    while (this.#newest.length > SHOWN || (this.#chars > SHOWN_CHARS && this.#newest.length > 1))
      this.#chars -= this.#newest.shift()?.length ?? 0;
  }

  /** Why it was not executed, or can't go on. */
  fail(result: Record<string, unknown>): void {
    this.#failure = result;
  }

  /** What the result pane shows, the newest result first. */
  shown(): Record<string, unknown> {
    if (this.#failure && this.#received === 0) return this.#failure;
    return { ...this.#failure, received: this.#received, newest: this.#newest.map(resultOf).reverse() };
  }
}
