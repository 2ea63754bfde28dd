import { isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql';

/** The fields that `after` has on types that `before` knew already, as `Type.field`. */
export function addedFields(before: GraphQLSchema, after: GraphQLSchema): string[] {
  const added: string[] = [];
  for (const type of Object.values(after.getTypeMap())) {
    const known = before.getType(type.name);
    if (!hasFields(type) || !hasFields(known) || type.name.startsWith('__')) continue;
    const names = known.getFields();
    for (const name of Object.keys(type.getFields())) {
      if (!(name in names)) added.push(`${type.name}.${name}`);
    }
  }
  return added;
}

function hasFields(type: unknown) {
  return isObjectType(type) || isInterfaceType(type);
}
