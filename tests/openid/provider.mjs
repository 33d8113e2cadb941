// The OpenID provider of the tests: oidc-provider, which nobody here wrote, with rotation on and token exchange
// registered. It counts what it is asked, and can lose its answers.
//
//   node provider.mjs MODULES [SETTINGS]
//
// MODULES is the folder that holds `node_modules`; SETTINGS is JSON, see `settings` below. Prints one line once
// it listens: {"issuer": "http://127.0.0.1:PORT"}. Ends when its stdin does. What begins with /_rig is not
// OpenID: /_rig/interaction, /_rig/login, /_rig/settings, /_rig/stats, /_rig/token.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, given] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'provider.mjs'));
const { default: Provider, errors } = await import(pathToFileURL(require.resolve('oidc-provider')));

const settings = {
  access_token_seconds: 900,
  refresh_token_seconds: 14 * 24 * 3600,
  // Each token request waits so long before, and after, it is acted on.
  before_ms: 0,
  after_ms: 0,
  // The answers to so many token requests are lost: acted on, then answered as `lose` says: a status, "503 wait" for
  // one with Retry-After, "page" for a page with status 200, or "close" for a connection that breaks.
  lose_next: 0,
  lose: 502,
  // So many token requests are not acted on, and answered as `refuse` says.
  refuse_next: 0,
  refuse: 503,
  // So many token requests are refused by the provider itself with this code, and not acted on.
  decline_next: 0,
  decline: 'invalid_request',
  ...(given ? JSON.parse(given) : {}),
};

const fresh = () => ({
  token_requests: 0, granted: 0, invalid_grant: 0, other: 0, lost: 0, refused: 0,
  declined: 0,
  // Refresh tokens presented to the token endpoint again after they were spent, those presented twice at all, and
  // those presented while an earlier request with the same token was under way.
  replays: 0, presented_twice: 0, overlapping: 0,
  exchanges: 0, discovery: 0, jwks: 0, introspections: 0, revocations: 0, logins: 0,
  in_flight: 0, most_in_flight: 0,
});
let stats = fresh();
const presented = new Map();
const spent = new Set();
// What happens to a refresh token when it is presented for the first time: {before_ms, refuse}, as in `settings`.
const fates = new Map();
// How many requests with this token are under way.
const underWay = new Map();

// Plain maps: the provider's own memory adapter forgets all but the latest thousand.
const maps = new Map();
const adapter = (name) => {
  if (!maps.has(name)) maps.set(name, new Map());
  const map = maps.get(name);
  return {
    async upsert(id, payload) { map.set(id, payload); },
    async find(id) { return map.get(id); },
    async findByUid(uid) { return [...map.values()].find((x) => x.uid === uid); },
    async findByUserCode(code) { return [...map.values()].find((x) => x.userCode === code); },
    async consume(id) { map.get(id).consumed = Math.floor(Date.now() / 1000); },
    async destroy(id) { map.delete(id); },
    async revokeByGrantId(grant) {
      for (const [id, payload] of map) if (payload.grantId === grant) map.delete(id);
    },
  };
};

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SECRET = 'rig secret: 100%';
const client = (id, method, secret) => ({
  client_id: id,
  token_endpoint_auth_method: method,
  ...(secret ? { client_secret: SECRET } : {}),
  grant_types: ['authorization_code', 'refresh_token', EXCHANGE],
  redirect_uris: ['https://app.example/callback'],
  response_types: ['code'],
});

// The provider's notices, on a stdout that nobody reads to its end.
console.log = () => {};
console.info = () => {};

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', 4096, listening));
server.keepAliveTimeout = 60_000;
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  adapter,
  clients: [
    client('colony_public', 'none'),
    client('colony_basic', 'client_secret_basic', true),
    client('colony_post', 'client_secret_post', true),
    {
      ...client('colony_native', 'none'),
      application_type: 'native',
      // Any port (RFC 8252, section 7.3).
      redirect_uris: ['http://127.0.0.1/callback'],
    },
  ],
  interactions: { url: (_, interaction) => `/_rig/interaction/${interaction.uid}` },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access', 'profile'],
  ttl: {
    AccessToken: () => settings.access_token_seconds,
    RefreshToken: () => settings.refresh_token_seconds,
    Grant: () => settings.refresh_token_seconds,
    IdToken: () => 300,
  },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  routes: {
    token: '/oauth/token', jwks: '/.well-known/jwks.json', introspection: '/oauth/introspect',
    revocation: '/oauth/revoke', userinfo: '/oauth/userinfo',
  },
  cookies: { keys: ['rig'] },
});

