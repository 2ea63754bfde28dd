import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSchema, parse, validate } from 'graphql';
import { composeTabs } from '../src/tabs/compose';

const BASE = `
  scalar Time scalar JSON scalar PageCursor scalar ResumeCursor
  type PageInfo { hasPreviousPage: Boolean! startCursor: PageCursor }
  type Stream { name: String! retention: String }
  type Published { position: String! }
  type Mutation { publish(stream: String!, topic: String, key: String, data: JSON!): Published! }
`;

function stream(root: string, type: string, data: string) {
  return {
    types: `
      ${data}
      type ${type} { id: ID! time: Time! topic: String! data: ${type}Data raw: String! }
      type ${type}Connection { nodes: [${type}!]! pageInfo: PageInfo! resumeCursor: ResumeCursor! }
      type ${type}Event { cursor: ResumeCursor! late: Boolean! message: ${type} }`,
    field: `${root}(topic: String, first: Int, last: Int): ${type}Connection!`,
    events: `${root}(topic: String, from: Time, resume: ResumeCursor): ${type}Event!`,
  };
}

const userEvents = stream(
  'userEvents',
  'UserEvents',
  'type UserEventsData { cookie_id: String topic: String message: Message } type Message { color: String }',
);
const userUtm = stream(
  'userUtm',
  'UserUtm',
  'type UserUtmData { source: String deep: Deep } type Deep { medium: String }',
);

/** Composes tabs for a schema; all of them must be valid in it. */
function compose(streams: (typeof userEvents)[], names: string[] = [], base = BASE) {
  const fields = ['streams: [Stream!]!', ...streams.map(({ field }) => field)].join('\n');
  const events = streams.map(({ events }) => events).join('\n');
  const schema = buildSchema(
    `${base} ${streams.map(({ types }) => types).join('\n')} type Query { ${fields} }
    ${events && `type Subscription { ${events} }`}`,
  );
  const tabs = composeTabs(schema, names);
  for (const { query } of tabs) assert.deepEqual(validate(schema, parse(query)), [], query);
  return tabs.map(({ query, variables }) => ({
    text: query
      .replace(/^#.*\n/gm, '')
      .replace(/\s+/g, ' ')
      .trim(),
    comments: query.split('\n').filter((line) => line.startsWith('#')).length,
    variables: variables === undefined ? undefined : JSON.parse(variables),
  }));
}

test('the sample stream is preferred', () => {
  const [latest, chosen, publish] = compose([userUtm, userEvents], ['user-utm', 'user-events']);
  assert.equal(
    latest.text,
    'query Latest { userEvents(last: 20) { nodes { time topic data { cookie_id } } } }',
  );
  assert.equal(
    chosen.text,
    'query ChosenFields { userEvents(topic: "dolphin_cms.wizard.step.color_palette.set", last: 10) ' +
      '{ nodes { time data { cookie_id message { color } } } pageInfo { hasPreviousPage startCursor } } }',
  );
  assert.match(
    publish.text,
    /^mutation Publish\(\$data: JSON!\) { publish\( stream: "user-events" key: "92ebe247-/,
  );
  assert.equal(publish.variables.data.shade, 'teal');
  assert.equal(publish.variables.data.cookie_id, 'a09c4ca3-d142-4312-ba78-029c3355b8ef');
});

test('without the sample stream, the first one serves', () => {
  const [latest, chosen, publish] = compose([userUtm], ['user-utm']);
  assert.equal(latest.text, 'query Latest { userUtm(last: 20) { nodes { time topic data { source } } } }');
  assert.equal(
    chosen.text,
    'query ChosenFields { userUtm(last: 10) { nodes { time data { source deep { medium } } } ' +
      'pageInfo { hasPreviousPage startCursor } } }',
  );
  assert.match(publish.text, /stream: "user-utm"/);
  assert.deepEqual(publish.variables, { data: { shade: 'teal' } });
});

const telemetry = stream(
  'telemetry',
  'Telemetry',
  'type TelemetryData { battery: Int device: String humidity: Float temperature: Float }',
);

test('what is live comes from the liveliest stream, or from that of the other tabs', () => {
  const [, , , live, resume] = compose([userEvents, telemetry]);
  assert.equal(
    live.text,
    'subscription Live { telemetry(from: "now-1m") ' +
      '{ message { time topic data { temperature humidity battery } } } }',
  );
  assert.equal(
    resume.text,
    'query Resume { telemetry(last: 3) { nodes { time topic data { temperature } } resumeCursor } } ' +
      'subscription ResumeLive($resumeCursor: ResumeCursor) ' +
      '{ telemetry(resume: $resumeCursor) { message { time topic data { temperature } } } }',
  );
  assert.deepEqual(resume.variables, { resumeCursor: null });

  const [, , , other] = compose([userUtm]);
  assert.equal(
    other.text,
    'subscription Live { userUtm(from: "now-1m") { message { time topic data { source } } } }',
  );
});

test('before the first message there is still something to run', () => {
  const [latest, chosen, publish] = compose([]);
  assert.equal(latest.text, 'query Latest { streams { name } }');
  assert.equal(chosen.text, 'query ChosenFields { streams { name retention } }');
  assert.match(publish.text, /stream: "user-events"/);
});

test('the published field is one that the stream does not have', () => {
  const known = stream('userEvents', 'UserEvents', 'type UserEventsData { shade: String }');
  const [, , publish] = compose([known]);
  assert.equal(publish.variables.data.mood, 'calm');
});

test('a schema without mutations has no Publish tab', () => {
  assert.equal(compose([userEvents], [], BASE.replace(/type Mutation.*/, '')).length, 4);
});

test('streams of odd shapes make valid tabs', () => {
  compose([stream('a', 'A', 'scalar AData')]);
  compose([stream('a', 'A', 'type AData { b: B } type B { c: C } type C { d: Int }')]);
  compose([stream('a', 'A', 'type AData { b(need: Int!): Int c: [AData] }')]);
});

test('without subscriptions there is nothing live', () => {
  const queriesOnly = { ...userEvents, events: '' };
  assert.equal(compose([queriesOnly]).length, 3);
});

test('every tab says in two lines what to try', () => {
  for (const { comments } of [...compose([userEvents]), ...compose([])]) assert.equal(comments, 2);
});
