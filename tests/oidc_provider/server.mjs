// A second provider, from another maker: oidc-provider over TLS, with its own login and consent pages, which take any password.
//
// tests/environment starts it. Its settings are one JSON object in OIDC_PROVIDER: see tests/environment/oidc_provider.py.

import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { modules, directory, port, clients, lifetime } = JSON.parse(process.env.OIDC_PROVIDER);
// The packages are in target/tools, not beside this file.
const entry = createRequire(`${modules}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry));

const provider = new Provider(`https://localhost:${port}`, {
  clients,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // Each refresh token works once; a second use ends the login (RFC 9700, section 4.14.2).
  rotateRefreshToken: true,
  ttl: { AccessToken: lifetime, Grant: 86400, RefreshToken: 86400, Session: 3600, Interaction: 600 },
  pkce: { required: () => true },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'],
  enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] },
  features: {
    clientCredentials: { enabled: true },
    mTLS: {
      enabled: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => ctx.socket.getPeerX509Certificate(),
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) =>
        property === 'tls_client_auth_subject_dn' && ctx.socket.getPeerX509Certificate().subject === expected,
    },
  },
});

// All that must never be seen elsewhere. Only the tests read this file.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path !== '/token') return;
  const { grant_type, code, code_verifier, refresh_token, client_secret } = ctx.oidc?.params ?? {};
  const issued = ctx.status === 200 ? ctx.body : {};
  const line = {
    grant_type,
    status: ctx.status,
    error: ctx.body?.error,
    authentication: ctx.headers.authorization ? 'basic' : client_secret ? 'body' : 'none',
    received: { code, code_verifier, refresh_token },
    issued: { access_token: issued.access_token, refresh_token: issued.refresh_token, id_token: issued.id_token },
  };
  appendFileSync(`${directory}/exchanges.jsonl`, `${JSON.stringify(line)}\n`, { mode: 0o600 });
});

const [cert, key] = ['crt', 'key'].map((kind) => readFileSync(`${directory}/server.${kind}`));
// A client that authenticates with its certificate has it by the same CA; others need none.
const clientsWithCertificates = { ca: readFileSync(`${directory}/ca.crt`), requestCert: true, rejectUnauthorized: false };
createServer({ cert, key, ...clientsWithCertificates }, provider.callback()).listen(port, '127.0.0.1');
