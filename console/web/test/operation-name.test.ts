import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseOperation } from '../src/server/operation-name';

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
