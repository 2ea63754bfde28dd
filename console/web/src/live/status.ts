/** Whether the running subscription has its connection, for the line at the foot of the page. */
export class LiveStatus {
  #trouble: string | null = null;
  #listeners = new Set<() => void>();

  readonly trouble = () => this.#trouble;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    for (const listener of this.#listeners) listener();
  }
}
