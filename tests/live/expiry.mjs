// Tokens that end while both clients follow: the server says so, and each goes on with a new one, from its last delivery.
import { strict as assert } from 'node:assert';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import WebSocket from 'ws';
import { Inbox, SUBSCRIPTION, here, publish, range, server, sleep, step, token, until } from './driver.mjs';

/** How often a token should end meanwhile. */
const ENDS = 2;

await step('tokens end, and nothing is missing or comes twice', async () => {
  const resume = await here();
  const closes = [];
  const [overWs, overSse] = [new Inbox(), new Inbox()];

  const request = { query: SUBSCRIPTION, variables: { resume } };
  const ws = createWs({
    webSocketImpl: WebSocket,
    url: `${server.url.replace('http', 'ws')}/graphql`,
    connectionParams: async () => ({ Authorization: `Bearer ${await token()}` }),
    retryAttempts: Infinity,
    retryWait: () => sleep(50),
    on: { closed: ({ code, reason }) => closes.push(`${code} ${reason}`) },
  });
  ws.subscribe(request, overWs.sink(({ cursor }) => (request.variables = { resume: cursor })));

  let last = resume;
  const sse = createSse({
    url: `${server.url}/graphql`,
    headers: async () => ({ authorization: `Bearer ${await token()}`, 'last-event-id': last }),
    retryAttempts: Infinity,
    retry: () => sleep(50),
  });
  sse.subscribe({ query: SUBSCRIPTION }, overSse.sink(({ cursor }) => (last = cursor)));

  const ended = () => overSse.results.filter((result) => result.errors).length;
  let n = 0;
  await until('tokens to end', async () => {
    await publish('e', (n += 1));
    await sleep(100);
    return closes.length >= ENDS && ended() >= ENDS;
  }, [closes, overSse.results.slice(-2)]);
  await publish('e', (n += 1));
  await overWs.expect(range(1, n));
  await overSse.expect(range(1, n));
  for (const close of closes) assert.match(close, /^4403 Forbidden: the access token has expired/);
  for (const { errors } of overSse.results.filter((result) => result.errors)) {
    assert.equal(errors[0].extensions.code, 'UNAUTHENTICATED');
  }
});

process.exit(0);
