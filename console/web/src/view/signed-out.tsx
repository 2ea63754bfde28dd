import { useState, type FormEvent } from 'react';
import { foreignOrigin, readCode } from '../session/code';
import type { Reason } from '../session/session';
import { Brand } from './brand';

interface Props {
  reason: Reason;
  /** What the server said about it, if anything. */
  detail: string;
  signIn(code: string): Promise<void>;
}

const WHAT: Record<Reason, { title: string; text: string }> = {
  'no-code': {
    title: 'You are not signed in',
    text: 'This page opens with an address that holds a one-time code. The server prints one when it starts.',
  },
  'code-refused': {
    title: 'This address no longer works',
    text: 'Its code works once, and only for a while. A new address takes a moment.',
  },
  unanswered: {
    title: 'The server did not answer',
    text: 'The code may still be good: check that the server runs, then open the address again.',
  },
  'token-refused': {
    title: 'Your sign-in has ended',
    text: 'It expired, or the server was started anew. Your tabs are kept.',
  },
};

/** Says why nobody is signed in and how to sign in, and takes a pasted address or code. */
export function SignedOut({ reason, detail, signIn }: Props) {
  const [pasted, setPasted] = useState('');
  const [hint, setHint] = useState('');
  const { title, text } = WHAT[reason];

  function submit(event: FormEvent) {
    event.preventDefault();
    const elsewhere = foreignOrigin(pasted, location.origin);
    const code = readCode(pasted);
    if (elsewhere) setHint(`That address belongs to ${elsewhere}: open it there.`);
    else if (!code) setHint('There is no code in that. It looks like http://…/#code=…');
    else void signIn(code);
  }

  return (
    <main className="panel" aria-labelledby="signed-out-title">
      <div className="panel-card">
        <Brand />
        <h1 id="signed-out-title">{title}</h1>
        <p>{text}</p>
        {detail && <p className="panel-detail">The server says: {detail}</p>}
        <h2>Get a new address</h2>
        <p>In the folder where the server was started, run</p>
        <pre>tidegate page</pre>
        <p>or, in the source tree,</p>
        <pre>cargo run --release -- page</pre>
        <p>and open what it prints.</p>
        <form onSubmit={submit}>
          <label htmlFor="pasted">Or paste the address, or its code, here</label>
          <div className="panel-field">
            <input
              id="pasted"
              value={pasted}
              onChange={(event) => setPasted(event.target.value)}
              placeholder={`${location.origin}/#code=…`}
              autoComplete="off"
              spellCheck={false}
              aria-describedby="pasted-hint"
              autoFocus
            />
            <button type="submit" disabled={pasted.trim() === ''}>
              Sign in
            </button>
          </div>
          <p id="pasted-hint" className="panel-hint" role="alert">
            {hint}
          </p>
        </form>
      </div>
    </main>
  );
}