provider.registerGrantType(EXCHANGE, async (ctx) => {
  stats.exchanges += 1;
  const { subject_token: subject, audience, scope } = ctx.oidc.params;
  if (!subject || subject.startsWith('col_')) throw new errors.InvalidGrant('not a subject token');
  const grant = new provider.Grant({ accountId: 'agent', clientId: ctx.oidc.client.clientId });
  grant.addOIDCScope(scope ?? 'openid');
  const token = new provider.AccessToken({
    accountId: 'agent', client: ctx.oidc.client, grantId: await grant.save(), gty: EXCHANGE, scope: scope ?? 'openid',
  });
  const access = await token.save();
  const id = new provider.IdToken({ sub: 'agent' }, { ctx });
  id.scope = 'openid';
  ctx.body = {
    access_token: access, issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: token.expiration,
    scope: scope ?? 'openid', id_token: await id.issue({ use: 'idtoken' }),
  };
}, ['subject_token', 'subject_token_type', 'audience', 'scope', 'requested_token_type']);

// What a person's login would leave behind: a grant, and the first refresh token of its family.
async function login(clientId) {
  stats.logins += 1;
  const grant = new provider.Grant({ accountId: 'ada', clientId });
  grant.addOIDCScope('openid offline_access');
  const grantId = await grant.save();
  const common = {
    accountId: 'ada', client: await provider.Client.find(clientId), grantId, scope: 'openid offline_access',
    gty: 'authorization_code',
  };
  const access = new provider.AccessToken(common);
  const refresh = await new provider.RefreshToken({ ...common, authTime: 1, rotations: 0 }).save();
  return {
    access_token: await access.save(), refresh_token: refresh, expires_in: access.expiration,
    scope: common.scope, token_type: 'Bearer',
  };
}

