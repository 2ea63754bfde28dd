import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { follow } from '../src/live/follow';

const OPERATION = { query: 'subscription { s }' };
const next = (id: string) => `event: next\nid: ${id}\ndata: ${id}\n\n`;
const failed = (code: string) =>
  `event: next\ndata: {"errors":[{"message":"no","extensions":{"code":"${code}"}}]}\n\n`;
const COMPLETE = 'event: complete\ndata:\n\n';

/** A server that answers one connection after the other as the test says, `null` by not being there. */
function serve(answers: (string | Response | null)[]) {
  const asked: Headers[] = [];
  globalThis.fetch = async (_url, init) => {
    asked.push(new Headers(init?.headers));
    const answer = answers.shift() ?? null;
    if (answer === null) throw new TypeError('no connection');
    return typeof answer === 'string' ? new Response(answer) : answer;
  };
  return asked;
}

/** Follows until the end, and tells what happened. */
async function run(stopped = new AbortController(), stopAt?: string) {
  const said: unknown[] = [];
  const say = (what: unknown) => {
    said.push(what);
    if (what === stopAt) stopped.abort();
  };
  let token = 1;
  const tokens = {
    token: async (signal: AbortSignal) => (signal.aborted ? null : `token-${token}`),
    refused: (refused: string) => {
      token += 1;
      say(`refused ${refused}`);
    },
  };
  await follow(tokens, OPERATION, stopped.signal, {
    opened: () => {},
    result: say,
    failed: ({ errors }) => say((errors as { message: string }[])[0].message),
    trouble: (text) => text && say('trouble'),
  });
  return said;
}

const { fetch } = globalThis;
beforeEach(() => {
  globalThis.document = { baseURI: 'http://127.0.0.1:4000/' } as Document;
});
afterEach(() => {
  globalThis.fetch = fetch;
});

test('a lost connection goes on behind the last result', async () => {
  const asked = serve([next('a') + next('b'), null, new Response('', { status: 503 }), next('c') + COMPLETE]);
  assert.deepEqual(await run(), ['a', 'b', 'trouble', 'trouble', 'c']);
  assert.deepEqual(
    asked.map((headers) => headers.get('Last-Event-ID')),
    [null, 'b', 'b', 'b'],
  );
});

test('a token that ends is refused, and the next one goes on', async () => {
  const asked = serve([
    next('a') + failed('UNAUTHENTICATED'),
    new Response('', { status: 401 }),
    next('b') + COMPLETE,
  ]);
  assert.deepEqual(await run(), ['a', 'refused token-1', 'refused token-2', 'b']);
  assert.deepEqual(
    asked.map((headers) => headers.get('Authorization')),
    ['Bearer token-1', 'Bearer token-2', 'Bearer token-3'],
  );
});

test('what cannot be executed is told, and is the end', async () => {
  serve([failed('BAD_USER_INPUT') + COMPLETE]);
  assert.deepEqual(await run(), ['no']);
  serve([new Response('{"errors":[{"message":"too long"}]}', { status: 413 })]);
  assert.deepEqual(await run(), ['too long']);
});

test('nothing is told after a stop', async () => {
  serve([next('a') + next('b'), null]);
  assert.deepEqual(await run(undefined, 'a'), ['a']);
  serve([null, null]);
  assert.deepEqual(await run(undefined, 'trouble'), ['trouble']);
});
