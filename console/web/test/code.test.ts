import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignOrigin, readCode } from '../src/session/code';

const OWN = 'http://127.0.0.1:4000';

test('a code is read from whatever was pasted', () => {
  const check = (pasted: string, expect: string | null) => assert.equal(readCode(pasted), expect, pasted);
  check('http://127.0.0.1:4000/#code=abc-DEF_1', 'abc-DEF_1');
  check('  http://127.0.0.1:4000/#code=abc\n', 'abc');
  check('#code=abc', 'abc');
  check('code=abc', 'abc');
  check('abc-DEF_1', 'abc-DEF_1');
  check('http://127.0.0.1:4000/', null);
  check('#other=abc', null);
  check('#code=', null);
  check('two words', null);
  check('', null);
});

test('an address of another server is told apart', () => {
  const check = (pasted: string, expect: string | null) =>
    assert.equal(foreignOrigin(pasted, OWN), expect, pasted);
  check(`${OWN}/#code=abc`, null);
  check('http://127.0.0.1:4001/#code=abc', 'http://127.0.0.1:4001');
  check('#code=abc', null);
  check('abc', null);
});
