// graphql-sse, in its distinct connections mode, against a running server: deliveries, history, queries and mutations,
// going on after cuts, and refusals.
import { strict as assert } from 'node:assert';
import { createClient } from 'graphql-sse';
import {
  Inbox, SUBSCRIPTION, here, kill, publish, range, server, sleep, step, stop, token, until,
} from './driver.mjs';

/** A client as an application would make it: it connects again for as long as it takes, each time with a new token. */
function connect(options = {}, more = () => ({})) {
  return createClient({
    url: () => `${server.url}/graphql`,
    headers: async () => ({ authorization: `Bearer ${await token()}`, ...more() }),
    retryAttempts: Infinity,
    retry: () => sleep(50),
    ...options,
  });
}

/** Goes on by the header that browsers send of themselves, while the request stays as it is. */
function byHeader(variables) {
  const inbox = new Inbox();
  let last;
  const client = connect({}, () => (last ? { 'last-event-id': last } : {}));
  const seen = ({ cursor }) => (last = cursor);
  inbox.end = client.subscribe({ query: SUBSCRIPTION, variables }, inbox.sink(seen));
  return inbox;
}

/** Goes on by the argument: the client writes the request anew for each connection. */
function byVariable(variables) {
  const inbox = new Inbox();
  const request = { query: SUBSCRIPTION, variables };
  const seen = ({ cursor }) => (request.variables = { topic: variables.topic, resume: cursor });
  inbox.end = connect().subscribe(request, inbox.sink(seen));
  return inbox;
}

/** All that an operation says. */
async function run(client, request) {
  const inbox = new Inbox();
  client.subscribe(request, inbox.sink());
  await until('its end', () => inbox.isOver(), inbox);
  return inbox;
}

await step('what is published is delivered', async () => {
  const inbox = byHeader({ topic: 'live' });
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
  inbox.end();
  await until('the end', () => inbox.complete, inbox);
});

await step('history comes first, and then what follows', async () => {
  await publish('history', 1, 2, 3);
  const inbox = byVariable({ topic: 'history', from: 'now-1h' });
  await inbox.expect([1, 2, 3]);
  await publish('history', 4, 5);
  await inbox.expect([1, 2, 3, 4, 5]);
  inbox.end();
});

await step('a query and a mutation have one answer each', async () => {
  const client = connect();
  const query = await run(client, { query: '{ me { subject } streams { name } }' });
  assert.deepEqual(query.results, [{ data: { me: { subject: 'app' }, streams: [{ name: 's' }] } }]);
  const mutation = 'mutation($n: JSON!) { publish(stream: "s", key: "one", data: $n) { topic } }';
  const published = await run(client, { query: mutation, variables: { n: { n: 1 } } });
  assert.deepEqual(published.results, [{ data: { publish: { topic: 'one' } } }]);
});

await step('it goes on behind the last delivery, however the server ends', async () => {
  const inboxes = [
    byHeader({ topic: 'cut', resume: await here() }),
    byHeader({ topic: 'cut', from: 'now-1h' }),
    byVariable({ topic: 'cut', resume: await here() }),
    byVariable({ topic: 'cut', from: 'now-1h' }),
  ];
  let next = 1;
  for (const cut of [kill, stop, kill]) {
    await publish('cut', ...range(next, next + 39));
    for (const inbox of inboxes) await inbox.expect(range(1, next + 39));
    // An error of the connection while it does something else is one that the client does not try again after.
    await sleep(100);
    await cut();
    await publish('cut', ...range(next + 40, next + 49));
    next += 50;
  }
  for (const inbox of inboxes) {
    await inbox.expect(range(1, next - 1));
    assert.ok(inbox.results.every((result) => !result.data.s.gap));
    inbox.end();
  }
});

await step('who may not is told', async () => {
  const as = (name) => connect({ headers: async () => ({ authorization: `Bearer ${await token(name)}` }) });
  const refused = await run(as('writer'), { query: SUBSCRIPTION });
  assert.match(refused.results[0].errors[0].message, /data\.read/);
  const mutation = 'mutation { publish(stream: "s", key: "k", data: 1) { topic } }';
  const answer = await run(as('reader'), { query: mutation });
  assert.match(answer.results[0].errors[0].message, /data\.write/);
  for (const headers of [{ authorization: 'Bearer x.y.z' }, {}]) {
    const { error } = await run(connect({ headers, retryAttempts: 0 }), { query: '{ __typename }' });
    assert.equal(error.response.status, 401, error.message);
  }
});

await step('what is wrong is told, and not tried again', async () => {
  const cursor = await here();
  for (const [variables, expected] of [
    [{ resume: cursor.slice(0, -1) }, /resume: the cursor is damaged/],
    [{ resume: cursor, from: 'now' }, /give from or resume, not both/],
    [{ from: 'soon' }, /expected ISO 8601/],
  ]) {
    const { results, complete } = await run(connect(), { query: SUBSCRIPTION, variables });
    assert.equal(results.length, 1);
    assert.match(results[0].errors[0].message, expected);
    assert.ok(complete);
  }
  const header = connect({}, () => ({ 'last-event-id': cursor.slice(1) }));
  const { results } = await run(header, { query: SUBSCRIPTION });
  assert.match(results[0].errors[0].message, /resume: the cursor is damaged/);
});

process.exit(0);
