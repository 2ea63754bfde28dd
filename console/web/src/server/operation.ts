import { getOperationAST, Kind, OperationTypeNode, parse } from 'graphql';

/**
 * The name to run a document under. GraphiQL learns a tab's operation a moment after it shows the tab;
 * who is quicker would run the text of one tab under the name from another.
 */
export function chooseOperation(query: string, selected: string | null | undefined): string | null {
  let names: (string | null)[];
  try {
    names = parse(query, { noLocation: true })
      .definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
      .map((operation) => operation.name?.value ?? null);
  } catch {
    // The server says what is wrong with the document.
    return selected ?? null;
  }
  return names.length === 1 ? names[0] : (selected ?? null);
}

/** Whether the operation of that name is a subscription. */
export function isSubscription(query: string, name: string | null): boolean {
  try {
    const operation = getOperationAST(parse(query, { noLocation: true }), name);
    return operation?.operation === OperationTypeNode.SUBSCRIPTION;
  } catch {
    return false;
  }
}
