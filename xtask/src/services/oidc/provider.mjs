// A provider of identities for tests: oidc-provider over TLS, with clients that are named after the
// roles that their tokens carry. `POST /-/keys` lets it go on with new keys, as one does that rotates
// them, and answers when these count.
//
// Arguments: the folder of oidc-provider, the port, the certificate, its key, the clients' secret.
import { generateKeyPair, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const [modules, port, certificate, key, secret] = process.argv.slice(2);
const at = createRequire(`${modules}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(at));
const issuer = `https://localhost:${port}`;
const generate = promisify(generateKeyPair);

const kinds = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  EdDSA: ['ed25519', {}],
};

async function keys() {
  return Promise.all(Object.entries(kinds).map(async ([alg, [kind, options]]) => {
    const { privateKey } = await generate(kind, options);
    return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg, use: 'sig' };
  }));
}

const claims = {
  admin: { realm: { roles: ['chief', 'staff'] } },
  operator: { realm: { roles: ['staff'] }, places: ['north', 'south'] },
  viewer: { realm: { roles: ['guest'] }, places: '*' },
  nobody: { realm: { roles: ['cook'] }, places: '*' },
  roleless: {},
};

// What is meant for whom, and signed how, says the resource: https://AUDIENCE.test/ALGORITHM.
function resource(name) {
  const { hostname, pathname } = new URL(name);
  return {
    scope: 'all',
    audience: hostname.replace(/\.test$/, ''),
    accessTokenTTL: 300,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: pathname.slice(1) } },
  };
}

async function provider() {
  const made = new Provider(issuer, {
    jwks: { keys: await keys() },
    clients: Object.keys(claims).map((name) => ({
      client_id: name,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    extraTokenClaims: (_, token) => claims[token.clientId],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, name) => resource(name),
      },
    },
  });
  return made.callback();
}

let answer = await provider();
createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, async (request, response) => {
  if (request.method === 'POST' && request.url === '/-/keys') {
    answer = await provider();
    response.end();
  } else {
    answer(request, response);
  }
}).listen(Number(port), '127.0.0.1');
