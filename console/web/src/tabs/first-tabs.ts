import type { GraphQLSchema } from 'graphql';
import type { Request } from '../server/request';
import { composeTabs, type TabText } from './compose';

const WAIT_MS = 5_000;

/** For a schema that nothing can be composed from. */
const PLAIN: TabText = { query: 'query Latest {\n  __typename\n}\n' };

/** The tabs of a first visit, at least one. The streams' own names are left out if the server is slow. */
export async function firstTabs(request: Request, schema: GraphQLSchema): Promise<TabText[]> {
  const names = schema.getQueryType()?.getFields().streams ? await streamNames(request) : [];
  try {
    const tabs = composeTabs(schema, names);
    return tabs.length > 0 ? tabs : [PLAIN];
  } catch {
    // The schema breaks a rule of GraphQL; the documentation pane says which.
    return [PLAIN];
  }
}

async function streamNames(request: Request): Promise<string[]> {
  const { result } = await request({ query: '{ streams { name } }' }, AbortSignal.timeout(WAIT_MS));
  const data = result.data as { streams?: { name?: unknown }[] } | null | undefined;
  return (data?.streams ?? []).map(({ name }) => name).filter((name) => typeof name === 'string');
}
