import { basicCredentials } from '../../../sandbox/registries/shared/bearer-api.ts';
import type { Answer } from '../../../sandbox/registries/shared/message.ts';
import { parseScopes } from '../../../sandbox/registries/shared/scope.ts';
import type { HttpRequest } from '../../../src/registry/http/http-client.ts';
import type { Gatekeeper } from './provider.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** The door of a registry: where images are pulled, and where the operator tries new tokens. */
export class Door {
  readonly #host: string;
  readonly #gatekeeper: Gatekeeper;

  constructor(host: string, gatekeeper: Gatekeeper) {
    this.#host = host;
    this.#gatekeeper = gatekeeper;
  }

  /** Challenges, grants a bearer token for a credential that is good, and opens to that. */
  answer({ url, headers }: HttpRequest): Answer {
    const { Authorization: authorization } = headers;
    if (url.pathname === '/auth') return this.#grant(authorization, url.searchParams.getAll('scope'));
    if (authorization?.startsWith('Bearer ')) return { status: 200, headers: {}, body: '{}' };
    const challenge = `Bearer realm="https://${this.#host}/auth",service="registry"`;
    return { status: 401, headers: { 'www-authenticate': challenge }, body: '' };
  }

  #grant(authorization: string | undefined, scopes: readonly string[]): Answer {
    const { refusal, givesNothingToBadCredentials } = this.#gatekeeper;
    const { username = '', password = '' } = basicCredentials(authorization) ?? {};
    const holder = this.#gatekeeper.holder(this.#host, username, password);
    if (!holder && !(givesNothingToBadCredentials && scopes.length > 0))
      return { status: refusal, headers: JSON_TYPE, body: '{}' };
    const access = parseScopes(scopes).flatMap(({ type, name, actions }) => {
      const given = holder?.actions(name.replace(/\/.*/s, '')) ?? [];
      const allowed = actions.filter((action) => given.includes(action));
      return allowed.length > 0 ? [{ type, name, actions: allowed }] : [];
    });
    const claims = Buffer.from(JSON.stringify({ access })).toString('base64url');
    return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ token: `e30.${claims}.e30` }) };
  }
}
