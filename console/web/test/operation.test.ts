import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseOperation, isSubscription } from '../src/server/operation';

test('a document with one operation runs that one', () => {
  const check = (query: string, selected: string | null, expect: string | null) =>
    assert.equal(chooseOperation(query, selected), expect, query);
  check('query A { a }', 'A', 'A');
  check('query A { a }', 'B', 'A');
  check('{ a }', 'B', null);
  check('query A { a } query B { b }', 'B', 'B');
  check('query A { ...F } fragment F on Query { a }', null, 'A');
  check('query {', 'B', 'B');
});

test('a subscription is told by the operation that is run', () => {
  const check = (query: string, name: string | null, expect: boolean) =>
    assert.equal(isSubscription(query, name), expect, query);
  check('subscription { a }', null, true);
  check('query A { a } subscription B { b }', 'B', true);
  check('query A { a } subscription B { b }', 'A', false);
  check('query A { a } subscription B { b }', null, false);
  check('subscription {', null, false);
});
