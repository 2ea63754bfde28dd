import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExact } from '../src/server/exact-json';
import { formatJSONC, tryParseJSONC } from '../src/server/jsonc';

/** Node 20 has no `JSON.rawJSON`; there the page, too, falls back to plain numbers. */
const exact = 'rawJSON' in JSON;

test('numbers come out as they went in', { skip: !exact }, () => {
  const check = (text: string) => assert.equal(JSON.stringify(parseExact(text)), text);
  check('{"a":9007199254740993,"b":[1.10,-0,1e400,12]}');
  check('{"a":"9007199254740993","b":null,"c":true}');
});

test('numbers in the variables pane keep their digits', { skip: !exact }, () => {
  assert.equal(JSON.stringify(tryParseJSONC('{"n": 9007199254740993}')), '{"n":9007199254740993}');
});

test('variables may hold comments and trailing commas', () => {
  const check = (text: string, expect: unknown) => assert.deepEqual(tryParseJSONC(text), expect, text);
  check('{"a": [1, {"b": null},], /* why */ "c": "x",}', { a: [1, { b: null }], c: 'x' });
  check('', undefined);
  check('// nothing', undefined);
});

test('what is wrong with the variables is said, and where', () => {
  const check = (text: string, expect: RegExp) => assert.throws(() => tryParseJSONC(text), expect);
  check('{\n  "a": }', /are invalid JSON: Value expected at line 2, column 8/);
  check('[1]', /are not a JSON object/);
});

test('formatting keeps comments and numbers', async () => {
  assert.equal(await formatJSONC('{"a":1.50,// why\n"b":[]}'), '{\n  "a": 1.50, // why\n  "b": []\n}');
});
