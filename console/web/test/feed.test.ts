import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from '../src/live/events';
import { Feed } from '../src/live/feed';

test('events are the same however the text is cut', () => {
  const text =
    ':\n\nevent: next\nid: a\ndata: {"ü":1}\n\nevent:next\r\ndata: x\r\ndata:y\r\n\r\n' +
    'event: complete\ndata:\n\nevent: cut\ndata: off';
  const expect = [
    { kind: 'next', data: '{"ü":1}', id: 'a' },
    { kind: 'next', data: 'x\ny', id: null },
    { kind: 'complete', data: '', id: null },
  ];
  for (let size = 1; size <= text.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...parser.take(text.slice(at, at + size)));
    assert.deepEqual(events, expect, `in pieces of ${size}`);
  }
});

test('the newest results are shown, the newest first', () => {
  const feed = new Feed();
  assert.deepEqual(feed.shown(), { received: 0, newest: [] });
  for (let n = 1; n <= 50; n += 1) feed.add(`{"data":{"n":${n}}}`);
  const { received, newest } = feed.shown();
  assert.equal(received, 50);
  assert.deepEqual(
    newest,
    Array.from({ length: 20 }, (_, back) => ({ data: { n: 50 - back } })),
  );
});

test('of large results fewer are shown, and one at least', () => {
  const large = (n: number) => JSON.stringify({ n, text: 'x'.repeat(60_000) });
  const feed = new Feed();
  feed.add('{"n":1}');
  feed.add(large(2));
  assert.deepEqual(numbers(feed), [2, 1]);
  feed.add(large(3));
  assert.deepEqual(numbers(feed), [3]);
  feed.add(JSON.stringify({ n: 4, text: 'x'.repeat(1_000_000) }));
  assert.deepEqual(numbers(feed), [4]);
});

test('numbers keep their digits', { skip: !('rawJSON' in JSON) }, () => {
  const feed = new Feed();
  feed.add('{"n":9007199254740993}');
  assert.equal(JSON.stringify(feed.shown()), '{"received":1,"newest":[{"n":9007199254740993}]}');
});

test('a failure is shown alone, or above what came before it', () => {
  const failure = { errors: [{ message: 'no' }] };
  const feed = new Feed();
  feed.fail(failure);
  assert.deepEqual(feed.shown(), failure);
  feed.add('{}');
  assert.deepEqual(feed.shown(), { ...failure, received: 1, newest: [{}] });
});

function numbers(feed: Feed): unknown {
  return (feed.shown().newest as { n: number }[]).map(({ n }) => n);
}
