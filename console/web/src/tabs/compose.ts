import { parse, print, validate, type GraphQLSchema } from 'graphql';
import { chosenFields, chosenFieldsOfNothing } from './chosen-fields';
import { latest, latestOfNothing } from './latest';
import { live, resume } from './live';
import { publish } from './publish';
import { LIVELY_FIELD, SAMPLE_FIELD } from './sample';
import { dataStreams } from './shape';

/** A tab as GraphiQL takes it; its title is the operation's name. */
export interface TabText {
  query: string;
  variables?: string;
}

/**
 * The tabs of a first visit, made of what the schema has: the sample stream if it is there, else the
 * first stream with messages, else the list of streams. What is live prefers the demo's liveliest stream.
 * `streamNames` are the streams' own names.
 */
export function composeTabs(schema: GraphQLSchema, streamNames: string[]): TabText[] {
  const streams = dataStreams(schema);
  const stream = streams.find(({ field }) => field.name === SAMPLE_FIELD) ?? streams[0];
  const publishing = publish(schema, stream, streamNames);
  const lively = streams.find(({ field }) => field.name === LIVELY_FIELD) ?? stream;
  const living = lively && live(schema, lively);
  const resuming = lively && resume(schema, lively);
  const tabs: TabText[] = [
    { query: stream ? latest(stream) : latestOfNothing(schema) },
    { query: stream ? chosenFields(stream) : chosenFieldsOfNothing(schema) },
    ...(publishing ? [publishing] : []),
    ...(living ? [{ query: living }] : []),
    ...(resuming ? [resuming] : []),
  ];
  return tabs
    .map((tab) => ({ ...tab, query: tidy(tab.query) }))
    .filter(({ query }) => validate(schema, parse(query)).length === 0);
}

/**
 * Prints an operation in the usual form, below its leading comments. Those are kept to 36 columns, the
 * width of the editor in a window of 1280 pixels.
 */
function tidy(text: string): string {
  const lines = text.trim().split('\n');
  const comments = lines.filter((line) => line.startsWith('#'));
  return `${comments.join('\n')}\n${print(parse(text))}\n`;
}
