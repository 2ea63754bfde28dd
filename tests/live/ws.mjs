// graphql-ws against a running server: deliveries, history, queries and mutations, going on after cuts, and refusals.
import { strict as assert } from 'node:assert';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import {
  Inbox, SUBSCRIPTION, here, kill, publish, range, server, sleep, step, stop, token, until,
} from './driver.mjs';

/** A client as an application would make it: it connects again for as long as it takes, each time with a new token. */
function connect(options = {}) {
  return createClient({
    webSocketImpl: WebSocket,
    url: () => `${server.url.replace('http', 'ws')}/graphql`,
    connectionParams: async () => ({ Authorization: `Bearer ${await token()}` }),
    retryAttempts: Infinity,
    retryWait: () => sleep(50),
    shouldRetry: () => true,
    ...options,
  });
}

/** Subscribes, and whenever the client connects again, goes on behind the last delivery. */
function follow(client, variables) {
  const inbox = new Inbox();
  const request = { query: SUBSCRIPTION, variables };
  // The client writes the request anew for each connection.
  const seen = ({ cursor }) => (request.variables = { topic: variables.topic, resume: cursor });
  inbox.end = client.subscribe(request, inbox.sink(seen));
  return inbox;
}

/** All that an operation says. */
async function run(client, request) {
  const inbox = new Inbox();
  client.subscribe(request, inbox.sink());
  await until('its end', () => inbox.isOver(), inbox);
  return inbox;
}

await step('what is published is delivered, and pings are answered', async () => {
  let pongs = 0;
  const client = connect({ keepAlive: 50, on: { pong: (received) => (pongs += Number(received)) } });
  const inbox = follow(client, { topic: 'live' });
  // It begins with what comes from some moment on.
  let n = 0;
  await until('the first', async () => {
    await publish('live', (n += 1));
    await sleep(50);
    return inbox.numbers().length;
  }, inbox);
  await publish('live', n + 1, n + 2);
  await until('the last', () => inbox.numbers().at(-1) === n + 2, inbox);
  assert.deepEqual(inbox.numbers(), range(inbox.numbers()[0], n + 2));
  await until('a pong', () => pongs > 0);
  inbox.end();
  await until('the end', () => inbox.complete, inbox);
});

await step('history comes first, and then what follows', async () => {
  await publish('history', 1, 2, 3);
  const inbox = follow(connect(), { topic: 'history', from: 'now-1h' });
  await inbox.expect([1, 2, 3]);
  await publish('history', 4, 5);
  await inbox.expect([1, 2, 3, 4, 5]);
  inbox.end();
});

await step('several share a socket, beside queries and mutations', async () => {
  let sockets = 0;
  const client = connect({ on: { connected: () => (sockets += 1) } });
  const resume = await here();
  const [one, all] = [follow(client, { topic: 'one', resume }), follow(client, { resume })];
  const query = await run(client, { query: '{ me { subject } streams { name } }' });
  assert.deepEqual(query.results, [{ data: { me: { subject: 'app' }, streams: [{ name: 's' }] } }]);
  const mutation = 'mutation($n: JSON!) { publish(stream: "s", key: "one", data: $n) { topic } }';
  const published = await run(client, { query: mutation, variables: { n: { n: 1 } } });
  assert.deepEqual(published.results, [{ data: { publish: { topic: 'one' } } }]);
  // Messages of two keys may be of two partitions, which have no order between them.
  await all.expect([1]);
  await publish('other', 2);
  await all.expect([1, 2]);
  await one.expect([1]);
  one.end();
  await publish('one', 3);
  await all.expect([1, 2, 3]);
  await one.expect([1]);
  assert.equal(sockets, 1);
  await client.dispose();
});

await step('it goes on behind the last delivery, however the server ends', async () => {
  const closes = [];
  const client = connect({ on: { closed: ({ code }) => closes.push(code) } });
  const inboxes = [
    follow(client, { topic: 'cut', resume: await here() }),
    follow(client, { topic: 'cut', from: 'now-1h' }),
  ];
  let next = 1;
  for (const cut of [kill, stop, kill]) {
    await publish('cut', ...range(next, next + 39));
    await until('some', () => inboxes[0].numbers().length >= next, inboxes[0]);
    await publish('cut', ...range(next + 40, next + 49));
    await cut();
    next += 50;
  }
  await publish('cut', next);
  for (const inbox of inboxes) {
    await inbox.expect(range(1, next));
    assert.ok(inbox.results.every((result) => !result.data.s.gap));
    inbox.end();
  }
  assert.ok(closes.includes(1001), `goodbye was said: ${closes}`);
});

await step('who may not is told', async () => {
  const as = (name) => connect({ connectionParams: async () => ({ Authorization: `Bearer ${await token(name)}` }) });
  const refused = await run(as('writer'), { query: SUBSCRIPTION });
  assert.match(refused.error[0].message, /data\.read/);
  assert.deepEqual(refused.results, []);
  const mutation = 'mutation { publish(stream: "s", key: "k", data: 1) { topic } }';
  const answer = await run(as('reader'), { query: mutation });
  const [error] = answer.error ?? answer.results[0].errors;
  assert.match(error.message, /data\.write/);
  for (const params of [{ Authorization: 'Bearer x.y.z' }, undefined]) {
    const { error } = await run(connect({ connectionParams: params, retryAttempts: 0 }), { query: '{ __typename }' });
    assert.equal(error.code, 4403, error.reason);
    assert.match(error.reason, /^Forbidden: /);
  }
});

await step('what is wrong is told', async () => {
  const client = connect();
  const cursor = await here();
  for (const [variables, expected] of [
    [{ resume: cursor.slice(0, -1) }, /resume: the cursor is damaged/],
    [{ resume: cursor, from: 'now' }, /give from or resume, not both/],
    [{ from: 'soon' }, /expected ISO 8601/],
  ]) {
    const { error, results } = await run(client, { query: SUBSCRIPTION, variables });
    assert.match(error[0].message, expected);
    assert.deepEqual(results, []);
  }
  assert.match((await run(client, { query: 'subscription { nope { x } }' })).error[0].message, /nope/);
});

await step('an id that is in use ends the socket, and its client does not try again', async () => {
  const client = connect({ generateID: () => 'same' });
  const [one, other] = [follow(client, {}), follow(client, {})];
  for (const inbox of [one, other]) {
    const error = await until('the close', () => inbox.error, inbox);
    assert.deepEqual([error.code, error.reason], [4409, 'Subscriber for same already exists']);
  }
});

await step('who does not sign in is not waited for', async () => {
  const client = connect({ connectionParams: () => new Promise(() => {}), retryAttempts: 0 });
  const { error } = await run(client, { query: '{ __typename }' });
  assert.equal(error.code, 4408, error.reason);
});

process.exit(0);
