import { isRequiredArgument, type GraphQLSchema } from 'graphql';
import { newField, SAMPLE_DATA, SAMPLE_FIELD, SAMPLE_KEY, SAMPLE_STREAM } from './sample';
import { fieldsOf, hasArgs, leavesAmong, leavesOf, objectOf, type DataStream } from './shape';

/** A mutation that publishes one message, and the message; null where the schema has none. */
export function publish(
  schema: GraphQLSchema,
  stream: DataStream | undefined,
  streamNames: string[],
): { query: string; variables: string } | null {
  const field = schema.getMutationType()?.getFields().publish;
  const result = objectOf(field);
  const data = field?.args.find((arg) => arg.name === 'data');
  if (!field || !result || !data || !hasArgs(field, 'stream')) return null;
  if (field.args.some((arg) => isRequiredArgument(arg) && !['stream', 'data'].includes(arg.name)))
    return null;

  const name = nameOf(stream, streamNames);
  const isSample = name === SAMPLE_STREAM;
  const known = fieldsOf(objectOf(stream?.node.getFields().data)).map(({ name }) => name);
  const [fieldName, value] = newField(known);
  const key = isSample && hasArgs(field, 'key') ? `key: "${SAMPLE_KEY}"` : '';
  const selection = leavesAmong(result, ['position'])[0] ?? leavesOf(result)[0] ?? '__typename';
  const query = `
# "${fieldName}" is new to this stream: run
# this, and every tab knows it.
mutation Publish($data: ${data.type}) {
  publish(stream: ${JSON.stringify(name)} ${key} data: $data) { ${selection} }
}`;
  const variables = { data: { [fieldName]: value, ...(isSample ? SAMPLE_DATA : {}) } };
  return { query, variables: JSON.stringify(variables, null, 2) };
}

/** The name under which a stream is published to: its root field is that name in camel case. */
function nameOf(stream: DataStream | undefined, streamNames: string[]): string {
  if (!stream || stream.field.name === SAMPLE_FIELD) return SAMPLE_STREAM;
  return streamNames.find((name) => camelCase(name) === stream.field.name) ?? stream.field.name;
}

function camelCase(name: string): string {
  return name.replace(/[^A-Za-z0-9]+(.)/g, (_separator, next: string) => next.toUpperCase());
}
