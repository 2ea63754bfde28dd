import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveStatus } from '../src/live/status';

test('a subscription ends as soon as another tab is shown', () => {
  const status = new LiveStatus();
  const running = new AbortController();
  status.tabShown('a');
  status.begin(running);
  status.tabShown('a');
  assert.equal(running.signal.aborted, false);
  status.tabShown('b');
  assert.equal(running.signal.aborted, true);
});
