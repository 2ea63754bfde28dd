import type { GraphQLSchema } from 'graphql';
import { hasArgs, leavesAmong, leavesOf, nestedSelection, objectOf, type DataStream } from './shape';

/** The newest messages of a stream with the first few of their fields. */
export function latest({ field, node }: DataStream): string {
  const args = hasArgs(field, 'last') ? '(last: 20)' : '';
  const ofMessage = leavesAmong(node, ['time', 'topic']);
  const selection = [...ofMessage, dataSelection(node, ofMessage, 5)].join(' ');
  return `
# The newest messages. Press ▶, then
# tick fields in the explorer, left.
query Latest { ${field.name}${args} { nodes { ${selection} } } }`;
}

/** What to ask while no stream has a message. */
export function latestOfNothing(schema: GraphQLSchema): string {
  return `
# No messages yet. Run Publish: its
# stream joins the explorer at once.
query Latest { ${streamsSelection(schema, 1)} }`;
}

/** `streams { name … }` with at most `count` fields, or the least that every schema answers. */
export function streamsSelection(schema: GraphQLSchema, count: number): string {
  const stream = objectOf(schema.getQueryType()?.getFields().streams);
  if (!stream) return '__typename';
  const leaves = new Set([...leavesAmong(stream, ['name']), ...leavesOf(stream)]);
  return `streams { ${[...leaves].slice(0, count).join(' ') || '__typename'} }`;
}

/** The first few fields of a message's data, `count` at most. */
export function dataSelection(node: DataStream['node'], shownAlready: string[], count: number): string {
  const data = objectOf(node.getFields().data);
  if (!data) return leavesAmong(node, ['data'])[0] ?? '__typename';
  const leaves = leavesOf(data)
    .filter((name) => !shownAlready.includes(name))
    .slice(0, count)
    .join(' ');
  return `data { ${leaves || nestedSelection(data) || '__typename'} }`;
}
