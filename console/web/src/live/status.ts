/** The running subscription: whether it has its connection, and in which tab it belongs. */
export class LiveStatus {
  #running: AbortController | null = null;
  #tab: string | undefined;
  #trouble: string | null = null;
  #listeners = new Set<() => void>();

  readonly trouble = () => this.#trouble;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** A subscription begins in the tab that is shown. */
  begin(running: AbortController): void {
    this.#running = running;
  }

  /** This tab is shown. GraphiQL would write what comes for another one into it. */
  tabShown(tab: string | undefined): void {
    if (tab !== this.#tab) this.#running?.abort();
    this.#tab = tab;
  }

  set(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    for (const listener of this.#listeners) listener();
  }
}
