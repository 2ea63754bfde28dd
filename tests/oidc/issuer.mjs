// An issuer for the tests: oidc-provider, with client credentials, on a port of its own. Its first line on standard output
// is its address; after that each line on standard input, an order in JSON, is answered by a line. It ends with its input.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Provider, errors } from 'oidc-provider';
import { generate, generateOthers, kid, mint } from './keys.mjs';

const AUDIENCE = 'tidegate';
/** Clients, all with one secret, and the scopes that each may ask for. */
const CLIENTS = { reader: 'data.read', writer: 'data.read data.write' };
/** How long a token is good, in seconds. */
const TOKEN_SECONDS = 300;

let generation = 1;
let keys = generate(generation);
const others = generateOthers();
let keyRequests = 0;
/** Ids of tokens that it gave, and of those that it does not stand by any more; how often it was asked about one. */
const issued = new Set();
const revoked = new Set();
let introspections = 0;
let isAway = false;

/** What answers for `issuer` with the keys as they are now: whoever asks names in `resource` how its token is signed. */
function provider(issuer) {
  const getResourceServerInfo = (_, resource) => {
    const alg = /^urn:tidegate:(RS256|ES256|EdDSA)$/.exec(resource)?.[1];
    if (!alg) throw new errors.InvalidTarget();
    return {
      scope: 'data.read data.write',
      audience: AUDIENCE,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg, kid: kid(alg, generation) } },
    };
  };
  const made = new Provider(issuer, {
    jwks: { keys: [...others, ...keys.map((key) => key.jwk)] },
    clients: Object.entries(CLIENTS).map(([client_id, scope]) => ({
      client_id,
      client_secret: process.env.SECRET,
      scope,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    scopes: ['data.read', 'data.write'],
    ttl: { ClientCredentials: TOKEN_SECONDS },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'ES256', 'ES512', 'EdDSA'],
      requestObjectEncryptionAlgValues: ['RSA-OAEP', 'ECDH-ES'],
    },
    features: {
      encryption: { enabled: true },
      requestObjects: { enabled: true },
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo },
      introspection: { enabled: true },
    },
    formats: { customizers: { jwt: (_, _token, jwt) => issued.add(jwt.payload.jti) && undefined } },
  });
  made.on('server_error', (_, error) => console.error(error));
  return made.callback();
}

/** Says whether it stands by a token: oidc-provider's own answer is that it says nothing of tokens that are JWTs. */
async function introspect(request, response) {
  introspections += 1;
  const pair = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
  if (pair !== `gateway:${process.env.SECRET}`) return response.writeHead(401).end('{"error":"invalid_client"}');
  let body = '';
  for await (const piece of request) body += piece;
  const token = new URLSearchParams(body).get('token') ?? '';
  const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}');
  const active = issued.has(jti) && !revoked.has(jti);
  return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ active }));
}

const server = createServer((request, response) => {
  keyRequests += request.url === '/jwks';
  if (request.url === '/token/introspection') introspect(request, response);
  else answer(request, response);
});
// Its port stays its own while it is away: nobody else can come to be there.
server.on('connection', (socket) => isAway && socket.destroy());
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
let answer = provider(issuer);
console.log(JSON.stringify(issuer));

const ORDERS = {
  mint: ({ header, claims }) => mint(keys, header, claims),
  rotate: ({ drop_old: dropOld }) => {
    generation += 1;
    keys = [...generate(generation), ...(dropOld ? [] : keys)];
    answer = provider(issuer);
  },
  key_requests: () => keyRequests,
  introspections: () => introspections,
  revoke: ({ jti }) => {
    revoked.add(jti);
  },
  stop: () => {
    isAway = true;
    server.closeAllConnections();
  },
  restart: () => {
    isAway = false;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...more } = JSON.parse(line);
  console.log(JSON.stringify(ORDERS[order](more) ?? null));
}
process.exit(0);
