import type { Fetcher } from '@graphiql/toolkit';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Handover } from '../live/handover';
import type { LiveStatus } from '../live/status';
import type { LiveSchema } from '../server/live-schema';
import type { Request } from '../server/request';
import type { Session } from '../session/session';
import type { TabText } from '../tabs/compose';
import { firstTabs } from '../tabs/first-tabs';
import { renewUntouchedTabs } from '../tabs/storage';
import { Console } from './console';
import { Connecting } from './connecting';
import { Notice } from './notice';
import { SignedOut } from './signed-out';

interface Props {
  session: Session;
  request: Request;
  schema: LiveSchema;
  status: LiveStatus;
  handover: Handover;
  fetcher: Fetcher;
}

/** The page: GraphiQL once a schema is there, and a panel above it while nobody is signed in. */
export function App({ session, request, schema: live, status, handover, fetcher }: Props) {
  const who = useSyncExternalStore(session.subscribe, session.state);
  const { schema, change, trouble } = useSyncExternalStore(live.subscribe, live.state);
  const liveTrouble = useSyncExternalStore(status.subscribe, status.trouble);
  const [tabs, setTabs] = useState<TabText[] | null>(null);
  const token = who.kind === 'signed-in' ? who.token : null;

  useEffect(() => (token ? live.watch() : undefined), [live, token]);

  const toCompose = tabs === null ? schema : null;
  useEffect(() => {
    if (!toCompose) return;
    void firstTabs(request, toCompose).then((composed) => {
      renewUntouchedTabs(composed);
      setTabs(composed);
    });
  }, [request, toCompose]);

  const signedOut = who.kind === 'signed-out' ? who : null;
  const ready = schema !== null && tabs !== null;
  return (
    <>
      {ready && (
        <div className="page" inert={signedOut !== null}>
          <Console schema={schema} fetcher={fetcher} status={status} handover={handover} tabs={tabs} />
          <Notice change={change} trouble={liveTrouble ?? trouble} />
        </div>
      )}
      {signedOut && <SignedOut {...signedOut} signIn={(code) => session.signIn(code)} />}
      {!ready && !signedOut && <Connecting trouble={trouble} />}
    </>
  );
}
