import type { Operation } from '../server/request';
import { Feed } from './feed';
import { follow, type Tokens } from './follow';
import type { LiveStatus } from './status';

/** The part of an observable that GraphiQL uses. */
interface Results {
  subscribe(observer: { next(shown: Record<string, unknown>): void; complete(): void }): {
    unsubscribe(): void;
  };
}

/** Shortest time between two looks of the result pane. */
const SHOW_MS = 250;
/** Showing takes one part in so many of the time, however slow the result pane is. */
const SHOW_SHARE = 8;

/** A subscription as GraphiQL takes it: what it shows of the results, now and then. */
export function subscription(tokens: Tokens, status: LiveStatus, operation: Operation): Results {
  return {
    subscribe(observer) {
      const stopped = new AbortController();
      const feed = new Feed();
      let timer = 0;
      let next = 0;
      const show = () => {
        clearTimeout(timer);
        timer = 0;
        const begun = performance.now();
        observer.next(feed.shown());
        const ended = performance.now();
        next = ended + Math.max(SHOW_MS, (ended - begun) * SHOW_SHARE);
      };
      const showSoon = () => {
        if (!timer) timer = window.setTimeout(show, next - performance.now());
      };
      const run = follow(tokens, operation, stopped.signal, {
        opened: showSoon,
        result(text) {
          feed.add(text);
          showSoon();
        },
        failed(result) {
          feed.fail(result);
          showSoon();
        },
        trouble: (text) => status.set(text),
      });
      stopped.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        status.set(null);
      });
      status.begin(stopped);
      void run.then(() => {
        if (stopped.signal.aborted) return;
        show();
        observer.complete();
      });
      return { unsubscribe: () => stopped.abort() };
    },
  };
}