// What a person would do at a browser: log in, each as somebody else, and consent.
async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  let result = { login: { accountId: `person-${params.state.slice(0, 8)}` } };
  if (prompt.name === 'consent') {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

const read = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const pause = (ms) => (ms > 0 ? new Promise((done) => { setTimeout(done, ms); }) : undefined);
const json = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

async function rig(request, response, path) {
  const body = request.method === 'POST' ? await read(request) : '';
  switch (path) {
    case '/_rig/login': {
      const { client_id: client = 'colony_public', fate } = JSON.parse(body || '{}');
      const given = await login(client);
      if (fate) fates.set(given.refresh_token, fate);
      return json(response, 200, given);
    }
    case '/_rig/settings': return json(response, 200, Object.assign(settings, JSON.parse(body)));
    case '/_rig/stats': {
      if (request.method === 'POST') stats = { ...fresh(), in_flight: stats.in_flight };
      return json(response, 200, stats);
    }
    // Whether a refresh token is good, without presenting it; and when it was presented, milliseconds since 1970.
    case '/_rig/token': {
      const { refresh_token: token } = JSON.parse(body);
      const found = await provider.RefreshToken.find(token);
      return json(response, 200, {
        known: Boolean(found), good: Boolean(found?.isValid), presented: presented.get(token) ?? [],
      });
    }
    default: return json(response, 404, {});
  }
}

const handle = provider.callback();

// What a gateway answers in the provider's place.
function asGateway(how, response, end, head) {
  if (how === 'close') return response.socket?.destroy();
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  if (how === 'page') {
    head(200, { 'content-type': 'text/html' });
    return end('<!doctype html><title>Welcome</title>');
  }
  const [status, wait] = String(how).split(' ');
  head(Number(status), wait ? { 'retry-after': '1' } : {});
  return end(Number(status) === 204 || Number(status) === 304 ? undefined : 'lost');
}

async function token(request, response) {
  const form = Object.fromEntries(new URLSearchParams(await read(request)));
  stats.token_requests += 1;
  stats.in_flight += 1;
  stats.most_in_flight = Math.max(stats.most_in_flight, stats.in_flight);
  const refresh = form.refresh_token;
  if (refresh) {
    const times = presented.get(refresh) ?? [];
    if (times.length > 0) stats.presented_twice += 1;
    if (spent.has(refresh)) stats.replays += 1;
    if (underWay.get(refresh) > 0) stats.overlapping += 1;
    presented.set(refresh, [...times, Date.now()]);
    underWay.set(refresh, (underWay.get(refresh) ?? 0) + 1);
  }
  const over = () => {
    stats.in_flight -= 1;
    if (refresh) underWay.set(refresh, underWay.get(refresh) - 1);
  };
  // As it was when the request came: what is set afterwards is for later ones.
  const fate = fates.get(refresh);
  fates.delete(refresh);
  const [refuse, decline] = [fate?.refuse ?? settings.refuse, settings.decline];
  const isRefused = Boolean(fate?.refuse) || settings.refuse_next > 0;
  if (isRefused && !fate?.refuse) settings.refuse_next -= 1;
  const isDeclined = !isRefused && settings.decline_next > 0;
  if (isDeclined) settings.decline_next -= 1;
  await pause(fate?.before_ms ?? settings.before_ms);
  if (isRefused) {
    stats.refused += 1;
    over();
    return asGateway(refuse, response, response.end.bind(response), response.writeHead.bind(response));
  }
  if (isDeclined) {
    stats.declined += 1;
    over();
    return json(response, 400, { error: decline });
  }
  // An agent's exchange names the application as its audience and no client; here that is the client.
  if (form.grant_type === EXCHANGE && !form.client_id && !request.headers.authorization) {
    form.client_id = form.audience;
  }
  request.body = form;
  const [end, head] = [response.end.bind(response), response.writeHead.bind(response)];
  response.end = (...rest) => {
    const { statusCode } = response;
    const text = String(rest[0] ?? '');
    if (statusCode === 200) {
      stats.granted += 1;
      if (refresh) spent.add(refresh);
    } else if (text.includes('"invalid_grant"')) stats.invalid_grant += 1;
    else stats.other += 1;
    over();
    const answer = () => {
      if (settings.lose_next > 0) {
        settings.lose_next -= 1;
        stats.lost += 1;
        return asGateway(settings.lose, response, end, head);
      }
      return end(...rest);
    };
    // A client that is gone gets no answer, and the loss is not another one's.
    if (request.socket.destroyed) return response;
    if (settings.after_ms > 0) setTimeout(answer, settings.after_ms);
    else answer();
    return response;
  };
  return handle(request, response);
}

server.on('request', async (request, response) => {
  const path = request.url.split('?')[0];
  if (path.startsWith('/_rig/interaction/')) return interact(request, response);
  if (path.startsWith('/_rig')) return rig(request, response, path);
  if (path === '/oauth/token' && request.method === 'POST') return token(request, response);
  if (path === '/.well-known/openid-configuration') stats.discovery += 1;
  if (path === '/.well-known/jwks.json') stats.jwks += 1;
  if (path === '/oauth/introspect') stats.introspections += 1;
  if (path === '/oauth/revoke') stats.revocations += 1;
  // The API's own login, whose token is the subject of an exchange.
  if (path === '/api/v1/auth/token') {
    await read(request);
    stats.logins += 1;
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    return json(response, 200, { access_token: `${part({ alg: 'HS256' })}.${part({ iat: now, exp: now + 86400, sub: 'agent' })}.c2ln`, token_type: 'bearer' });
  }
  return handle(request, response);
});

process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write(`${JSON.stringify({ issuer })}\n`);
