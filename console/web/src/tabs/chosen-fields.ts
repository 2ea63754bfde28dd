import type { GraphQLSchema } from 'graphql';
import { streamsSelection } from './latest';
import { SAMPLE_TOPIC } from './sample';
import { hasArgs, leavesAmong, leavesOf, nestedSelection, objectOf, type DataStream } from './shape';

/** A few chosen fields, one of them nested, and where the page before this one starts. */
export function chosenFields(stream: DataStream): string {
  const { field, connection, node } = stream;
  const data = objectOf(node.getFields().data);
  const isSample =
    hasArgs(field, 'topic', 'last') &&
    leavesAmong(data, ['cookie_id']).length > 0 &&
    leavesAmong(objectOf(data?.getFields().message), ['color']).length > 0;
  const args = [isSample ? `topic: "${SAMPLE_TOPIC}"` : '', hasArgs(field, 'last') ? 'last: 10' : ''].filter(
    Boolean,
  );
  const inData = isSample ? 'cookie_id message { color }' : data && fewOf(data);
  const selection = [...leavesAmong(node, ['time']), inData ? `data { ${inData} }` : leavesOf(node)[0]];
  const page = leavesAmong(objectOf(connection.getFields().pageInfo), ['hasPreviousPage', 'startCursor']);
  return `
# Only fields named here come back.
# Ctrl-Space among them lists more.
query ChosenFields {
  ${field.name}${args.length > 0 ? `(${args.join(' ')})` : ''} {
    nodes { ${selection.join(' ')} }
    ${page.length > 0 ? `pageInfo { ${page.join(' ')} }` : ''}
  }
}`;
}

/** What to ask while no stream has a message. */
export function chosenFieldsOfNothing(schema: GraphQLSchema): string {
  return `
# Only fields named here come back.
# Ctrl-Space among them lists more.
query ChosenFields { ${streamsSelection(schema, 3)} }`;
}

function fewOf(data: DataStream['node']): string {
  const nested = nestedSelection(data);
  const leaves = leavesOf(data).slice(0, nested ? 1 : 2);
  return [...leaves, nested ?? ''].join(' ').trim() || '__typename';
}
