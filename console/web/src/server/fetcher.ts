import type { Fetcher, FetcherReturnType } from '@graphiql/toolkit';
import type { LiveSchema } from './live-schema';
import { chooseOperation } from './operation-name';
import type { Request } from './request';

/**
 * How GraphiQL runs an operation. Queries and mutations are one POST. A subscription would return an
 * AsyncIterable from here (over a WebSocket); until then it goes the same way, and the server says no.
 */
export function createFetcher(request: Request, schema: LiveSchema): Fetcher {
  return async ({ query, operationName, variables }) => {
    const answer = await request({ query, operationName: chooseOperation(query, operationName), variables });
    // What was just run may have taught the server a new field.
    void schema.check();
    return answer.result as Awaited<FetcherReturnType>;
  };
}
