import {
  getNamedType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

type Field = GraphQLField<unknown, unknown>;

/** A root field that pages through the messages of a stream. */
export interface DataStream {
  field: Field;
  connection: GraphQLObjectType;
  /** The type of one message. */
  node: GraphQLObjectType;
}

/** The root fields whose type is a connection with `nodes`, in the schema's order. */
export function dataStreams(schema: GraphQLSchema): DataStream[] {
  const streams: DataStream[] = [];
  for (const field of fieldsOf(schema.getQueryType())) {
    const connection = objectOf(field);
    const node = objectOf(connection?.getFields().nodes);
    if (connection && node && selectable(field)) streams.push({ field, connection, node });
  }
  return streams;
}

export function fieldsOf(type: GraphQLObjectType | null | undefined): Field[] {
  return type ? Object.values(type.getFields()) : [];
}

/** The object type that a field leads to, if it does. */
export function objectOf(field: Field | undefined): GraphQLObjectType | null {
  const type = field && getNamedType(field.type);
  return isObjectType(type) ? type : null;
}

/** Fields that are values by themselves. */
export function leavesOf(type: GraphQLObjectType): string[] {
  return fieldsOf(type)
    .filter((field) => selectable(field) && isLeafType(getNamedType(field.type)))
    .map((field) => field.name);
}

/** Those of `names` that the type has as leaves. */
export function leavesAmong(type: GraphQLObjectType | null, names: string[]): string[] {
  const leaves = type ? leavesOf(type) : [];
  return names.filter((name) => leaves.includes(name));
}

export function hasArgs(field: Field, ...names: string[]): boolean {
  return names.every((name) => field.args.some((arg) => arg.name === name));
}

/** `name { leaf }` for the first object below `type` that has a leaf, looked for `depth` levels down. */
export function nestedSelection(type: GraphQLObjectType, depth = 3): string | null {
  for (const field of fieldsOf(type)) {
    const object = selectable(field) ? objectOf(field) : null;
    if (!object) continue;
    const [leaf] = leavesOf(object);
    const inner = leaf ?? (depth > 1 ? nestedSelection(object, depth - 1) : null);
    if (inner) return `${field.name} { ${inner} }`;
  }
  return null;
}

function selectable(field: Field): boolean {
  return !field.args.some(isRequiredArgument);
}
