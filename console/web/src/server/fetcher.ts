import type { Fetcher } from '@graphiql/toolkit';
import type { Handover } from '../live/handover';
import type { LiveStatus } from '../live/status';
import { subscription } from '../live/subscription';
import type { Session } from '../session/session';
import type { LiveSchema } from './live-schema';
import { chooseOperation, isSubscription } from './operation';
import type { Request } from './request';

interface Parts {
  session: Session;
  request: Request;
  schema: LiveSchema;
  status: LiveStatus;
  handover: Handover;
}

/** How GraphiQL runs an operation. Queries and mutations are one POST, subscriptions a stream of events. */
export function createFetcher({ session, request, schema, status, handover }: Parts): Fetcher {
  return (async ({ query, operationName: selected, variables }) => {
    const operationName = chooseOperation(query, selected);
    const operation = { query, operationName, variables };
    if (isSubscription(query, operationName)) return subscription(session, status, operation);
    const answer = await request(operation);
    // What was just run may have taught the server a new field.
    void schema.check();
    handover.offer(query, answer.result);
    return answer.result;
  }) as Fetcher;
}
