import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Handover, withMember } from '../src/live/handover';

const PAGE = 'query A { s { resumeCursor } }';
const ANSWER = { data: { none: null, s: { resumeCursor: 'abc' } } };

test('a cursor goes to the variable that takes one', () => {
  const check = (query: string, result: Record<string, unknown>, expect: string[]) => {
    const handover = new Handover();
    const got: string[] = [];
    handover.receive((_query, name, cursor) => got.push(name, cursor));
    handover.offer(query, result);
    assert.deepEqual(got, expect, query);
  };
  check(`${PAGE} subscription B($n: Int, $c: ResumeCursor) { s(resume: $c) }`, ANSWER, ['c', 'abc']);
  check(`${PAGE} subscription B($c: ResumeCursor!) { s(resume: $c) }`, ANSWER, ['c', 'abc']);
  check(`${PAGE} subscription B($c: [ResumeCursor]) { s(resume: $c) }`, ANSWER, []);
  check(PAGE, ANSWER, []);
  check(`${PAGE} subscription B($c: ResumeCursor) { s(resume: $c) }`, { data: { s: {} } }, []);
  check('query {', { errors: [] }, []);
});

test('other variables, and comments among them, stay', () => {
  const check = (text: string, expect: string) => assert.equal(withMember(text, 'c', 'x'), expect);
  check('', '{\n  "c": "x"\n}');
  check('{\n  // why\n  "n": 1.50,\n  "c": null\n}', '{\n  // why\n  "n": 1.50,\n  "c": "x"\n}');
  check('{\n  "n": 1\n}', '{\n  "n": 1,\n  "c": "x"\n}');
});
