// A certified OpenID provider (npm `oidc-provider`) on loopback. Anybody who is in `people` logs in, with any password.
// Usage: node openid_provider.mjs PACKAGE-DIRECTORY, with {"port", "clients", "people"} on standard input.
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

const { default: Provider } = await import(pathToFileURL(`${process.argv[2]}/lib/index.js`));
const { port, clients, people } = JSON.parse(await text(process.stdin));
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  claims: { openid: ['sub'], profile: ['name'], groups: ['groups'], units: ['school_units'] },
  scopes: ['openid', 'profile', 'groups', 'units'],
  cookies: { keys: ['not a secret: a test'] },
  pkce: { required: () => true, methods: ['S256'] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Session: 3600, Grant: 3600 },
  findAccount: (_context, sub) => people[sub] && { accountId: sub, claims: () => ({ sub, ...people[sub] }) },
});
provider.listen(port, '127.0.0.1', () => console.log('ready'));
