/** What became of a one-time code. */
export type Exchange =
  | { kind: 'token'; token: string }
  /** The server knows the code no longer: it was used, or has expired. */
  | { kind: 'refused'; detail: string }
  /** No answer, or none that this page understands. The code may still be good. */
  | { kind: 'unanswered'; detail: string };

const WAIT_MS = 20_000;

/** Trades a one-time code for an access token. */
export async function exchangeCode(code: string): Promise<Exchange> {
  let response: Response;
  let body: Record<string, unknown>;
  try {
    response = await fetch(new URL('oauth/code', document.baseURI), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ code }),
      credentials: 'omit',
      signal: AbortSignal.timeout(WAIT_MS),
    });
    body = Object(await response.json());
  } catch (error) {
    return { kind: 'unanswered', detail: String(error) };
  }
  if (response.ok && typeof body.access_token === 'string') {
    return { kind: 'token', token: body.access_token };
  }
  const detail = typeof body.error_description === 'string' ? body.error_description : '';
  if (response.status >= 400 && response.status < 500) return { kind: 'refused', detail };
  return { kind: 'unanswered', detail: detail || `HTTP ${response.status}` };
}
