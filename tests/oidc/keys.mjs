// The keys of an issuer, and tokens that nobody would give out: any header, any claims, signed as the header says.
import { constants, createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** Each algorithm that is signed with: how its keys are made, and how `node:crypto` is told to sign. */
const ALGORITHMS = {
  RS256: { make: ['rsa', { modulusLength: 2048 }], hash: 'sha256', how: { padding: constants.RSA_PKCS1_PADDING } },
  ES256: { make: ['ec', { namedCurve: 'P-256' }], hash: 'sha256', how: { dsaEncoding: 'ieee-p1363' } },
  EdDSA: { make: ['ed25519'], hash: null, how: {} },
};

/** A key for each algorithm, the `generation`th: what is published, and the key itself. */
export function generate(generation) {
  return Object.entries(ALGORITHMS).map(([alg, { make }]) => {
    const { privateKey } = generateKeyPairSync(...make);
    const jwk = { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: kid(alg, generation) };
    return { alg, privateKey, jwk };
  });
}

/** Keys that issuers publish beside those: for encryption, and of a kind that not everybody knows. */
export function generateOthers() {
  const jwk = (...make) => generateKeyPairSync(...make).privateKey.export({ format: 'jwk' });
  return [
    { ...jwk('rsa', { modulusLength: 2048 }), alg: 'RSA-OAEP', use: 'enc', kid: 'for-encryption' },
    { ...jwk('ec', { namedCurve: 'P-521' }), alg: 'ES512', use: 'sig', kid: 'of-another-curve' },
    { ...jwk('x25519'), use: 'enc', kid: 'for-agreement' },
  ];
}

export const kid = (alg, generation) => `${alg.toLowerCase()}-${generation}`;

/** A token of these claims. What `header` has stands instead of what an access token would have; null takes it out. */
export function mint(keys, header, claims) {
  const alg = header.alg ?? 'RS256';
  const key = keys.find((key) => key.alg === alg) ?? keys[0];
  const full = { alg, typ: 'at+jwt', kid: key.jwk.kid, ...header };
  for (const name of Object.keys(full)) if (full[name] === null) delete full[name];
  const encoded = [full, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const message = encoded.join('.');
  return `${message}.${signature(key, alg, message)}`;
}

function signature(key, alg, message) {
  if (alg === 'none') return '';
  if (alg === 'HS256') {
    // The oldest of all tricks: what everybody may know, taken for a secret.
    const known = createPublicKey(key.privateKey).export({ format: 'pem', type: 'spki' });
    return createHmac('sha256', known).update(message).digest('base64url');
  }
  const { hash, how } = ALGORITHMS[alg];
  return sign(hash, Buffer.from(message), { key: key.privateKey, ...how }).toString('base64url');
}
