import type { GraphQLSchema } from 'graphql';
import { dataSelection } from './latest';
import { LIVELY_DATA } from './sample';
import { hasArgs, leavesAmong, objectOf, type DataStream } from './shape';

const FIELDS = 3;
/** Less of each message: two operations share the editor. */
const FIELDS_BESIDE = 1;

/** The messages of the last minute, and those that come. */
export function live(schema: GraphQLSchema, stream: DataStream): string | null {
  const events = eventsOf(schema, stream);
  if (!events) return null;
  const from = hasArgs(events.field, 'from') ? '(from: "now-1m")' : '';
  return `
# Messages as they come: ▶ starts and
# ■ stops. "from" tells since when.
subscription Live { ${stream.field.name}${from} { ${events.selection(FIELDS)} } }`;
}

/** A page, and a subscription that goes on where the page ends. */
export function resume(
  schema: GraphQLSchema,
  stream: DataStream,
): { query: string; variables: string } | null {
  const events = eventsOf(schema, stream);
  const argument = events?.field.args.find(({ name }) => name === 'resume');
  if (!events || !argument || leavesAmong(stream.connection, ['resumeCursor']).length === 0) return null;
  const name = stream.field.name;
  const query = `
# ▶ Resume puts its resumeCursor in
# the variables; ResumeLive goes on.
query Resume {
  ${name}${hasArgs(stream.field, 'last') ? '(last: 3)' : ''} {
    nodes { ${messageSelection(stream, FIELDS_BESIDE)} }
    resumeCursor
  }
}
subscription ResumeLive($resumeCursor: ${argument.type}) {
  ${name}(resume: $resumeCursor) { ${events.selection(FIELDS_BESIDE)} }
}`;
  return { query, variables: JSON.stringify({ resumeCursor: null }, null, 2) };
}

/** The stream's field of the subscription type, and what to select of an event. */
function eventsOf(schema: GraphQLSchema, stream: DataStream) {
  const field = schema.getSubscriptionType()?.getFields()[stream.field.name];
  const event = objectOf(field);
  if (!field || !event || objectOf(event.getFields().message) !== stream.node) return null;
  const selection = (fields: number) => `message { ${messageSelection(stream, fields)} }`;
  return { field, selection };
}

function messageSelection({ node }: DataStream, fields: number): string {
  const ofMessage = leavesAmong(node, ['time', 'topic']);
  const lively = leavesAmong(objectOf(node.getFields().data), LIVELY_DATA).slice(0, fields);
  if (lively.length > 0) return [...ofMessage, `data { ${lively.join(' ')} }`].join(' ');
  return [...ofMessage, dataSelection(node, ofMessage, fields)].join(' ');
}
