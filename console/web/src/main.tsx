import './workers';
import { createRoot } from 'react-dom/client';
import { Handover } from './live/handover';
import { LiveStatus } from './live/status';
import { createFetcher } from './server/fetcher';
import { LiveSchema } from './server/live-schema';
import { createRequest } from './server/request';
import { takeCodeFromAddress } from './session/code';
import { Session } from './session/session';
import { App } from './view/app';
import './view/styles';

const session = new Session();
const request = createRequest(session);
const schema = new LiveSchema(request);
const status = new LiveStatus();
const handover = new Handover();
const fetcher = createFetcher({ session, request, schema, status, handover });

function signInFromAddress() {
  const code = takeCodeFromAddress();
  if (code) void session.signIn(code);
}
signInFromAddress();
// An address with a new code, opened in this tab, differs in its fragment only: nothing reloads.
window.addEventListener('hashchange', signInFromAddress);

const root = document.getElementById('root');
if (root) createRoot(root).render(<App {...{ session, request, schema, status, handover, fetcher }} />);
