import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSchema, graphqlSync } from 'graphql';
import { LiveSchema } from '../src/server/live-schema';
import type { Operation } from '../src/server/request';

/** A server whose schema and version the test sets, and which counts what it is asked. */
function server(sdl: string) {
  const asked: string[] = [];
  const self = {
    sdl,
    version: 'v1' as string | null,
    away: false,
    asked,
    request: async ({ query, operationName }: Operation) => {
      asked.push(operationName ?? query);
      if (self.away)
        return { result: { errors: [{ message: 'away' }] }, schemaVersion: null, answered: false };
      const result = graphqlSync({ schema: buildSchema(self.sdl), source: query });
      return { result: { ...result }, schemaVersion: self.version, answered: true };
    },
  };
  return self;
}

test('the schema is read again when its version changes, and what is new is told', async () => {
  const own = server('type Query { a: Int }');
  const live = new LiveSchema(own.request);
  await live.check();
  assert.deepEqual(Object.keys(live.state().schema?.getQueryType()?.getFields() ?? {}), ['a']);
  assert.equal(live.state().change, null);

  await live.check();
  assert.deepEqual(own.asked, ['{ __typename }', 'IntrospectionQuery', '{ __typename }']);

  own.sdl = 'type Query { a: Int b: Int }';
  own.version = 'v2';
  await live.check();
  assert.deepEqual(live.state().change?.fields, ['Query.b']);
});

test('a check asked for during a check is made after it', async () => {
  const own = server('type Query { a: Int }');
  const live = new LiveSchema(own.request);
  await live.check();
  own.asked.length = 0;
  await Promise.all([live.check(), live.check(), live.check()]);
  assert.deepEqual(own.asked, ['{ __typename }', '{ __typename }']);
});

test('a server that is away is told, and the schema kept', async () => {
  const own = server('type Query { a: Int }');
  const live = new LiveSchema(own.request);
  await live.check();
  own.away = true;
  await live.check();
  assert.equal(live.state().trouble, 'away');
  assert.notEqual(live.state().schema, null);
  own.away = false;
  await live.check();
  assert.equal(live.state().trouble, null);
});

test('without versions the schema is read once', async () => {
  const own = server('type Query { a: Int }');
  own.version = null;
  const live = new LiveSchema(own.request);
  await live.check();
  await live.check();
  assert.deepEqual(own.asked, ['{ __typename }', 'IntrospectionQuery', '{ __typename }']);
});
