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
    },
  });
  made.on('server_error', (_, error) => console.error(error));
  return made.callback();
}

const server = createServer((request, response) => {
  keyRequests += request.url === '/jwks';
  answer(request, response);
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
