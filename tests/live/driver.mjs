// What the scripts stand on: the server that the test started, which can be asked for things by a line on standard
// output that begins with "? ", and answers by a line on standard input.
import { strict as assert } from 'node:assert';
import { createInterface } from 'node:readline';

/** How long anything may take before it is given up. Never how long it should take. */
const PATIENCE = 60_000;

/** Where the server is. It moves when it is started anew. */
export const server = { url: process.env.TIDEGATE_URL };

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(what) {
  console.log(`? ${what}`);
  const { value, done } = await answers.next();
  assert.ok(!done, 'the test is gone');
  server.url = value;
}

/** Ends the server by kill -9, and starts it again. */
export const kill = () => ask('kill');

/** Stops the server by a signal, and starts it again. */
export const stop = () => ask('stop');

/** A new token of a client of the configuration: app, reader, or writer; where the server is away, once it is back. */
export async function token(client = 'app') {
  const ask = () => fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client}:${process.env.SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  // Meanwhile another test's server may be there, which knows nobody of here.
  const answer = await until('a token', async () => {
    const answer = await ask().catch(() => undefined);
    return answer?.ok && answer;
  });
  return (await answer.json()).access_token;
}

/** Publishes the numbers, and returns once they are acknowledged. */
export async function publish(topic, ...numbers) {
  const answer = await fetch(`${server.url}/streams/s/messages?key=${topic}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/x-ndjson' },
    body: numbers.map((n) => JSON.stringify({ n })).join('\n'),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
}

/** The numbers from `first` to `last`. */
export const range = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

/** A cursor behind which everything is that comes from now on. */
export async function here() {
  const answer = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ s(from: "now", to: "now") { resumeCursor } }' }),
  });
  return (await answer.json()).data.s.resumeCursor;
}

/** What a subscription says, in the order in which it does. */
export class Inbox {
  results = [];
  error = undefined;
  complete = false;

  /** What a client is given as its sink; `seen` is called with every delivery. */
  sink(seen = () => {}) {
    return {
      next: (result) => {
        this.results.push(result);
        if (result.data?.s) seen(result.data.s);
      },
      error: (error) => (this.error = error),
      complete: () => (this.complete = true),
    };
  }

  numbers() {
    return this.results.filter((result) => result.data?.s).map((result) => result.data.s.message.data.n);
  }

  isOver() {
    return this.complete || this.error !== undefined;
  }

  /** Waits until exactly these numbers have come. */
  async expect(numbers) {
    await until(`${numbers.length} numbers`, () => this.numbers().length >= numbers.length || this.isOver(), this);
    const told = this.error?.stack ?? JSON.stringify([this.error, this.complete, this.results.at(-1)]);
    assert.equal(`${this.numbers()}`, `${numbers}`, told);
  }
}

/** Waits until `found` gives something, and returns that. */
export async function until(what, found, shown = '') {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const value = await found();
    if (value) return value;
    assert.ok(Date.now() < end, `waited in vain for ${what}: ${JSON.stringify(shown)}`);
    await sleep(20);
  }
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One step; the first that fails ends the script. */
export async function step(name, work) {
  try {
    await work();
    console.log(`ok - ${name}`);
  } catch (error) {
    console.log(`not ok - ${name}\n${error.stack}`);
    process.exit(1);
  }
}

/** The subscription of all scripts. */
export const SUBSCRIPTION = `subscription($topic: String, $from: Time, $resume: ResumeCursor) {
  s(topic: $topic, from: $from, resume: $resume) { cursor gap { reason } message { data { n } } }
}`;
